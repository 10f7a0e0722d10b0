#!/usr/bin/env python3
"""Measures volledger beside a bare file, SQLite, DuckDB and sled, in one go.

    python3 examples/bench_peers.py                  5,000,000 rows, 3 rounds; a table in README.md
    python3 examples/bench_peers.py --rows 200000    smaller; prints only
    python3 examples/bench_peers.py --flat           also: rollbacks in ledgers of 1, 5 and 10 M rows
    python3 examples/bench_peers.py --big            also: memory at 20 M rows

One generated CSV (2,000 symbols, seeded) is loaded, read, hashed and changed by each store in
alternating runs. Each measurement is a process of its own, which measures its CPU time (user and
system, all threads), wall time and peak memory; opening a store is measured alone and not part of
the others. What the other stores do is compiled code (`tests/benches/peers`), but for DuckDB, which
reads CSV itself; `pip install duckdb`, or name a Python that has it with --duckdb.
"""

import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- peers:begin -->", "<!-- peers:end -->"
STORES = {
    "volledger": "volledger",
    "file": "bare file",
    "sqlite": "SQLite",
    "sqlite-audit": "SQLite with history",
    "duckdb": "DuckDB",
    "sled": "sled, a key a row",
}
SUFFIX = {"sqlite": ".db", "sqlite-audit": ".db", "duckdb": ".duckdb", "file": ".bin"}
COMMITS = 300
PARTS = 50


# What DuckDB does: this same file, run as `bench_peers.py in-duckdb STEP PLACE …`.

COLUMNS = """{'symbol': 'VARCHAR', 'day': 'DATE', 'atm_iv': 'DOUBLE', 'iv30_ma20': 'DOUBLE',
              'hv20': 'DOUBLE', 'hv252': 'DOUBLE', 'options_volume': 'BIGINT'}"""


def peak_kib():
    text = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1))


def in_duckdb(step, place, rest):
    import duckdb  # only where it is measured

    def measured(work):
        cpu, wall = time.process_time(), time.perf_counter()
        count = work()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return {"cpu": cpu, "wall": wall, "peak_kib": peak_kib(), "count": count}

    def load():
        db = duckdb.connect(place)
        for batch, file in enumerate(rest):
            rows = f"""SELECT *, {batch}::INTEGER AS batch
                       FROM read_csv('{file}', header = true, columns = {COLUMNS})"""
            make = "CREATE TABLE rows AS" if batch == 0 else "INSERT INTO rows"
            db.execute(f"{make} {rows}")
        db.execute("CHECKPOINT")
        db.close()

    def opened():
        db = duckdb.connect(place)
        return db.execute("SELECT count(*) FROM (SELECT day FROM rows LIMIT 1)").fetchone()[0]

    if step == "load":
        return measured(load)
    if step == "open":
        return measured(opened)
    if step == "size":
        return {"bytes": allocated(place)}
    db = duckdb.connect(place)
    values = ["atm_iv", "iv30_ma20", "hv20", "hv252", "options_volume"]
    if step == "fold":
        latest = ", ".join(f"arg_max({value}, rowid) AS {value}" for value in values)
        sums = ", ".join(f"sum({value})" for value in values)
        query = f"""SELECT count(*), {sums}
                    FROM (SELECT symbol, day, {latest} FROM rows GROUP BY symbol, day)"""
        return measured(lambda: db.execute(query).fetchone()[0])
    if step == "rehash":
        line = "concat_ws(',', symbol, day, " + ", ".join(values) + ")"
        query = f"SELECT count(*), max(sha256({line})) FROM rows"
        return measured(lambda: db.execute(query).fetchone()[0])
    if step == "rollback":
        query = f"DELETE FROM rows WHERE batch = {int(rest[0])}"
        return measured(lambda: db.execute(query).fetchone()[0])
    if step == "commit":
        times = []
        insert = "INSERT INTO rows VALUES (?, DATE '2025-11-03', ?, 21.5, 22.5, 23.5, ?, ?)"
        for number in range(int(rest[0])):
            begin = time.perf_counter()
            db.execute(insert, [f"SYN{number + 1:05}", 10 + number / 100, number, 1000 + number])
            times.append((time.perf_counter() - begin) * 1e6)
        times.sort()
        at = lambda share: times[int((len(times) - 1) * share)]
        return {"p50_us": at(0.5), "p99_us": at(0.99), "peak_kib": peak_kib()}
    return None


# The driver.


def allocated(place):
    place = pathlib.Path(place)
    inside = place.rglob("*") if place.is_dir() else []
    return sum(path.lstat().st_blocks * 512 for path in [place, *inside])


class Bench:
    def __init__(self, binary, duckdb, folder):
        self.binary, self.duckdb, self.folder = binary, duckdb, folder
        self.results = {}

    def tool(self, *args):
        subprocess.run([self.binary, *map(str, args)], check=True)

    def run(self, store, step, place, *rest):
        mine = [sys.executable if self.duckdb is True else self.duckdb, __file__, "in-duckdb"]
        command = mine if store == "duckdb" else [self.binary, store]
        command = [*command, step, str(place), *map(str, rest)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        # What is not written yet is not to be paid for by the next one.
        os.sync()
        return json.loads(done.stdout)

    def measure(self, store, step, place, *rest, name=None):
        result = self.run(store, step, place, *rest)
        if result is None:
            return None
        self.results.setdefault((store, name or step), []).append(result)
        cpu, wall = result.get("cpu"), result.get("wall")
        if "p50_us" in result:
            told = f"p50 {result['p50_us']:8.0f} us  p99 {result['p99_us']:8.0f} us"
        elif cpu is None:
            told = "  ".join(f"{key} {value:,}" for key, value in result.items())
        else:
            told = f"{cpu:8.3f} CPU s {wall:8.3f} s wall {result['peak_kib'] / 1024:6.0f} MiB"
        print(f"  {STORES.get(store, store):<20} {name or step:<16} {told}", flush=True)
        return result

    def generate(self, symbols, days):
        csv = self.folder / f"rows-{symbols}-{days}.csv"
        if not csv.exists():
            self.tool("generate", csv, symbols, days)
        return csv

    def place(self, store):
        place = self.folder / f"store-{store}{SUFFIX.get(store, '')}"
        for old in self.folder.glob(f"store-{store}*"):
            if old.name.removeprefix(f"store-{store}")[:1] in ("", "."):
                shutil.rmtree(old) if old.is_dir() else old.unlink()
        return place

    def of(self, store, step, key):
        found = [one[key] for one in self.results.get((store, step), []) if key in one]
        return statistics.median(found) if found else None

    def peak(self, store, steps):
        found = [
            one["peak_kib"] / 1024
            for (which, step), runs in self.results.items()
            for one in runs
            if which == store and step in steps and "peak_kib" in one
        ]
        return max(found, default=None)


def rounds(bench, stores, csv, count):
    """Everything on one file, the stores taking turns, each round in another order."""
    stores = list(stores)
    for turn in range(count):
        print(f"round {turn + 1} of {count}", flush=True)
        order = stores[turn % len(stores):] + stores[:turn % len(stores)]
        # A key a row takes half an hour where the others take minutes: once is enough.
        order = [store for store in order if store != "sled" or turn == 0]
        places = {store: bench.place(store) for store in order}
        for store in order:
            bench.measure(store, "load", places[store], csv)
        for store in order:
            bench.measure(store, "size", places[store])
        for step in ["open", "open", "fold", "rehash", "rebuild", "commit", "decide"]:
            for store in order:
                rest = [COMMITS] if step in ("commit", "decide") else []
                bench.measure(store, step, places[store], *rest)
        for store in order:
            bench.place(store)


def batches(bench, stores, csv, rows, count):
    """The same rows in 50 files; one batch from the middle is taken out."""
    folder = bench.folder / "parts"
    bench.tool("cut", csv, folder, PARTS, rows)
    parts = sorted(folder.iterdir())
    for turn in range(count):
        print(f"{PARTS} batches, round {turn + 1} of {count}", flush=True)
        order = [store for store in stores if store != "file" and (store != "sled" or turn == 0)]
        places = {store: bench.place(store) for store in order}
        for store in order:
            bench.measure(store, "load", places[store], *parts, name="load 50")
        for store in order:
            bench.measure(store, "rollback", places[store], PARTS // 2)
        for store in order:
            bench.place(store)
    shutil.rmtree(folder)


def flat(bench, scale):
    """Rollbacks of a batch of 100,000 rows in ledgers that grow: of symbols of its own, and of the
    newest days of every symbol."""
    table = []
    for millions in (1, 5, 10):
        print(f"rollback in {millions} M rows / {scale}", flush=True)
        days = 500 * millions
        symbols = 2000 // scale
        csv = bench.generate(symbols, days)
        extra, restated = bench.folder / "extra", bench.folder / "restated.csv"
        bench.tool("cut", bench.generate(symbols + 40, 2500), extra, symbols + 40, (symbols + 40) * 2500)
        own = bench.folder / "own.csv"
        # By number: as text, part-999 comes after part-1000, and the symbols would not be new ones.
        number_of = lambda part: int(part.stem.split("-")[1])
        names = sorted(extra.iterdir(), key=number_of)[symbols:]
        with own.open("w") as out:
            for index, part in enumerate(names):
                lines = part.read_text().splitlines(keepends=True)
                out.writelines(lines if index == 0 else lines[1:])
        shutil.rmtree(extra)
        bench.tool("restate", csv, restated, days, 50)
        row = {"rows": symbols * days}
        for kind, batch in (("own symbols", own), ("every symbol", restated)):
            for _ in range(3):
                place = bench.place("volledger")
                bench.run("volledger", "load", place, csv, batch)
                name = f"{millions} M, {kind}"
                bench.measure("volledger", "rollback", place, 1, name=name)
            row[kind] = bench.of("volledger", f"{millions} M, {kind}", "cpu")
        bench.place("volledger")
        table.append(row)
        csv.unlink()
    return table


def big(bench, stores, symbols):
    """Peak memory of everything at four times the rows."""
    csv = bench.generate(symbols, 2500)
    place = bench.place("volledger")
    bench.measure("volledger", "load", place, csv, name="big load")
    for step in ["open", "fold", "rehash", "rebuild"]:
        bench.measure("volledger", step, place, name=f"big {step}")
    bench.measure("volledger", "rollback", place, 0, name="big rollback")
    for store in stores:
        if store in ("sqlite", "duckdb"):
            bench.measure(store, "load", bench.place(store), csv, name="big load")
            bench.place(store)
    bench.place("volledger")
    csv.unlink()


def machine():
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return (
        f"{os.cpu_count()} cores of {cpu.group(1).strip() if cpu else platform.machine()}, "
        f"{int(memory.group(1)) / 2**20:.0f} GiB, Linux {platform.release()}"
    )


def versions(bench, stores):
    lock = (ROOT / "Cargo.lock").read_text()
    crate = lambda name: re.search(rf'name = "{name}"\nversion = "(.*)"', lock).group(1)
    said = [f"SQLite of rusqlite {crate('rusqlite')}", f"sled {crate('sled')}"]
    if "duckdb" in stores:
        python = sys.executable if bench.duckdb is True else bench.duckdb
        code = "import duckdb; print(duckdb.__version__)"
        done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
        said.append(f"DuckDB {done.stdout.strip()}")
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True)
    return ", ".join(said + [" ".join(rust.stdout.split()[:2])])


def number(value):
    if value is None:
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def report(bench, stores, rows, csv_bytes, count, load):
    """The table, as Markdown."""
    lines = [
        f"{rows:,} daily rows ({csv_bytes / 1e6:.0f} MB of CSV), medians of {count} rounds in turns, "
        f"sled once. {machine()}; {versions(bench, stores)}; load {load[0]:.1f} before and "
        f"{os.getloadavg()[0]:.1f} after. `python3 examples/bench_peers.py`",
        "",
        "| | " + " | ".join(STORES[store] for store in stores) + " |",
        "| --- |" + " ---: |" * len(stores),
    ]
    steps = ["load", "open", "fold", "rehash", "rebuild", "commit", "decide"]

    def line(name, value, ratio=True):
        cells = []
        mine = value("volledger")
        for store in stores:
            found = value(store)
            cell = number(found)
            if ratio and store != "volledger" and found is not None and mine:
                cell += f" ({found / mine:.2g} ×)"
            cells.append(cell)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")

    of = bench.of
    scaled = lambda step, key, by: lambda s: (lambda v: None if v is None else v * by)(of(s, step, key))
    line("import and confirm, CPU s", lambda s: of(s, "load", "cpu"))
    line("… wall s", lambda s: of(s, "load", "wall"))
    line(f"the same in {PARTS} batches, CPU s", lambda s: of(s, "load 50", "cpu"))
    line("fold of all rows to the latest view, CPU s", lambda s: of(s, "fold", "cpu"))
    line("… wall s", lambda s: of(s, "fold", "wall"))
    line("stored views made anew, CPU s", lambda s: of(s, "rebuild", "cpu"), ratio=False)
    line("hash everything again, CPU s", lambda s: of(s, "rehash", "cpu"))
    line("… wall s", lambda s: of(s, "rehash", "wall"))
    line(f"take out one of {PARTS} batches, CPU ms", scaled("rollback", "cpu", 1000))
    line("open, wall ms", scaled("open", "wall", 1000))
    line("one row, durable, p50 µs", lambda s: of(s, "commit", "p50_us"))
    line("… p99 µs", lambda s: of(s, "commit", "p99_us"))
    line("… the decision alone, p50 µs", lambda s: of(s, "decide", "p50_us"), ratio=False)
    line("bytes on disk a row", scaled("size", "bytes", 1 / rows))
    line("peak memory, MiB", lambda s: bench.peak(s, steps + ["load 50", "rollback"]))
    blocks = of("volledger", "size", "block_bytes")
    lines += [
        "",
        "In brackets: times volledger's figure; above 1 volledger needs less. volledger parses with "
        "findings, keeps the source, hashes each row, shows what would change, and stores views; of "
        f"its bytes the log's blocks take {number(blocks / rows)} a row, and all of them are "
        f"{bench.of('volledger', 'size', 'bytes') / csv_bytes:.2f} × the CSV. The others store seven "
        "typed columns and a batch number; only SQLite with history could show an earlier state. "
        "“Hash everything again” is `verify --deep` here, with every source and view; one BLAKE3 over "
        "all rows for file, SQLite and sled; a SHA-256 for each row in DuckDB. One durable row is here "
        "a staged file of one row, its review and its confirmation: two entries in the log.",
    ]
    return "\n".join(lines)


def built():
    command = ["cargo", "bench", "--locked", "--no-run", "--bench", "peers"]
    command.append("--message-format=json-render-diagnostics")
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    made = [one["executable"] for one in found if one.get("executable")]
    return made[-1]


def has_duckdb(python):
    code = "import duckdb"
    return subprocess.run([python, "-c", code], stderr=subprocess.DEVNULL).returncode == 0


def main():
    if sys.argv[1:2] == ["in-duckdb"]:
        print(json.dumps(in_duckdb(sys.argv[2], sys.argv[3], sys.argv[4:])))
        return
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=5_000_000, help="a multiple of 100,000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--stores", default=",".join(STORES), help="which, with commas")
    parser.add_argument("--duckdb", default=sys.executable, help="a Python that has duckdb")
    parser.add_argument("--flat", action="store_true", help="rollbacks in growing ledgers")
    parser.add_argument("--big", action="store_true", help="memory at four times the rows")
    parser.add_argument("--only", action="store_true", help="nothing but --flat and --big")
    parser.add_argument("--readme", action="store_true", help="write into README.md at any size")
    parser.add_argument("--binary", help="the built benchmark, else cargo builds it")
    parser.add_argument("--dir", help="where to work; else a temporary directory")
    args = parser.parse_args()
    stores = [store for store in STORES if store in args.stores.split(",")]
    if "duckdb" in stores and not has_duckdb(args.duckdb):
        print("SKIPPED: no duckdb here (pip install duckdb, or --duckdb PYTHON)", file=sys.stderr)
        stores.remove("duckdb")
    binary = args.binary or built()
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="peers-", dir=args.dir) as folder:
        bench = Bench(binary, args.duckdb, pathlib.Path(folder))
        symbols = 2000 if args.rows >= 1_000_000 else 400
        if not args.only:
            csv = bench.generate(symbols, args.rows // symbols)
            size = csv.stat().st_size
            rounds(bench, stores, csv, args.rounds)
            batches(bench, stores, csv, args.rows, max(1, args.rounds - 1))
            text = report(bench, stores, args.rows, size, args.rounds, load)
            csv.unlink()
        if args.flat:
            table = flat(bench, 1 if args.rows >= 1_000_000 else 10)
            lines = ["| rows in the ledger | 100,000 rows of symbols of their own, CPU ms | 50 days of every symbol, CPU ms |"]
            lines += ["| ---: | ---: | ---: |"]
            for row in table:
                cells = [number(row[kind] * 1000) for kind in ("own symbols", "every symbol")]
                lines.append(f"| {row['rows']:,} | {cells[0]} | {cells[1]} |")
            flatness = "Rollback of a batch of 100,000 rows:\n\n" + "\n".join(lines)
            text = flatness if args.only else text + "\n\n" + flatness
        if args.big:
            big(bench, stores, symbols * 4)
            parts = []
            for store in stores:
                found = bench.peak(store, [f"big {step}" for step in
                                           ("load", "open", "fold", "rehash", "rebuild", "rollback")])
                if found:
                    what = "everything" if store == "volledger" else "the load"
                    parts.append(f"{STORES[store]} {number(found)} MiB ({what})")
            memory = f"Peak memory at {args.rows * 4:,} rows: " + ", ".join(parts) + "."
            text = memory if args.only and not args.flat else text + "\n\n" + memory
    print("\n" + text)
    if (args.rows >= 5_000_000 or args.readme) and not args.only:
        readme = ROOT / "README.md"
        before, rest = readme.read_text().split(BEGIN)
        after = rest.split(END)[1]
        readme.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")
        print("README.md has the table")


if __name__ == "__main__":
    main()
