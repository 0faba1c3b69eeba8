"""The tables of a study for programs that want types: `trials.parquet` and `pareto.parquet`.

Rows and columns are those of the CSV files. Whole numbers have 64 bits, and an empty cell is null, in every study.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.tables.trials import pareto_table, trials_table
from resnext_search.spaces.architecture.complexity import Complexity
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.search_space.knobs import KNOBS
from resnext_search.spaces.whole_file import whole_file, write_whole


def write_tables(folder: StudyFolder, journal: Journal, objectives: Sequence[str] | None = None) -> list[Path]:
    """Write `trials.csv` and `pareto.csv`; a reader never sees half a file.

    Returns:
        The files written.

    Raises:
        UsageError: An objective is unknown, or the folder cannot be written.
    """
    tables = {folder.trials: trials_table(journal), folder.pareto: pareto_table(journal, objectives)}
    for path, table in tables.items():
        try:
            write_whole(path, table.to_csv(index=False, lineterminator="\n"))
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    return list(tables)


WORDS = (
    "phase",
    "arm",
    "state",
    "architecture",
    "group_widths",
    "blocks",
    "proposed_by",
    "device",
    "host",
    "failure_class",
    "failure_message",
    "data",
    "correct",
)

WHOLE = (
    "trial",
    "seed",
    "cardinality",
    "width",
    "depth",
    *(name for name, facts in KNOBS.items() if facts.integer),
    *Complexity._fields,
    "epochs",
    "attempts",
    "micro_batches",
    "seeds",
)


def write_parquet(folder: StudyFolder, journal: Journal, objectives: Sequence[str] | None = None) -> list[Path]:
    """Write both files; a reader never sees half a file.

    Returns:
        The files written.

    Raises:
        UsageError: An objective is unknown, or the folder cannot be written.
    """
    tables = {
        folder.trials.with_suffix(".parquet"): trials_table(journal),
        folder.pareto.with_suffix(".parquet"): pareto_table(journal, objectives),
    }
    for path, table in tables.items():
        try:
            with whole_file(path) as draft:
                typed(table).to_parquet(draft, index=False)
        except OSError as error:
            raise UsageError(f"{path}: cannot be written: {error.strerror}") from error
    return list(tables)


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a type for every column, the same for every study; what is neither word nor whole is a float."""
    types = {name: "string" if name in WORDS else "Int64" if name in WHOLE else "Float64" for name in table.columns}
    return table.astype(types)
