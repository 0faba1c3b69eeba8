"""Parquet: the rows of the CSV files, with the same types in every study."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from resnext_search.results import Journal
from resnext_search.results.tables.columns import PARETO, TRIALS, WHOLE, WORD
from resnext_search.results.tables.files import write_parquet
from resnext_search.results.tables.trials import pareto_table, trials_table

from tests.support.journals import ended_folder, new_folder, tables_of


def test_the_rows_are_those_of_the_tables(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        trials, pareto = write_parquet(folder, *tables_of(journal))
        for path, table in ((trials, trials_table(journal)), (pareto, pareto_table(journal))):
            read = pd.read_parquet(path)
            assert read.to_csv(index=False) == table.to_csv(index=False)
    assert not list(tmp_path.glob("*.part"))


def test_an_empty_study_has_the_types_of_any_other(tmp_path: Path) -> None:
    kinds = {column.name: column.kind for column in (*TRIALS, *PARETO)}
    ended = ended_folder(tmp_path / "ended")
    empty, journal = new_folder(tmp_path / "empty")
    with journal, Journal(ended.journal, read_only=True) as other:
        for one, another in zip(
            write_parquet(empty, *tables_of(journal)), write_parquet(ended, *tables_of(other)), strict=True
        ):
            schema = pq.read_schema(one)
            assert schema.equals(pq.read_schema(another))
            assert {str(schema.field(name).type) for name in schema.names if kinds[name] == WHOLE} == {"int64"}
            assert {str(schema.field(name).type) for name in schema.names if kinds[name] == WORD} <= {
                "string",
                "large_string",
            }
