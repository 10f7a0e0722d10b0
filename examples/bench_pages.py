#!/usr/bin/env python3
"""Measures how fast `volledger serve` answers, and whether its memory stays flat.

    cargo build --release && cargo build --release --example make_large_csv
    python3 examples/bench_pages.py                              2,000 symbols x 2,500 days, 8 clients
    python3 examples/bench_pages.py --symbols 50 --days 300 --requests 400      smaller

A generated CSV (seeded) is imported and confirmed, a second small file is staged, then the server is
started. Eight client processes ask for each kind of page at once, over connections that stay open;
what is printed is the time until the last byte, as the clients see it, on a machine that they share
with the server. `first` is the very first request of that kind. Then requests of all kinds, mixed,
with the server's memory in between. Ends with 1 when a page is slower than --limit at p95 (0: never).
"""

import argparse
import http.client
import json
import multiprocessing
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MIXED = {"home": 2, "batches": 1, "batch": 2, "staged": 1, "symbol": 6, "symbols": 1, "rank": 1, "log": 1}


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **more)
    assert done.returncode in (0, 12), f"{words}: {done.stdout}{done.stderr}"
    return done.stdout


def memory_mib(process):
    text = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024


def prepare(program, generator, folder, symbols, days):
    env = {**os.environ, "HOME": str(folder), "VOLLEDGER_DIR": str(folder / "ledger")}
    csv, small = folder / "large.csv", folder / "small.csv"
    run(generator, csv, symbols, days)
    with csv.open() as lines:
        head = [next(lines) for _ in range(min(days, 200) + 1)]
    # The same days with other values: a batch that would change what is shown.
    with small.open("w") as out:
        out.write(head[0])
        for line in head[1:]:
            cells = line.rstrip("\n").split(",")
            cells[2] = f"{float(cells[2] or 20) + 5:.2f}"
            out.write(",".join(cells) + "\n")
    run(program, "init", env=env)
    run(program, "import", "iv", csv, "--symbol-from", "column", "--force", env=env)
    run(program, "import", "iv", small, "--symbol-from", "column", "--stage-only", env=env)
    csv.unlink()
    return env


def paths(symbols, seed):
    """The address of a page of a kind; symbols differ from request to request."""
    pick = random.Random(seed)

    def of(kind):
        if kind == "symbol":
            return f"/symbols/SYN{pick.randrange(symbols) + FIRST:05}"
        return {"home": "/", "batches": "/batches", "batch": "/batches/b1", "staged": "/batches/b2",
                "symbols": "/symbols", "rank": "/rank?limit=500", "log": "/events",
                "gaps": "/gaps"}[kind]
    return of


FIRST = 1


def client(address, kinds, count, symbols, seed, results):
    pick, path = random.Random(seed), paths(symbols, seed)
    connection = http.client.HTTPConnection(address, timeout=120)
    times = []
    for _ in range(count):
        kind = pick.choice(kinds)
        start = time.perf_counter()
        for attempt in (1, 2):
            try:
                connection.request("GET", path(kind))
                answer = connection.getresponse()
                size = len(answer.read())
                break
            except (http.client.HTTPException, OSError):
                # The server closes a connection that was idle; asked anew once.
                connection.close()
                if attempt == 2:
                    raise
        assert answer.status == 200, f"{kind}: {answer.status}"
        times.append((kind, time.perf_counter() - start, size))
    results.put(times)


def together(address, kinds, count, clients, symbols, seed):
    """The answers to clients that ask at once."""
    results = multiprocessing.Queue()
    each = max(count // clients, 1)
    workers = [multiprocessing.Process(target=client, args=(address, kinds, each, symbols, seed + number, results))
               for number in range(clients)]
    for worker in workers:
        worker.start()
    found = [one for _ in workers for one in results.get(timeout=1800)]
    for worker in workers:
        worker.join()
    return found


def at(times, share):
    return times[min(int(len(times) * share), len(times) - 1)] * 1e3


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", default=ROOT / "target/release/volledger")
    parser.add_argument("--generator", default=ROOT / "target/release/examples/make_large_csv")
    parser.add_argument("--symbols", type=int, default=2000)
    parser.add_argument("--days", type=int, default=2500)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=10_000, help="of the mixed run")
    parser.add_argument("--each", type=int, default=400, help="requests of each kind")
    parser.add_argument("--limit", type=float, default=0, help="most milliseconds at p95, of pages but rank")
    parser.add_argument("--json", help="a file for the figures")
    args = parser.parse_args()
    slow, figures = [], {"symbols": args.symbols, "days": args.days, "clients": args.clients, "pages": {}}
    with tempfile.TemporaryDirectory() as place:
        folder = pathlib.Path(place)
        start = time.perf_counter()
        env = prepare(args.program, args.generator, folder, args.symbols, args.days)
        print(f"{args.symbols} symbols x {args.days} days, ready in {time.perf_counter() - start:.1f} s")
        server = subprocess.Popen([str(args.program), "serve", "--port", "0"], env=env, text=True,
                                  stderr=subprocess.PIPE)
        try:
            said = ""
            while "http://" not in said:
                line = server.stderr.readline()
                assert line, f"the server ended: {said}"
                said += line
            address = re.search(r"http://([^/\s]+)", said).group(1)
            global FIRST
            connection = http.client.HTTPConnection(address, timeout=600)
            connection.request("GET", "/symbols.json")
            rows = json.loads(connection.getresponse().read())["rows"]
            FIRST = min(int(row["symbol"][3:]) for row in rows)
            print(f"memory once started and asked once: {memory_mib(server.pid):.0f} MiB")
            print(f"{'page':8} {'n':>6} {'first':>9} {'p50':>8} {'p95':>8} {'p99':>8} {'worst':>8}  ms   size kB")
            for kind in ("home", "batches", "batch", "staged", "symbol", "symbols", "rank", "gaps", "log"):
                first = together(address, [kind], 1, 1, args.symbols, 7)[0]
                found = together(address, [kind], args.each, args.clients, args.symbols, 100)
                times = sorted(taken for _, taken, _ in found)
                figure = {"n": len(times), "first": first[1] * 1e3, "p50": at(times, 0.5),
                          "p95": at(times, 0.95), "p99": at(times, 0.99), "worst": times[-1] * 1e3}
                figures["pages"][kind] = figure
                numbers = " ".join(f"{figure[name]:8.1f}" for name in ("p50", "p95", "p99", "worst"))
                print(f"{kind:8} {len(times):6} {figure['first']:9.1f} {numbers}       {first[2] / 1e3:8.0f}")
                if kind not in ("rank",) and args.limit and figure["p95"] > args.limit:
                    slow.append(kind)
            kinds = [kind for kind, share in MIXED.items() for _ in range(share)]
            figures["memory"] = [(0, memory_mib(server.pid))]
            parts = 5
            for part in range(parts):
                found = together(address, kinds, args.requests // parts, args.clients, args.symbols, 1000 + part * 50)
                times = sorted(taken for _, taken, _ in found)
                figures["memory"].append(((part + 1) * len(found), memory_mib(server.pid)))
                asked, mib = figures["memory"][-1]
                print(f"mixed, after {asked:6} requests: {mib:7.1f} MiB, p95 {at(times, 0.95):.1f} ms")
            low, high = figures["memory"][1][1], figures["memory"][-1][1]
            print(f"memory: {figures['memory'][0][1]:.1f} MiB before, {high:.1f} MiB after; "
                  f"{high - low:+.1f} MiB since the first fifth")
        finally:
            server.terminate()
            server.wait(timeout=30)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(figures, indent=1))
    if slow:
        print(f"slower than {args.limit} ms at p95: {', '.join(slow)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
