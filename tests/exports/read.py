"""Reads an exported file or directory with one of several programs; prints a JSON object a row.

Usage: read.py PROGRAM PATH VIEW. Missing values are left out.
"""

import datetime
import json
import sys

program, path, view = sys.argv[1:4]


def told(value):
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def give(rows):
    for row in rows:
        kept = {k: told(v) for k, v in row.items() if v is not None and v == v}
        kept.pop("series", None), kept.pop("year", None)
        print(json.dumps(kept))


if program == "pyarrow":
    import pyarrow.parquet

    give(pyarrow.parquet.read_table(path).to_pylist())
elif program == "pandas":
    import pandas

    give(pandas.read_parquet(path).to_dict(orient="records"))
elif program == "duckdb":
    import os
    import duckdb

    files = os.path.join(path, "*", "*.parquet") if os.path.isdir(path) else path
    query = duckdb.execute("SELECT * FROM read_parquet(?)", [files])
    names = [column[0] for column in query.description]
    give(dict(zip(names, row)) for row in query.fetchall())
elif program == "sqlite3":
    import sqlite3

    query = sqlite3.connect(path).execute(f"SELECT * FROM {view} ORDER BY rowid")
    names = [column[0] for column in query.description]
    give(dict(zip(names, row)) for row in query)
elif program == "openpyxl":
    import openpyxl

    book = openpyxl.load_workbook(path)
    sheet = book[view]
    assert sheet.freeze_panes == "A2" and all(cell.font.bold for cell in sheet[1]), view
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row), "a formula"
    rows = sheet.iter_rows(values_only=True)
    names = next(rows)
    give(dict(zip(names, row)) for row in rows)
else:
    sys.exit(f"no such program: {program}")
