"""The data dictionary: every column of every table has a meaning."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from resnext_search.results import Journal
from resnext_search.results.tables.columns import PARETO, TRIALS, Column
from resnext_search.results.tables.trials import PARETO_COLUMNS, trials_table

from tests.support.journals import ended_folder


def names(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]


def test_every_column_of_the_trials_has_one_meaning(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        assert sorted(names(TRIALS)) == sorted(trials_table(journal).columns)


def test_what_is_only_in_the_front_is_explained_there() -> None:
    assert set(PARETO_COLUMNS) <= set(names(TRIALS)) | set(names(PARETO))
    assert set(names(PARETO)) <= set(PARETO_COLUMNS)
