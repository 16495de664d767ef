"""Shows rows of a hub's or a centre's store as JSON lines, while it runs.

Usage: look.py seen|receipts|centre FOLDER
  seen      what a hub's sources saw, with counter and wall time
  receipts  first versions of a hub's alerts of level 4: when it began, when the centre's receipt came
  centre    what a centre has stored: hub, alert, version, type
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

QUERIES = {
    "seen": (
        "SELECT sequence, wall, counter, CASE typeof(o.what) WHEN 'integer' THEN "
        "(SELECT p.what FROM phrase p WHERE p.number = o.what) ELSE o.what END AS what "
        "FROM observation o ORDER BY sequence"
    ),
    "receipts": (
        "SELECT id, at, received FROM alert "
        "WHERE level = 4 AND version = 1 AND received IS NOT NULL ORDER BY at, sequence"
    ),
    "centre": (
        "SELECT hub, alert_id, version, type, received FROM alert_versions ORDER BY received"
    ),
}


def main() -> None:
    wanted, folder = sys.argv[1], Path(sys.argv[2])
    files = sorted(folder.glob("*.db")) + sorted(folder.glob("*.sqlite*"))
    with closing(sqlite3.connect(f"file:{files[0]}?mode=ro", uri=True, timeout=10)) as store:
        store.row_factory = sqlite3.Row
        for row in store.execute(QUERIES[wanted]):
            shown = dict(row)
            if isinstance(shown.get("what"), str):
                shown["what"] = json.loads(shown["what"])
            print(json.dumps(shown))


main()
