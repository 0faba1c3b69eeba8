"""Which runs does a table hold? Anyone's table, or a study's own `trials.csv`, read and checked.

In a study only the trials that confirm are evidence: what was searched or tuned was chosen for its luck.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

import pandas as pd
from resnext_search.results.inference.sample import Run
from resnext_search.results.runs.cells import Cells
from resnext_search.results.runs.checks import COUNTS, contradictions, several_data_sets
from resnext_search.results.runs.complaints import Complaint, refuse
from resnext_search.results.runs.numbers import has_decimal_comma

NEEDED = ("arm", "seed", "test_error")
PERCENT = ("test_error", "validation_error")
OTHERS = ("seconds", "epochs", "data", "architecture", "correct", "fold", "phase", "state", "processor")
OF_TUNING = ("learning_rate", "validation_images")
COLUMNS = frozenset((*NEEDED, *COUNTS, *PERCENT, *OTHERS, *OF_TUNING))
# Of the index of a table that was read from a file: where its rows stand in it.
LINE = "line"


def column_name(written: object) -> str:
    """The name of a column that this package reads, however it was written; another name without spaces around it.

    >>> column_name(" Test Error (%) "), column_name("Multiply-Adds"), column_name(" Name")
    ('test_error', 'multiply_adds', 'Name')
    """
    text = str(written).strip()
    name = re.sub(r"[\s-]+", "_", re.sub(r"\s*[(\[]\s*%\s*[)\]]$", "", text.casefold()))
    return name if name in COLUMNS else text


def read_runs(table: pd.DataFrame) -> list[Run]:
    """The runs of a table, sorted by arm and seed; the trials of a search are left out.

    Args:
        table: One row a run, with at least the columns `NEEDED`. With a column `phase` it is a study's.

    Raises:
        UsageError: Something is missing, no number, out of range or there twice; the message names every kind of
            problem, and the first places of each.
    """
    table = table.set_axis([column_name(name) for name in table.columns], axis=1)
    complaints = list(_of_columns(table))
    refuse(complaints)
    decimal_comma = any(has_decimal_comma(cell) for name in PERCENT if name in table for cell in table[name])
    runs: list[Run] = []
    known = table[[name for name in table.columns if name in COLUMNS]]
    for number, (index, cells) in enumerate(zip(known.index, known.to_dict("records"), strict=True), start=1):
        where = f"line {index}" if table.index.name == LINE else f"row {number}"
        row = Cells(cells, where, complaints, decimal_comma)
        if (phase := row.phase()) != "search":
            runs.append(_run(row, phase))
    complaints += [*_half_a_study(table), *several_data_sets(table)]
    refuse(complaints or contradictions(runs))
    return sorted(runs, key=lambda run: (run.arm, run.seed))


def _of_columns(table: pd.DataFrame) -> Iterator[Complaint]:
    """Columns that are missing, or there twice; and a table without rows."""
    names = list(table.columns)
    missing = [name for name in NEEDED if name not in names]
    for name in missing:
        yield Complaint(name, "no such column")
    if missing:
        found = [repr(name[:40]) for name in names if name]
        more = f" and {len(found) - 20:,} more" if len(found) > 20 else ""
        yield Complaint("columns", (", ".join(found[:20]) + more) or "none", ", ".join(NEEDED) + ", and others")
    for name in dict.fromkeys(names):
        if name and names.count(name) > 1:  # without a name: numbers of rows, as pandas and R write them
            yield Complaint(name[:40], f"{names.count(name)} columns of that name", "one")
    if not missing and table.empty and "phase" not in names:
        yield Complaint("rows", "none", "one a run")


def _half_a_study(table: pd.DataFrame) -> Iterator[Complaint]:
    """Without its phase a trial of a search would be evidence."""
    if "phase" in table:
        empty = [Cells({"phase": cell}, "", [], False).read("phase", str, "") is None for cell in table["phase"]]
        if any(empty) and not all(empty):
            found = f"empty in {sum(empty)} of {len(empty)} rows"
            yield Complaint("phase", found, "a phase for every row, or for none")


def _run(row: Cells, phase: str) -> Run:
    error, state = row.number("test_error", 0, 100), row.state()
    return Run(
        arm=row.name() or "",
        seed=row.seed() or 0,
        phase=phase,
        state="failed" if (phase, state, error) == ("confirm", "completed", None) else state,
        test_error=error,
        correct=row.correct(),
        validation_error=row.number("validation_error", 0, 100),
        learning_rate=row.number("learning_rate", math.ulp(0.0)),
        validation_images=row.number("validation_images", 1),
        seconds=row.number("seconds", 0),
        epochs=row.number("epochs", 0),
        data=row.text("data"),
        architecture=row.text("architecture"),
        fold=row.fold(),
        multiply_adds=row.count("multiply_adds"),
        parameters=row.count("parameters"),
        activations=row.count("activations"),
    )
