#!/usr/bin/env python3
"""Checks a plain volledger bundle without volledger, written from src/ledger/FORMAT.md.

    volledger backup FILE --plain         (or: batch export B FILE --plain)
    python3 verify_bundle.py FILE         recompute everything; exit 0 sound, 1 not, 2 cannot tell
    python3 verify_bundle.py FILE --event b1/3    and print that event
"""
import datetime
import decimal
import gzip
import hashlib
import json
import sys
import zlib

try:
    from blake3 import blake3
except ImportError:
    print("the `blake3` package is needed: python3 -m pip install blake3", file=sys.stderr)
    sys.exit(2)

SERIES = dict(enumerate("iv hv spot bars chain contracts index news splits dividends calendar"
                        " quotes tickers earnings moves straddles".split(), 1))
FIELDS = {1: "<date>", 2: "<symbol>"}
for first, names in [
    (10, "atm_iv, iv30_ma20, options_volume, iv_rank (IV), iv_percentile (IV), iv_rank (HV), "
        "iv_percentile (HV), term_m1_m2, term_m1_m3, skew"),
    (40, "hv20, hv30, hv90, hv252"),
    (60, "close, open, high, low, volume, atr, vwap, transactions, t, otc, pre_market, after_hours"),
    (100, "implied_volatility, open_interest, delta, gamma, theta, vega, bid, ask, bid_size, "
        "ask_size, midpoint, bid_exchange, ask_exchange, quote_updated, quote_timeframe, "
        "last_price, last_size, last_exchange, last_conditions, last_updated, last_timeframe, "
        "open, high, low, close, volume, vwap, change, change_percent, previous_close, "
        "day_updated, underlying_price, underlying_ticker, underlying_updated, "
        "change_to_break_even, underlying_timeframe, underlying_value, break_even_price, "
        "strike_price, expiration_date, contract_type, shares_per_contract, exercise_style, fmv, "
        "fmv_updated"),
    (160, "contract_type, expiration_date, strike_price, shares_per_contract, exercise_style, "
        "primary_exchange, cfi, correction, additional_underlyings, underlying_ticker"),
    (180, "close, open, high, low, volume, vwap, transactions, t, otc"),
    (200, "close, open, high, low, t"),
    (220, "title, published_utc, id, publisher, description, keywords, tickers, sentiment, "
        "sentiment_reasoning, insights, amp_url, image_url, homepage_url, logo_url, favicon_url"),
    (250, "split_from, split_to, id, adjustment_type, historical_adjustment_factor"),
    (270, "cash_amount, currency, dividend_type, frequency, record_date, pay_date, "
        "declaration_date, distribution_type, historical_adjustment_factor, "
        "split_adjusted_cash_amount"),
    (290, "status, name, open, close"),
    (310, "value, name, type, market_status, session.open, session.high, session.low, "
        "session.close, session.volume, session.change, session.change_percent, "
        "session.previous_close, last_updated, timeframe"),
    (340, "name, market, locale, primary_exchange, type, active, currency_name, cik, "
        "composite_figi, share_class_figi, last_updated_utc, delisted_utc, market_cap, "
        "share_class_shares_outstanding"),
    (370, "timing, confirmed, fiscal_period_end, eps_actual, eps_estimate, currency, name, "
        "announced_by"),
    (390, "close_move, gap_move, intraday_move, prev_close, earnings_open, earnings_high, "
        "earnings_low, earnings_close, volume_before, volume_earnings"),
    (410, "straddle_cost, stock_price, atm_strike, call_mid, put_mid, implied_move, expiration, "
        "historical_mean, historical_median, historical_std, vrp_ratio, edge_score, "
        "recommendation, quarters_of_data, ml_predicted_move, ml_confidence"),
]:
    FIELDS.update(enumerate(names.split(", "), first))
STAGE = [("batch", "u"), ("content_id", "h"), ("batch_root", "h"), ("events", "u"),
         ("manifest", "h"), ("mapping_id", "s"), ("mapping_version", "u"), ("mapping", "h"),
         ("series", "b"), ("views", ["b", "b", "u"]), ("symbols", "u"), ("rows", ("u",) * 6),
         ("as_of", "i"), ("findings", ["s", "b", "u", "?u", "?i", "u", "s"]),
         ("supersedes", "?u"), ("again", "?s"), ("duplicates", ("u",) * 2)]
DECISION = [("action", "b"), ("changes", ["u", "b", "b"]), ("reason", "?s"), ("token", "?h"),
            ("base", "?u"), ("via", ("b", "u"))]
ENTRY = [("time_ms", "i"), ("actor", "s"), ("tool", "s"), ("kind", "b")]
SOURCE = ["h", "b", "s", "s", "u", "i", "b", "s"]
# Version 2 of an entry: a projection was added, promoted or dropped.
PROJECTION = [("time_ms", "i"), ("actor", "s"), ("tool", "s"), ("name", "s"), ("version", "u"),
              ("step", "b")]

# Version 3: events were erased. What is kept of each is in blocks of codec 3.
ERASURE = [("time_ms", "i"), ("actor", "s"), ("tool", "s"), ("reason", "s"),
           ("parts", ["u", "u", "h"])]
ERASED = [("seq", "u"), ("leaf", "h"), ("entry", "u"), ("series", "b"), ("symbol", "s"),
          ("day", "i"), ("source", "u")]
# Version 2 of a manifest: what was fetched, and what that says of the days that were asked.
FETCHED = ["h", "b", "s", "s", "u", "i", "b", "s", ("?", ("u", "u", "u", "u", ["s", "s"], "s"))]
COVERAGE = ["b", "s", "s", "i", "i", "b", "i", "i", "h", "s"]
BLOCK = [("window_first", "u"), ("window_events", "u"), ("events", "u"), ("series", "b"),
         ("symbols", ["s", "u"]), ("days", ("i", "i")), ("codec", "b"), ("raw_size", "u"),
         ("payload", "s*")]


class Wrong(Exception):
    """Something is not as recorded."""


def need(holds, what):
    if not holds:
        raise Wrong(what)


def table():
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        yield byte


TABLE = list(table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 255]
    return crc ^ 0xFFFFFFFF


class Reader:
    """Reads bytes in order: bincode's varints, and the LEB128 of canonical events."""

    def __init__(self, data, what):
        self.data, self.at, self.what = data, 0, what

    def take(self, count):
        self.at += count
        need(self.at <= len(self.data), f"{self.what} ends too early")
        return self.data[self.at - count:self.at]

    def end(self):
        need(self.at == len(self.data), f"{self.what} is longer than its content")

    def varint(self):
        first = self.take(1)[0]
        need(first < 254, f"{self.what} has an impossible number")
        width = {251: 2, 252: 4, 253: 8}.get(first, 0)
        value = int.from_bytes(self.take(width), "little") if width else first
        # One encoding a number: the shortest.
        need(value >= {0: 0, 2: 251, 4: 1 << 16, 8: 1 << 32}[width], f"{self.what} is not shortest")
        return value

    def leb(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                need(byte or not shift, f"{self.what} has a number that is not shortest")
                return value
            shift += 7

    def text(self):
        return self.take(self.leb()).decode("utf-8")

    def bincode(self, kind):
        if isinstance(kind, tuple) and kind[0] == "?":
            there = self.take(1)[0]
            need(there < 2, f"{self.what} has an impossible option")
            return self.bincode(kind[1]) if there else None
        if isinstance(kind, tuple):
            return [self.bincode(one) for one in kind]
        if isinstance(kind, list):
            return [[self.bincode(one) for one in kind] for _ in range(self.varint())]
        if kind[0] == "?":
            there = self.take(1)[0]
            need(there < 2, f"{self.what} has an impossible option")
            return self.bincode(kind[1:]) if there else None
        if kind in ("s", "s*"):
            raw = self.take(self.varint())
            return raw if kind == "s*" else raw.decode("utf-8")
        if kind in ("h", "b"):
            return self.take(32) if kind == "h" else self.take(1)[0]
        return self.varint() if kind == "u" else zigzag(self.varint())

    def struct(self, fields):
        return {name: self.bincode(kind) for name, kind in fields}


def zigzag(value):
    return value >> 1 ^ -(value & 1)


def tagged(data, tag, what):
    need(data[:2] == tag + b"\1", f"{what} does not begin like one")
    reader = Reader(data, what)
    reader.at = 2
    return reader


def read_entry(data, what):
    if data[:2] == b"E\3":
        reader = Reader(data, what)
        reader.at = 2
        entry = dict(reader.struct(ERASURE), kind=5)
        reader.end()
        return entry
    if data[:2] == b"E\2":
        reader = Reader(data, what)
        reader.at = 2
        entry = dict(reader.struct(PROJECTION), kind=4)
        need(1 <= entry["step"] <= 3, f"{what} is no known step of a projection")
        if reader.take(1)[0]:
            entry["definition"] = reader.bincode("s")
        reader.end()
        return entry
    reader = tagged(data, b"E", what)
    entry = reader.struct(ENTRY)
    for kind, fields in ((1, STAGE), (2, DECISION), (3, None)):
        there = reader.take(1)[0]
        need(there == (entry["kind"] == kind), f"{what} has not the part of its kind")
        if there:
            entry["body"] = reader.struct(fields) if fields else reader.bincode("s")
    reader.end()
    need("body" in entry, f"{what} is of no known kind")
    return entry


def read_event(data, what):
    reader = Reader(data, what)
    version, op, series = reader.take(3)
    known = version == 1 or version == 2 and op < 2
    need(known and op < 3 and series in SERIES, f"{what} is of no known kind")
    event = {"op": ("put", "retract", "reject")[op], "series": SERIES[series]}
    for name in ("source", "offset", "length", "line"):
        event[name] = reader.leb()
    if op == 2:
        event["code"], event["raw"] = reader.text(), reader.text()
    else:
        event["symbol"] = reader.text()
        days = datetime.timedelta(days=zigzag(reader.leb()))
        event["day"] = str(datetime.date(1970, 1, 1) + days)
        if version == 2:
            event["item"] = reader.text()
            need(event["item"], f"{what} has an item without text")
        event["fields"] = [read_field(reader, op) for _ in range(reader.leb())]
    reader.end()
    return event


def read_field(reader, op):
    code = reader.leb()
    name = reader.text() if code == 0 else FIELDS.get(code, f"field {code}")
    if op == 1 or code in (1, 2):
        return [name]
    form = reader.take(1)[0]
    if form <= 28:
        sign_and_digits = zigzag(reader.leb())
        return [name, str(decimal.Decimal(f"{sign_and_digits}e-{form}").__format__("f"))]
    need(0x40 <= form <= 0x45, f"{reader.what} has a value of no known form")
    return [name, (None, False, True)[form - 0x40] if form < 0x43 else reader.text()]


def root(leaves, hasher):
    """The tree of RFC 6962: an odd node goes up as it is."""
    level = list(leaves) or [hasher(b"").digest()]
    while len(level) > 1:
        pairs = zip(level[::2], level[1::2])
        odd = level[-1:] if len(level) % 2 else []
        level = [hasher(b"\1" + left + right).digest() for left, right in pairs] + odd
    return level[0]


class Bundle:
    """A bundle, checked frame by frame as it is read."""

    def __init__(self, file):
        self.file, self.stages, self.batches, self.events = file, {}, {}, 0
        # Of a source only size and places of its pieces are kept, not the bytes.
        self.sources, self.log, self.checkpoint = {}, [], None
        self.hasher, self.size, self.places, self.lengths = blake3(), 0, [], {}
        # What entries erased and what blocks have of it; sources that are not there.
        self.erasures, self.erased, self.absent = {}, {}, set()
        self.read()

    def read(self):
        order, last = b"", None
        while prefix := self.file.read(8):
            at = self.file.tell() - len(prefix)
            length = int.from_bytes(prefix[:4], "little")
            need(len(prefix) == 8 and 0 < length <= 80 << 20, f"the frame at {at} is not whole")
            body = self.file.read(length)
            need(len(body) == length, f"the frame at {at} is cut off")
            need(crc32c(body) == int.from_bytes(prefix[4:], "little"),
                 f"the frame at {at} does not match its CRC32C")
            kind, body = body[:1], body[1:]
            need(self.checkpoint is None, "something follows the checkpoint")
            if kind == b"S":
                cannot("its sources are compressed; write it with --plain")
            need(kind in b"HRZEBC", f"the frame at {at} is of no known kind")
            rank = b"HRZEBC".index(kind)
            need((rank == 0) == (not order), "it does not begin with one header")
            # Pieces and ends of sources alternate freely, then the parts follow each other.
            part = bytes([1 if rank == 2 else rank])
            need(order <= part, "the frames are not in order")
            need(kind in b"RZ" or not self.places, "a source has no end")
            order = part
            if kind == b"H":
                need(body[:20] == b"volledger bundle\1\0\0\0" and body[20:] in (b"\1", b"\2"),
                     "it is not a bundle of format 1")
                self.whole = body[20] == 1
            elif kind == b"R":
                self.hasher.update(body)
                self.size += len(body)
                self.places.append((at + 9, len(body)))
            elif kind == b"Z":
                self.source_end(body)
            elif kind == b"E":
                self.entry(body)
            elif kind == b"B":
                number, index = (int.from_bytes(body[i:i + 4], "little") for i in (0, 4))
                after = (last or (0, 0))
                need((number, index) == (after[0], after[1] + 1) and last
                     or number > after[0] and index == 0, "the blocks are not consecutive")
                last = number, index
                self.block(number, body[8:], f"block {index} of b{number}")
            else:
                self.checkpoint = int.from_bytes(body[:8], "little"), body[8:]
        need(self.checkpoint, "it is cut off: there is no checkpoint")

    def source_end(self, body):
        digest, size = body[:32], int.from_bytes(body[32:], "little")
        need(len(body) == 40 and size == self.size and self.hasher.digest() == digest,
             f"source {digest.hex()[:12]} does not match its BLAKE3 digest and size")
        self.sources[digest] = size, self.places
        self.hasher, self.size, self.places = blake3(), 0, []

    def source(self, digest, what):
        need(digest in self.sources, f"{what}, source {digest.hex()[:12]}, is not in the bundle")
        here = self.file.tell()
        parts = []
        for at, length in self.sources[digest][1]:
            self.file.seek(at)
            parts.append(self.file.read(length))
        self.file.seek(here)
        return b"".join(parts)

    def length(self, listed):
        """Bytes that events may point into: of a gzip file those that it unpacks to."""
        digest, size = listed[0], listed[4]
        if digest not in self.lengths:
            here = digest in self.sources and listed[2].endswith(".gz")
            raw = self.source(digest, "a source") if here else b""
            packed = raw[:2] == b"\x1f\x8b"
            try:
                self.lengths[digest] = len(gzip.decompress(raw)) if packed else size
            except (EOFError, OSError, zlib.error) as error:
                raise Wrong(f"{listed[2]} cannot be unpacked") from error
        return self.lengths[digest]

    def entry(self, body):
        position, data = int.from_bytes(body[:8], "little"), body[8:]
        need(position == len(self.log) + 1, "the control entries are not consecutive")
        entry = read_entry(data, f"entry #{position}")
        self.log.append(hashlib.sha256(b"\0" + data).digest())
        if entry["kind"] == 5:
            for number, count, digest in entry["parts"]:
                need(number in self.stages, f"entry #{position} erases of no batch")
                self.erasures[number, position] = count, digest
        if entry["kind"] == 1:
            stage = entry["body"]
            number = stage["batch"]
            need(number == len(self.stages) + 1 or not self.whole, "batches are not numbered on")
            data = self.source(stage["manifest"], "a manifest")
            if data[:2] == b"M\2":
                reader = Reader(data, "a manifest")
                reader.at = 2
                listed = reader.bincode(FETCHED)
                reader.bincode(COVERAGE)
            else:
                reader = tagged(data, b"M", "a manifest")
                listed = reader.bincode(SOURCE)
            reader.end()
            for digest, _, name, _, size, *_ in listed:
                if digest not in self.sources:
                    self.absent.add((digest, name, number))  # allowed when rows of it were erased
                    continue
                need(self.sources[digest][0] == size, f"{name} of b{number} has another size")
            self.source(stage["mapping"], "a mapping")
            self.stages[number] = stage, listed
            self.batches[number] = {}

    def block(self, number, data, what):
        need(number in self.stages, f"{what} belongs to no batch")
        need(blake3(data[:-32]).digest() == data[-32:], f"{what} does not match its seal")
        reader = tagged(data[:-32], b"B", what)
        block = reader.struct(BLOCK)
        reader.end()
        if block["codec"] == 3:
            self.kept(number, block, what)
            return
        if block["codec"] != 0:
            cannot("its blocks are packed; write it with --plain")
        need(block["raw_size"] == len(block["payload"]), f"{what} has another size")
        events, reader = self.batches[number], Reader(block["payload"], what)
        before, listed = len(events), self.stages[number][1]
        while reader.at < len(reader.data):
            seq = block["window_first"] + reader.leb()
            raw = reader.take(reader.leb())
            name = f"event b{number}/{seq + 1}"
            event = read_event(raw, name)
            need(seq not in events, f"{name} is there twice")
            need(event["source"] < len(listed), f"{name} names a source that is not listed")
            size = self.length(listed[event["source"]])
            need(event["offset"] + event["length"] <= size, f"{name} lies outside its source")
            events[seq] = blake3(b"\0" + raw).digest()
            if (number, seq) == WANTED:
                print(json.dumps(event | {"leaf": events[seq].hex()}, indent=2, ensure_ascii=False))
        need(len(events) - before == block["events"], f"{what} has another number of events")

    def kept(self, number, block, what):
        """What is left of erased events: their leaves, and who erased them."""
        reader, events = Reader(block["payload"], what), self.batches[number]
        count = reader.varint()
        need(count == block["events"], f"{what} has another number of events")
        for _ in range(count):
            start = reader.at
            one = reader.struct(ERASED)
            need(one["seq"] not in events, f"event b{number}/{one['seq'] + 1} is there twice")
            events[one["seq"]] = one["leaf"]
            raw = reader.data[start:reader.at]
            self.erased.setdefault((number, one["entry"]), []).append((one["seq"], raw, one))
        reader.end()

    def check_erased(self):
        need(set(self.erased) == set(self.erasures), "what is erased is not what entries erased")
        gone = set()
        for (number, position), records in self.erased.items():
            records.sort(key=lambda record: record[0])
            digest = blake3(b"".join(raw for _, raw, _ in records)).digest()
            need(self.erasures[number, position] == (len(records), digest),
                 f"what is left of b{number} is not as erased by entry #{position}")
            listed = self.stages[number][1]
            gone.update(listed[one["source"]][0] for _, _, one in records)
        for digest, name, number in self.absent:
            need(digest in gone, f"{name} of b{number} is not in the bundle")

    def check(self):
        self.check_erased()
        for number, (stage, listed) in self.stages.items():
            events = self.batches[number]
            need(len(events) == stage["events"],
                 f"b{number} has {len(events)} of its {stage['events']} events")
            need(set(events) == set(range(len(events))), f"the events of b{number} have gaps")
            leaves = [events[seq] for seq in range(len(events))]
            need(root(leaves, blake3) == stage["batch_root"], f"b{number} has another batch root")
            hasher = blake3(sized("volledger/content/1") + sized(SERIES[stage["series"]]))
            for digest, *_ in listed:
                hasher.update(digest)
            hasher.update(sized(stage["mapping_id"]) + sized(str(stage["mapping_version"])))
            hasher.update(sized(str(stage["events"])) + stage["batch_root"])
            need(hasher.digest() == stage["content_id"], f"b{number} has another content id")
            self.events += len(events)
        size, head = self.checkpoint
        need(size == len(self.log), f"the checkpoint says {size} entries, there are {len(self.log)}")
        need(self.whole or list(map(len, (self.log, self.stages))) == [1, 1], "not one batch")
        need(root(self.log, hashlib.sha256) == head, "the log does not give the checkpoint's root")
        need(WANTED is None or WANTED[1] in self.batches.get(WANTED[0], {}), "no such event")
        print(f"ok: {len(self.stages):,} batches, {self.events:,} events, {len(self.sources):,} "
              f"sources, log #{size} {head.hex()}")


def sized(text):
    raw = text.encode("utf-8")
    return len(raw).to_bytes(8, "little") + raw


def cannot(why):
    print(f"cannot check: {why}", file=sys.stderr)
    sys.exit(2)


def wanted(args):
    if not args:
        return None
    try:
        flag, name = args
        batch, number = name.removeprefix("b").split("/")
        assert flag == "--event"
        return int(batch), int(number) - 1
    except (ValueError, AssertionError):
        cannot("usage: verify_bundle.py FILE [--event b1/3]")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        cannot("usage: verify_bundle.py FILE [--event b1/3]")
    WANTED = wanted(sys.argv[2:])
    try:
        with open(sys.argv[1], "rb") as opened:
            Bundle(opened).check()
    except OSError as error:
        cannot(error)
    except (Wrong, ValueError, OverflowError) as error:
        print(f"NOT SOUND: {error}", file=sys.stderr)
        sys.exit(1)
