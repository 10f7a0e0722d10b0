#!/usr/bin/env python3
"""Checks a volledger proof without volledger, written from src/ledger/FORMAT.md.

    volledger prove b7/3 -O row.proof
    python3 verify_proof.py row.proof --key VKEY     exit 0 proven, 1 not, 2 cannot tell

Needs the `blake3` package for proofs of rows, and nothing else: ed25519 (RFC 8032) is below.
"""
import base64
import datetime
import decimal
import hashlib
import json
import sys

from verify_bundle import FIELDS, SERIES, Reader, Wrong, blake3, cannot, need, read_entry, zigzag

TITLE = "volledger proof 1\n"
ACTIONS = " commit discard rollback reinstate supersede".split(" ")
STATES = " staged active discarded rolled-back superseded".split(" ")
STEPS = " projection-add projection-promote projection-drop".split(" ")

# The curve of RFC 8032: points as (x, y, z, x y / z).
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def add(a, b):
    left, right = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    cross, double = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    e, f, g, h = right - left, double - cross, double + cross, right + left
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(count, point):
    sum_ = (0, 1, 1, 0)
    while count:
        if count & 1:
            sum_ = add(sum_, point)
        point, count = add(point, point), count >> 1
    return sum_


def point(raw):
    y = int.from_bytes(raw, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    need(y < P, "a point is not on the curve")
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    need((x * x - square) % P == 0 and (x or not sign), "a point is not on the curve")
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))


def signed(public, message, signature):
    need(len(signature) == 64, "a signature has 64 bytes")
    s = int.from_bytes(signature[32:], "little")
    need(s < ORDER, "the signature is not in its form")
    challenge = hashlib.sha512(signature[:32] + public + message).digest()
    k = int.from_bytes(challenge, "little") % ORDER
    left, right = times(s, BASE), add(point(signature[:32]), times(k, point(public)))
    return all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))


def decoded(text, length=None):
    raw = base64.b64decode(text, validate=True)
    need(base64.b64encode(raw).decode() == text, "base64 in another form")
    need(length in (None, len(raw)), "a hash has 32 bytes")
    return raw


class Key:
    """A verifier key: name+hash+base64."""

    def __init__(self, text):
        self.name, number, code = text.split("+", 2)
        typed = decoded(code, 33)
        need(self.name and typed[0] == 1, "the key is not of ed25519")
        self.public = typed[1:]
        self.id = hashlib.sha256(self.name.encode() + b"\n" + typed).digest()[:4]
        need(self.id.hex() == number, "the key's hash does not fit")


def checkpoint(note, key):
    """Size and root of a signed note that this key signed."""
    text, lines = note[:note.rindex("\n\n") + 1], note[note.rindex("\n\n") + 2:]
    need(lines.endswith("\n"), "the note is cut off")
    found = False
    for line in lines[:-1].split("\n"):
        dash, name, code = line.split(" ")
        need(dash == "\u2014", "a signature line has another form")
        raw = decoded(code)
        if (name, raw[:4]) == (key.name, key.id):
            need(signed(key.public, text.encode(), raw[4:]), "the signature does not fit")
            found = True
    need(found, "it is not signed with this key")
    origin, size, root, *rest = text.split("\n")
    need(origin == key.name and rest == [""], "it is not a checkpoint of this key's log")
    need(str(int(size)) == size, "the size is not in its form")
    return int(size), decoded(root, 32)


def node(hasher, left, right):
    return hasher(b"\1" + left + right).digest()


def included(hasher, data, index, size, path, root):
    """RFC 9162, 2.1.3.2."""
    need(0 <= index < size, "there is no such leaf")
    at, last, here = index, size - 1, hasher(b"\0" + data).digest()
    for beside in path:
        need(last, "the path is too long")
        if at & 1 or at == last:
            here = node(hasher, beside, here)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            here = node(hasher, here, beside)
        at, last = at >> 1, last >> 1
    need(last == 0 and here == root, "the path does not lead to the root")


def consistent(old, old_root, new, new_root, path):
    """RFC 9162, 2.1.4.2."""
    if old == new or old == 0:
        empty = old_root == (new_root if old == new else hashlib.sha256().digest())
        return need(old <= new and not path and empty, "the roots differ")
    need(old < new, "the first log is the longer one")
    path = [old_root] * (old & old - 1 == 0) + path
    need(path, "the path is empty")
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    left = right = path[0]
    for beside in path[1:]:
        need(last, "the path is too long")
        if at & 1 or at == last:
            left, right = (node(hashlib.sha256, beside, one) for one in (left, right))
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            right = node(hashlib.sha256, right, beside)
        at, last = at >> 1, last >> 1
    need((last, left, right) == (0, old_root, new_root), "the path does not lead to both roots")


def word(text):
    plain = text and all("!" <= c <= "~" and c not in '"\\=' for c in text)
    return text if plain else json.dumps(text)


def value(reader):
    form = reader.take(1)[0]
    if form <= 28:
        return format(decimal.Decimal(f"{zigzag(reader.leb())}e-{form}"), "f")
    need(0x40 <= form <= 0x45, "a value of no known form")
    if form < 0x43:
        return ("null", "false", "true")[form - 0x40]
    return word(reader.text()) if form == 0x43 else json.dumps(reader.text())


def row_says(data):
    reader = Reader(data, "the row")
    version, op, series = reader.take(3)
    need(version in (1, 2) and op < 3 and series in SERIES, "a row of no known kind")
    for _ in range(4):
        reader.leb()
    said = [("put", "retract", "reject")[op], SERIES[series], word(reader.text())]
    if op == 2:
        said.append(json.dumps(reader.text()))
    else:
        days = datetime.timedelta(days=zigzag(reader.leb()))
        said.append(str(datetime.date(1970, 1, 1) + days))
        if version == 2:
            said.append(word(reader.text()))
        for _ in range(reader.leb()):
            code = reader.leb()
            name = word(reader.text() if code == 0 else FIELDS.get(code, f"field{code}"))
            if code not in (1, 2):
                said.append(name if op else f"{name}={value(reader)}")
    reader.end()
    return " ".join(said)


def entry_says(position, entry):
    when = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=entry["time_ms"] // 1000)
    said = [f"#{position}", f"{when:%Y-%m-%dT%H:%M:%SZ}", word(entry["actor"])]
    body = entry.get("body")
    if entry["kind"] == 1:
        said += [f"stage b{body['batch']}", f"events={body['events']}",
                 f"series={SERIES[body['series']]}",
                 f"mapping={word(body['mapping_id'])}/{body['mapping_version']}",
                 f"content={body['content_id'].hex()}"]
    elif entry["kind"] == 2:
        said.append(ACTIONS[body["action"]])
        said += [f"b{batch}:{STATES[after]}" for batch, _, after in body["changes"]]
        if body["reason"] is not None:
            said.append(f"reason={json.dumps(body['reason'])}")
    elif entry["kind"] == 3:
        said.append(f"note {json.dumps(body)}")
    elif entry["kind"] == 5:
        said.append("erase")
        said += [f"b{batch}:{events}" for batch, events, _ in entry["parts"]]
        said.append(f"reason={json.dumps(entry['reason'])}")
    else:
        said.append(f"{STEPS[entry['step']]} {entry['name']}@{entry['version']}")
    return " ".join(said)


def after(line, name):
    need(line.startswith(name + " "), f"no line `{name}`")
    return line[len(name) + 1:]


def lines_of_log(text):
    """C2SP's tlog-proof: the index, the path, and the checkpoint behind it."""
    head, note = text.split("\n\n", 1)
    title, index, *path = head.split("\n")
    need(title == "c2sp.org/tlog-proof@v1", "no tlog-proof")
    index = after(index, "index")
    need(str(int(index)) == index, "the index is not in its form")
    return int(index), [decoded(line, 32) for line in path], note


def check(text, key):
    need(text.startswith(TITLE), "this is no proof")
    body = text[len(TITLE):]
    if body.startswith("consistency\n\n"):
        old, rest = body[len("consistency\n\n"):].split("\n\nold ", 1)
        head, new = rest.split("\n\n", 1)
        said, *path = head.split("\n")
        old, new = checkpoint(old + "\n", key), checkpoint(new, key)
        need(said == str(old[0]), "another size than that of the checkpoint")
        consistent(*old, *new, [decoded(line, 32) for line in path])
        return f"the log at #{new[0]} begins with the log at #{old[0]}"
    head, rest = body.split("\n\n", 1)
    index, log_path, note = lines_of_log(rest)
    *row, entry, says = head.split("\n")
    data = decoded(after(entry, "entry"))
    size, root = checkpoint(note, key)
    included(hashlib.sha256, data, index, size, log_path, root)
    entry = read_entry(data, "the entry")
    said = entry_says(index + 1, entry)
    need(after(says, "says") == said, "it says something else than its bytes")
    if not row:
        return f"{said}: in the log at #{size}"
    event, says, data, *path = row
    batch, number = after(event, "event").removeprefix("b").split("/")
    need(after(event, "event") == f"b{int(batch)}/{int(number)}", "the event is not in its form")
    data, stage = decoded(after(data, "row")), entry["body"]
    need(entry["kind"] == 1 and stage["batch"] == int(batch), "the entry is not the batch's seal")
    path = [decoded(after(line, "path"), 32) for line in path]
    included(blake3, data, int(number) - 1, stage["events"], path, stage["batch_root"])
    said = row_says(data)
    need(after(says, "says") == said, "it says something else than its bytes")
    return f"{said}: row {number} of b{batch}, #{index + 1} of the log at #{size}"


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[2] != "--key":
        cannot("usage: verify_proof.py FILE --key VKEY")
    try:
        with open(sys.argv[1], "rb") as opened:
            proof = opened.read().decode("utf-8")
        print("proven:", check(proof, Key(sys.argv[3])))
    except OSError as error:
        cannot(error)
    except (Wrong, ValueError, OverflowError, IndexError, KeyError, TypeError) as error:
        print(f"NOT PROVEN: {error}", file=sys.stderr)
        sys.exit(1)
