"""Tables that grow by a row whenever something has been measured, as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path


def read(path: Path, columns: Iterable[str]) -> list[dict[str, str]]:
    """Rows of a table; it is made, with its head, if there is none."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(",".join(columns) + "\n")
    with path.open(newline="") as table:
        return list(csv.DictReader(table))


def append(path: Path, row: Iterable[object]) -> None:
    """Add a row to a table."""
    with path.open("a", newline="") as table:
        csv.writer(table, lineterminator="\n").writerow(row)
