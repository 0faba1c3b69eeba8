"""Which runs does a table hold? Anyone's table, or a study's own `trials.csv`, read and checked.

In a study only the trials that confirm are evidence: what was searched or tuned was chosen for its luck.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pandas as pd
from resnext_search.results.inference.sample import Run
from resnext_search.results.runs.cells import Cells
from resnext_search.results.runs.checks import contradictions, several_data_sets
from resnext_search.results.runs.columns import COLUMNS, COUNTS, PERCENT, column_name, state_column, wrong_columns
from resnext_search.results.runs.complaints import Complaint, refuse
from resnext_search.results.runs.numbers import comma_of

# In which a comma may stand, besides errors.
NUMBERS = ("seconds", "epochs", "learning_rate", "validation_images", *COUNTS)
# That say of a run that it failed, beside its error.
OF_FAILURE = ("failed", "diverged", "crashed")
_YES = frozenset(("true", "1", "1.0", "yes", *OF_FAILURE))
_NO = frozenset(("false", "0", "0.0", "no", "", "nan", "none", "<na>"))
FAILED = "a run that failed has the word failed in the column state, or no test_error"
# Of the index of a table that was read from a file: where its rows stand in it.
LINE = "line"


def read_runs(table: pd.DataFrame) -> list[Run]:
    """The runs of a table, sorted by arm and seed; the trials of a search are left out.

    Args:
        table: One row a run, with at least the columns `NEEDED`. With a column `phase` it is a study's.

    Raises:
        UsageError: Something is missing, no number, out of range or there twice; the message names every kind of
            problem, and the first places of each.
    """
    table = table.set_axis([column_name(name) for name in table.columns], axis=1)
    complaints = list(wrong_columns(list(table.columns)))
    if not complaints and table.empty and "phase" not in table:
        complaints.append(Complaint("rows", "none", "one a run"))
    refuse(complaints)
    of_states = state_column(list(table.columns))
    table = table.rename(columns={of_states: "state"})
    decimal_comma = comma_of(_cells(table, PERCENT), _cells(table, NUMBERS))
    runs: list[Run] = []
    known = table[[name for name in table.columns if name in COLUMNS]]
    wheres = [f"line {index}" if table.index.name == LINE else f"row {n}" for n, index in enumerate(table.index, 1)]
    of_failure = [name for name in table.columns if name.casefold() in OF_FAILURE and _is_of_words(table[name])]
    for where, cells, said in zip(wheres, known.to_dict("records"), table[of_failure].to_dict("records"), strict=True):
        row = Cells(cells, where, complaints, decimal_comma)
        if (phase := row.phase()) == "search":
            continue
        runs.append(run := _run(row, phase))
        if run.state == "completed":
            failed = [name for name, cell in said.items() if _word(cell) in _YES]
            complaints += [
                Complaint(str(name), f"{said[name]!s} in {where}, a run that is completed", FAILED) for name in failed
            ]
    complaints = [one._replace(column=of_states) if one.column == "state" else one for one in complaints]
    complaints += [*_half_a_study(table), *several_data_sets(table)]
    refuse(complaints or contradictions(runs))
    return sorted(_with_one_spelling(runs), key=lambda run: (run.arm, run.seed))


def _cells(table: pd.DataFrame, columns: Sequence[str]) -> Iterator[object]:
    for name in columns:
        if name in table:
            yield from table[name]


def _word(cell: object) -> str:
    return str(cell).strip().casefold()


def _is_of_words(cells: pd.Series) -> bool:
    """Whether a column says yes and no; one that counts something does not."""
    return {_word(cell) for cell in cells} <= _YES | _NO


def _with_one_spelling(runs: Sequence[Run]) -> list[Run]:
    """Data sets whose names differ by case alone are one."""
    names = {run.data.casefold(): run.data for run in sorted(runs, key=lambda run: run.data or "") if run.data}
    return [replace(run, data=names[run.data.casefold()]) if run.data else run for run in runs]


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
        processor=row.text("processor"),
        fold=row.fold(),
        multiply_adds=row.count("multiply_adds"),
        parameters=row.count("parameters"),
        activations=row.count("activations"),
    )
