"""The data dictionary: every column of every table has a meaning."""

from __future__ import annotations

from pathlib import Path

from resnext_search.results import Journal
from resnext_search.results.tables.columns import PARETO, TRIALS
from resnext_search.results.tables.trials import PARETO_COLUMNS, trials_table

from tests.support.journals import ended_folder


def columns(meanings: dict[str, str]) -> list[str]:
    return [column for key in meanings for column in key.split(", ")]


def test_every_column_of_the_trials_has_one_meaning(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        assert sorted(columns(TRIALS)) == sorted(trials_table(journal).columns)


def test_what_is_only_in_the_front_is_explained_there() -> None:
    assert set(PARETO_COLUMNS) <= set(columns(TRIALS)) | set(columns(PARETO))
    assert set(columns(PARETO)) <= set(PARETO_COLUMNS)
