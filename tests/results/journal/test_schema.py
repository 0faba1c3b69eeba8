"""How a journal is made: whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import tiny_study
from tests.support.journals import ended_folder, new_folder


def test_a_journal_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """Killed while it was made, a study leaves nothing that the next start would stumble over."""
    left_over = {"journal.sqlite.0123.part", "journal.sqlite.0123.part-journal"}
    for name in left_over:
        (tmp_path / name).write_bytes(b"half a journal, and what SQLite wanted to undo")
    folder, journal = new_folder(tmp_path)
    with journal:
        assert journal.study() == tiny_study()
    assert {path.name for path in tmp_path.iterdir()} == left_over | {folder.journal.name}


def test_a_journal_is_never_written_over(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    before = folder.journal.read_bytes()
    with pytest.raises(UsageError) as caught:
        Journal(folder.journal, study=tiny_study())
    assert str(caught.value) == f"{folder.journal}: exists already; a journal is never written over"
    assert folder.journal.read_bytes() == before
