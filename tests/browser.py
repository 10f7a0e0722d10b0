"""Drives `volledger serve` in headless Chromium: a person's way through a backfill, with the mouse and
with the keyboard alone, and pictures of every page.

    python3 tests/browser.py PROGRAM [PICTURES]

PROGRAM is the built `volledger`; PICTURES a folder for screenshots (none are taken without it). Needs
Debian's `chromium` (or CHROMIUM=FILE) and nothing else: it speaks the DevTools protocol over a pipe.
AXE=FILE names `axe.min.js` of npm's axe-core: then every page is looked at for what keeps people out.
Ends with 0 when everything held, with 77 and a loud line where there is no Chromium, else with 1.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLE = Path(__file__).resolve().parent.parent / "data" / "sample"
SIZES = {"1280": (1280, 900), "390": (390, 844)}
THEMES = ("light", "dark")


class Browser:
    """One page of a browser, over --remote-debugging-pipe."""

    def __init__(self, program, folder):
        down_read, self.down = os.pipe()
        self.up, up_write = os.pipe()

        def wire():
            # The browser reads from 3 and writes to 4; both ends are moved away first.
            read, write = os.dup(down_read), os.dup(up_write)
            os.dup2(read, 3), os.dup2(write, 4)

        words = [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--remote-debugging-pipe", "--no-first-run", "--disable-background-networking",
                 "--hide-scrollbars", f"--user-data-dir={folder}", "about:blank"]
        self.process = subprocess.Popen(words, preexec_fn=wire, close_fds=False,
                                        stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.close(down_read), os.close(up_write)
        self.number, self.rest, self.session = 0, b"", None
        self.events, self.complaints, self.requests = [], [], []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "DOM"):
            self.send(f"{domain}.enable")

    def read(self):
        while b"\0" not in self.rest:
            piece = os.read(self.up, 1 << 16)
            if not piece:
                raise RuntimeError("the browser is gone")
            self.rest += piece
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def note(self, message):
        method, params = message.get("method"), message.get("params", {})
        self.events.append(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.complaints.append("exception: " + json.dumps(params["exceptionDetails"])[:300])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append("console: " + json.dumps(params["args"])[:300])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            entry = params["entry"]
            # A page that refuses is an error to the log of the browser and none to us.
            if not (entry["source"] == "network" and "409" in entry["text"]):
                self.complaints.append("log: " + entry["text"][:300] + " " + entry.get("url", ""))

    def send(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.down, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]
            self.note(answer)

    def loaded(self, act):
        """Does something that leads to another page, and waits for it."""
        self.events.clear()
        act()
        end = time.time() + 30
        while "Page.loadEventFired" not in self.events:
            if time.time() > end:
                raise RuntimeError("no page came")
            self.note(self.read())

    def go(self, address):
        self.loaded(lambda: self.send("Page.navigate", url=address))

    def run(self, script):
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{script}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def click(self, selector):
        self.loaded(lambda: self.run(f"document.querySelector({json.dumps(selector)}).click()"))

    def key(self, key, code=None, text=None, modifiers=0):
        named = {"Tab": 9, "Enter": 13, " ": 32, "ArrowLeft": 37, "ArrowRight": 39, "Escape": 27}
        number = named.get(key, ord(key.upper()[0]))
        text = text if text is not None else {"Enter": "\r", " ": " "}.get(key, key if len(key) == 1 else "")
        common = {"key": key, "windowsVirtualKeyCode": number, "modifiers": modifiers}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.send("Input.dispatchKeyEvent", type="keyUp", **common)

    def file(self, selector, path):
        root = self.send("DOM.getDocument")["root"]["nodeId"]
        node = self.send("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.send("DOM.setFileInputFiles", files=[str(path)], nodeId=node)

    def look(self, size, theme):
        wide, high = SIZES[size]
        self.send("Emulation.setDeviceMetricsOverride", width=wide, height=high, deviceScaleFactor=1,
                  mobile=False)
        self.send("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": theme}])

    def picture(self, path):
        high = min(self.run("document.documentElement.scrollHeight"), 3000)
        wide = self.run("innerWidth")
        clip = {"x": 0, "y": 0, "width": wide, "height": high, "scale": 1}
        shot = self.send("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        try:
            self.session = None
            self.send("Browser.close")
        except (RuntimeError, OSError):
            pass
        self.process.wait(timeout=20)


class Case:
    """A ledger with sample data and a server over it."""

    def __init__(self, program, folder):
        self.program, self.folder = program, Path(folder)
        self.environment = {"HOME": str(folder), "USER": "tester", "LANG": "C.UTF-8",
                            "PATH": os.environ.get("PATH", "")}
        self.command("init")
        for series, symbol in (("iv", "VOLA"), ("spot", "VOLA"), ("iv", "VOLB"), ("spot", "VOLB"),
                               ("iv", "VOLC")):
            self.command("import", series, SAMPLE / series / f"{symbol}.csv", "-s", symbol, "--yes")
        self.command("import", "hv", SAMPLE / "hv" / "VOLA.csv", "-s", "VOLA", "--overlap", "keep", "--yes")
        self.command("import", "iv", SAMPLE / "dirty" / "VOLB_dirty.csv", "-s", "VOLB", "--stage-only")
        for number, times in enumerate(("", " * 2")):
            query = Path(folder) / "rich.sql"
            query.write_text(f"SELECT symbol, date, atm_iv{times} AS v FROM iv WHERE symbol = :symbol")
            self.command("projection", "add", "rich", "--sql", query)
        self.job = "/jobs"
        words = [program, "serve", "--port", "0", "--allow-decisions"]
        self.server = subprocess.Popen(words, cwd=folder, env=self.environment, text=True,
                                       stderr=subprocess.PIPE)
        said = ""
        while "http://" not in said:
            line = self.server.stderr.readline()
            assert line, f"the server ended: {said}"
            said += line
        self.site = re.search(r"http://[^/\s]+", said).group(0)

    def command(self, *words):
        words = [self.program, *map(str, words)]
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        assert done.returncode in (0, 12), f"{words}: {done.stderr}"
        return done.stdout

    def newest(self):
        view = json.loads(self.command("view", "iv", "VOLA", "--json", "--columns", "atm_iv",
                                       "--from", "2024-12-31"))
        return view["rows"][0]["atm_iv"]

    def close(self):
        self.server.terminate()
        assert self.server.wait(timeout=20) == 0, "the server did not end in order"


def same(one, other, what):
    assert one == other, f"{what}: {one!r} is not {other!r}"


def charted(browser, case):
    """The newest value of the line of IV on the page of a symbol."""
    browser.go(f"{case.site}/symbols/VOLA")
    return browser.run("JSON.parse(document.getElementById('data').textContent).lines[0].values.at(-1)")


def upload(browser, case):
    browser.go(f"{case.site}/upload")
    browser.run("document.getElementById('symbol').value = 'VOLA'")
    text = (SAMPLE / "bad" / "VOLA_wrong_scale.csv").read_text()
    # Dropped on the page, not on the field.
    browser.run(f"""(() => {{
        const carried = new DataTransfer(), to = document.querySelector("h1");
        carried.items.add(new File([{json.dumps(text)}], "VOLA_wrong_scale.csv", {{type: "text/csv"}}));
        for (const type of ["dragover", "drop"])
            to.dispatchEvent(new DragEvent(type, {{bubbles: true, cancelable: true, dataTransfer: carried}}));
    }})()""")
    same(browser.run("document.getElementById('chosen').textContent"), "VOLA_wrong_scale.csv", "what was dropped")
    browser.click("form.upload button")
    return browser.run("location.pathname")


def backfill(browser, case):
    """Upload, review, confirm, see it on the chart, roll back, see it gone."""
    before = case.newest()
    batch = upload(browser, case)
    assert re.fullmatch(r"/batches/b\d+", batch), batch
    assert browser.run("document.querySelector('#chart svg') !== null"), "no picture of the change"
    assert browser.run("document.querySelectorAll('#diff tbody tr').length") > 20
    browser.click("#decision")
    assert "is active" in browser.run("document.querySelector('[role=status]').textContent")
    now = case.newest()
    assert now != before
    same(charted(browser, case), now, "the chart after confirming")
    browser.go(case.site + batch)
    browser.run("document.querySelector('form[action$=rollback] input[name=reason]').value = 'wrong scale'")
    browser.click("form[action$=rollback] button[name=plan]")
    assert "Nothing is decided yet" in browser.run("document.querySelector('main').textContent")
    browser.click("form.decide button.act")
    same(case.newest(), before, "after the rollback")
    same(charted(browser, case), before, "the chart after the rollback")
    browser.go(case.site + batch)
    browser.click("form[action$=reinstate] button")
    browser.click("[role=status] form button")
    same(case.newest(), before, "after reinstating and undoing")


def stale(browser, case):
    """What somebody else decided in between makes the page's confirmation stale."""
    other = case.folder / "other.csv"
    for number, value in enumerate(("61.5", "62.5")):
        other.write_text(f"Date,IV30\n2024-12-30,{value}\n")
        case.command("import", "iv", other, "-s", "VOLA", "--stage-only")
    batches = json.loads(case.command("batch", "list", "--json"))["batches"]
    first, second = [batch["batch"] for batch in batches if batch["state"] == "staged"][-2:]
    browser.go(f"{case.site}/batches/{first}")
    case.command("batch", "confirm", second)
    browser.click("#decision")
    assert "cannot be done" in browser.run("document.querySelector('h1').textContent")
    state = json.loads(case.command("batch", "show", first, "--json"))["state"]
    same(state, "staged", "a stale confirmation")
    case.command("batch", "discard", first)
    case.command("batch", "rollback", second)


def by_keys(browser, case):
    """The same way without a mouse: letters, Tab and Enter."""
    other = case.folder / "keys.csv"
    other.write_text("Date,IV30\n2024-12-31,71.5\n")
    case.command("import", "iv", other, "-s", "VOLA", "--stage-only")
    before = case.newest()
    browser.go(case.site + "/")
    browser.key("g")
    browser.loaded(lambda: browser.key("b"))
    same(browser.run("location.pathname"), "/batches", "g b")
    browser.key("j")
    browser.loaded(lambda: browser.key("Enter"))
    assert browser.run("location.pathname").startswith("/batches/b")
    browser.key("c")
    same(browser.run("document.activeElement.id"), "decision", "c")
    same(case.newest(), before, "c presses nothing")
    ring = browser.run("getComputedStyle(document.activeElement).outlineStyle")
    same(ring, "solid", "the focus is seen")
    browser.loaded(lambda: browser.key("Enter"))
    assert case.newest() != before
    for _ in range(60):
        if browser.run("document.activeElement.textContent") == "Undo":
            break
        browser.key("Tab", text="")
    browser.loaded(lambda: browser.key("Enter"))
    same(case.newest(), before, "after undoing by keys")
    browser.go(f"{case.site}/symbols/VOLA")
    first = browser.run("document.getElementById('chart').focus(), document.getElementById('readout').textContent")
    browser.key("ArrowLeft", text="")
    time.sleep(0.2)
    assert browser.run("document.getElementById('readout').textContent") != first, "the day does not move"
    browser.run("document.activeElement.blur()")
    browser.loaded(lambda: browser.key("]"))
    same(browser.run("location.pathname"), "/symbols/VOLB", "]")
    browser.key("?")
    assert browser.run("document.querySelector('details.keys').open")


def moved(browser, case):
    """A list follows what a command does meanwhile; a page says that the ledger moved on."""
    other = case.folder / "moved.csv"
    for number, path in enumerate(("/batches", "/symbols/VOLA")):
        browser.go(case.site + path)
        before = browser.run("document.querySelector('main').textContent")
        time.sleep(1)
        other.write_text(f"Date,IV30\n2024-12-31,5{number}.5\n")
        case.command("import", "iv", other, "-s", "MOVED", "--stage-only")
        wanted = ("moved.csv", "The ledger stands at #")[number]
        for _ in range(50):
            if wanted in browser.run("document.querySelector('main').textContent"):
                break
            time.sleep(0.1)
        else:
            raise AssertionError(f"{path} did not notice")
        assert wanted not in before or number == 0


def splitting(browser, case):
    """Symbols are ticked, become a batch of their own, and that one alone is confirmed."""
    other = case.folder / "three.csv"
    other.write_text("Symbol,Date,IV30\nSPLA,2024-01-02,10.5\nSPLB,2024-01-02,20.5\nSPLA,2024-01-03,n/a\n")
    case.command("import", "iv", other, "--symbol-from", "column", "--stage-only")
    batch = json.loads(case.command("batch", "list", "--json"))["batches"][-1]["batch"]
    browser.go(f"{case.site}/batches/{batch}")
    browser.run("document.querySelector('details.split summary').click()")
    browser.run("document.querySelector('input[name=\"symbol SPLB\"]').click()")
    browser.click("details.split form button")
    assert "What was not chosen waits as" in browser.run("document.querySelector('[role=status]').textContent")
    browser.click("#decision")
    assert "is active" in browser.run("document.querySelector('[role=status]').textContent")
    states = {one["batch"]: one["state"] for one in json.loads(case.command("batch", "list", "--json"))["batches"]}
    same([states[batch], *list(states.values())[-2:]], ["discarded", "active", "staged"], "after splitting")
    # One that waits, for the pictures.
    other.write_text("Symbol,Date,IV30\n" + "".join(f"SPL{name},2024-01-04,2{n}.5\n" for n, name in enumerate("ABCDEFG")))
    case.command("import", "iv", other, "--symbol-from", "column", "--stage-only")
    case.split = json.loads(case.command("batch", "list", "--json"))["batches"][-1]["batch"]


def working(browser, case):
    """Long work shows how far it is, and a button stops it; nothing of it counts."""
    large = case.folder / "large.csv"
    with large.open("w") as out:
        out.write("Symbol,Date,IV30\n")
        for row in range(900_000):
            out.write(f"S{row % 2000},2024-{row // 2000 // 28 % 12 + 1:02}-{row // 2000 % 28 + 1:02},{10 + row % 60}.5\n")
    position = json.loads(case.command("status", "--json"))["position"]
    browser.go(f"{case.site}/upload")
    browser.run("document.getElementById('symbol').value = 'LARGE'")
    browser.file("#files", large)
    browser.click("form.upload button")
    job = browser.run("location.pathname")
    if not job.startswith("/jobs/"):
        # A fast machine: it was over at once.
        case.job = "/jobs"
        case.command("batch", "discard", job.split("/")[-1])
        print("SKIPPED: the work was over before it could be watched", file=sys.stderr)
        return
    case.job = job
    seen = set()
    for _ in range(10):
        seen.add(browser.run("(document.querySelector('.job p') || {}).textContent"))
        time.sleep(0.15)
    assert len(seen) > 1, f"the page does not follow: {seen}"
    browser.click("form[action$=stop] button")
    for _ in range(100):
        # The page loads itself anew meanwhile.
        if "Nothing of it counts" in browser.run("(document.querySelector('main') || {}).textContent || ''"):
            break
        time.sleep(0.1)
    else:
        raise AssertionError("it does not say that it stopped")
    time.sleep(1)  # whatever still loads is not taken for the next page
    browser.run("1")
    same(json.loads(case.command("status", "--json"))["position"], position, "after stopping")


def pointing(browser, case):
    """A click on a point of the chart, and Enter on it, lead to where the value comes from."""
    browser.go(f"{case.site}/symbols/VOLA")
    box = browser.run("(() => { const b = document.querySelector('#chart svg').getBoundingClientRect();"
                      " return [b.left, b.top, b.width, b.height]; })()")
    x, y = box[0] + box[2] * 0.6, box[1] + box[3] * 0.2
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        pressed = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
        if kind == "mouseReleased":
            day = browser.run("document.getElementById('chart').dataset.day")
            browser.loaded(lambda: browser.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **pressed))
        else:
            browser.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **pressed)
            time.sleep(0.2)
    path = browser.run("location.pathname")
    assert re.fullmatch(rf"/why/(iv|hv|spot)/VOLA/{day}", path), (path, day)
    browser.go(f"{case.site}/symbols/VOLA?at=3")
    browser.run("document.getElementById('chart').focus()")
    browser.key("ArrowLeft", text="")
    time.sleep(0.2)
    day = browser.run("document.getElementById('chart').dataset.day")
    browser.loaded(lambda: browser.key("Enter"))
    same(browser.run("location.pathname + location.search"), f"/why/iv/VOLA/{day}?at=3", "Enter")
    # The script draws the batches of a single session too.
    browser.go(f"{case.site}/symbols/VOLA?from=2024-12-30&to=2024-12-30")
    time.sleep(0.2)
    assert browser.run("document.getElementById('readout').textContent").startswith("2024-12-30: ")
    shares = browser.run("(() => { const d = JSON.parse(document.getElementById('data').textContent);"
                         " return d.strips.map((strip, n) => document.querySelectorAll('#batches rect')[n]"
                         "?.getAttribute('width') / (d.right - d.left)); })()")
    assert shares and all(abs(share - 1) < 0.01 for share in shares), shares


def narrow(browser, case):
    """On a telephone pictures begin at their newest end; the table of batches fits a small window."""
    browser.look("390", "light")
    for path, box in (("/symbols/VOLA", "#chart"), ("/batches/b1", "#chart"), ("/rank", ".wide"),
                      ("/gaps/VOLB", ".wide")):
        browser.go(case.site + path)
        left, end = browser.run(f"(() => {{ const b = document.querySelector('{box}');"
                                " return [b.scrollLeft, b.scrollWidth - b.clientWidth]; })()")
        assert end > 100 and end - left < 2, f"{path} begins at {left} of {end}"
    browser.go(case.site + "/batches/b7?kind=all")
    high = browser.run("[...document.querySelectorAll('#diff tbody tr')].map((row) => row.clientHeight)")
    assert high and max(high) < 45, f"a day is broken: {high}"
    browser.look("1280", "light")
    browser.go(case.site + "/batches")
    over = browser.run("(() => { const b = document.querySelector('.scroll'); return b.scrollWidth - b.clientWidth; })()")
    same(over, 0, "what of the batches is outside")


def in_dutch(browser, case):
    """The link at the bottom gives Dutch pages, and the next page is Dutch too."""
    browser.go(f"{case.site}/symbols")
    browser.click("footer a[hreflang=nl]")
    same(browser.run("document.querySelector('h1').textContent"), "Symbolen", "the page")
    browser.click("nav a[href='/batches']")
    same(browser.run("document.documentElement.lang"), "nl", "the next page")
    browser.go(f"{case.site}/symbols/VOLA")
    same(browser.run("document.getElementById('in').getAttribute('aria-label')"), "Inzoomen", "a control")
    browser.click("footer a[hreflang=en]")
    same(browser.run("document.documentElement.lang"), "en", "back")


PAGES = {
    "home": "/", "batches": "/batches", "batch": "/batches/b7", "active": "/batches/b1",
    "changes": "/batches/b7?kind=all", "symbols": "/symbols", "symbol": "/symbols/VOLA",
    "past": "/symbols/VOLA?at=2", "why": "/why/iv/VOLA/2024-12-30", "rank": "/rank", "gaps": "/gaps",
    "calendar": "/gaps/VOLB", "vrp": "/vrp", "log": "/events", "entry": "/events/3", "event": "/events/b1/3",
    "audit": "/audit", "verify": "/verify", "projections": "/projections",
    "sql": "/sql?q=SELECT+date,+atm_iv+FROM+iv+LIMIT+20", "upload": "/upload", "error": "/batches/b999", "split": "/batches/SPLIT", "jobs": "/jobs", "job": "/jobs/1",
    "projection": "/projections/rich@2", "diff": "/projections/rich@2/diff", "dutch": "/symbols/VOLA?lang=nl",
}


def pages(case):
    """Every page with its address; what it is called is the name of its pictures."""
    return {"english": "/?lang=en", **PAGES, "job": case.job, "split": f"/batches/{case.split}"}


def accessible(browser, case, axe):
    """No page has a serious finding of axe-core, light or dark."""
    script, found = Path(axe).read_text(), []
    for name, path in pages(case).items():
        for theme in THEMES:
            browser.look("1280", theme)
            browser.go(case.site + path)
            browser.run(script + "; 0")
            held, result = browser.run("axe.run().then((r) => [r.passes.length, r.violations.map((v) => "
                                       "[v.id, v.impact, v.nodes.length, v.nodes[0].html.slice(0, 160)])])")
            assert held > 10, f"{name}: only {held} rules were looked at"
            found += [(name, theme, *one) for one in result]
    for one in found:
        print("axe", *one)
    same([one for one in found if one[3] in ("serious", "critical")], [], "serious findings")


def pictures(browser, case, folder):
    """Every page, light and dark, wide and narrow; none is wider than its window."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in pages(case).items():
        for size in SIZES:
            for theme in THEMES:
                browser.look(size, theme)
                browser.go(case.site + path)
                browser.run("document.querySelectorAll('details.split').forEach((one) => { one.open = true; })")
                over = browser.run("document.documentElement.scrollWidth - innerWidth")
                assert over <= 0, f"{name} at {size} is {over} px too wide"
                browser.picture(folder / f"{name}-{size}-{theme}.png")


def main():
    program = str(Path(sys.argv[1]).resolve())
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        print("SKIPPED: no chromium here; the page was not driven in a browser", file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as profile:
        case = Case(program, folder)
        browser = Browser(chromium, profile)
        browser.look("1280", "light")
        try:
            for step in (backfill, stale, by_keys, moved, splitting, working, pointing, narrow,
                         in_dutch):
                step(browser, case)
                print(f"ok  {step.__name__}: {step.__doc__}")
            if os.environ.get("AXE"):
                seen = len(browser.complaints)
                accessible(browser, case, os.environ["AXE"])
                print(f"ok  accessible: {accessible.__doc__}")
                browser.complaints = browser.complaints[:seen] + [
                    one for one in browser.complaints[seen:] if "b999" not in one]
            if len(sys.argv) > 2:
                # A refusal that is looked at on purpose is no complaint.
                complaints = list(browser.complaints)
                pictures(browser, case, sys.argv[2])
                new = browser.complaints[len(complaints):]
                browser.complaints = complaints + [one for one in new if "b999" not in one]
                print(f"ok  pictures: {len(pages(case)) * len(SIZES) * len(THEMES)} in {sys.argv[2]}")
            same(browser.complaints, [], "the browser's console")
            strange = [url for url in browser.requests
                       if not url.startswith((case.site, "data:", "about:"))]
            same(strange, [], "requests to others")
            print(f"ok  {len(browser.requests)} requests, all to the server; no complaint of the browser")
        finally:
            browser.close()
            case.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
