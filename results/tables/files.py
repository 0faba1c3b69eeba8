"""The tables of a study as files: `trials.csv`, `pareto.csv` and `effects.csv`, and two for programs that want types.

Rows and columns of `trials.parquet` and `pareto.parquet` are those of the CSV files. Whole numbers have 64 bits, and an
empty cell is null, in every study.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.search_summary import Effect
from resnext_search.results.tables.columns import EFFECTS, PARETO, TRIALS
from resnext_search.spaces.architecture.architecture import dashed
from resnext_search.spaces.whole_file import whole_file, write_whole, writing


def write_tables(folder: StudyFolder, trials: pd.DataFrame, front: pd.DataFrame) -> list[Path]:
    """Write `trials.csv` and `pareto.csv`; a reader never sees half a file.

    Args:
        folder: Of the study.
        trials: As `trials_table` makes it.
        front: As `pareto_table` makes it.

    Returns:
        The files written.

    Raises:
        UsageError: The folder cannot be written.
    """
    tables = {folder.trials: trials, folder.pareto: front}
    for path, table in tables.items():
        with writing(path):
            write_whole(path, table.to_csv(index=False, lineterminator="\n"))
    return list(tables)


def write_effects(folder: StudyFolder, effects: Sequence[Effect], trials: pd.DataFrame) -> Path:
    """Write `effects.csv`; without effects it has no rows.

    Args:
        folder: Of the study.
        effects: Of `SearchSummary`.
        trials: As `trials_table` makes it: it says how many completed with each value.

    Returns:
        The file.
    """
    completed = trials[(trials.phase == "search") & (trials.state == "completed")]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([column.name for column in EFFECTS])
    for effect in effects:
        best = effect.best.architecture
        table.writerow(
            [
                effect.axis,
                effect.value,
                *(f"{number:.3f}" for number in (effect.median, effect.low, effect.high)),
                best.name,
                dashed(best.blocks),
                dict(effect.best.knobs).get("learning_rate", ""),
                int((completed[effect.axis] == effect.value).sum()),
            ]
        )
    write_whole(folder.effects, text.getvalue())
    return folder.effects


def write_parquet(folder: StudyFolder, trials: pd.DataFrame, front: pd.DataFrame) -> list[Path]:
    """Write both tables; arguments, result and errors as of `write_tables`."""
    tables = {folder.trials.with_suffix(".parquet"): trials, folder.pareto.with_suffix(".parquet"): front}
    for path, table in tables.items():
        # opened here: pyarrow knows no names that are not UTF-8
        with writing(path), whole_file(path) as draft, draft.open("wb") as file:
            typed(table).to_parquet(file, index=False)
    return list(tables)


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a type for every column, the same for every study."""
    kinds = {column.name: column.kind for column in (*TRIALS, *PARETO)}
    return table.astype({name: kinds[name] for name in table.columns})
