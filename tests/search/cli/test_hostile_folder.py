"""A study folder from somebody else: what stands in it is never a path elsewhere, and never runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.spaces.errors import StudyError, UsageError
from resnext_search.trainers.refit import load_network

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, new_folder, point, started
from tests.support.shell import Shell

ELSEWHERE = ("../victim", "/victim", "checkpoints/../../victim", "..", "\u202e", "C:\\victim", "a\nb")


@pytest.fixture
def victim(shell: Shell) -> Iterator[Path]:
    """A file beside the study folder, which is the only one there when all is over, and as it was."""
    path = shell.folder / "victim"
    path.write_text("precious")
    yield path
    assert path.read_text() == "precious"
    assert {entry.name for entry in shell.folder.iterdir()} == {"victim", "study"}


def test_no_word_of_the_journal_is_taken_for_a_path(shell: Shell, victim: Path) -> None:
    """Every text in it that a name could be: arm, checkpoint, device, host, failure."""
    folder, journal = new_folder(shell.folder / "study", tiny_study(TINY_CLAIM))
    with journal:
        for number, name in enumerate(ELSEWHERE):
            if number < 3:
                completed(journal, point(number), 10.0 + number)
            elif number < 5:
                completed(journal, point(number), 10.0, phase="tune")
            else:
                started(journal, point(number))
            where = str(victim) if name == "/victim" else name
            journal._connection.execute(
                "UPDATE trials SET arm = :where, checkpoint = :where, device = :where, host = :where, "
                "failure_class = :where WHERE trial_id = :number",
                {"where": where, "number": number},
            )
    for command in ("status", "best", "export", "doctor", "report", "verdict"):
        code, _, complaint = shell.ended(command, "study")
        assert code in (0, 2), complaint
        assert "unexpected" not in complaint
    assert folder.checkpoint(4) == folder.path / "checkpoints" / "trial-00004.pt"  # by its number, not by the journal


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_study_cannot_be_named_after_a_path(name: str) -> None:
    with pytest.raises(StudyError, match="name: found"):
        tiny_study(f"name={name!r}")


@pytest.mark.parametrize("name", ["../victim", "/etc/passwd", "os", "resnext_search.search.cli:main"])
@pytest.mark.parametrize("key", ["trainer.plugin", "data.name"])
def test_a_plug_in_is_named_and_never_imported_by_path(key: str, name: str) -> None:
    with pytest.raises(StudyError, match=f"{key}: found"):
        tiny_study(f"{key}={name!r}")


@pytest.mark.parametrize("number", ["'../../victim'", "1.5", "x'00'"])
def test_a_trial_cannot_be_numbered_by_anything_but_a_number(tmp_path: Path, number: str) -> None:
    """The number makes the name of its checkpoint, and SQLite takes no other."""
    folder, journal = new_folder(tmp_path)
    with journal:
        started(journal, point(0))
    with closing(sqlite3.connect(folder.journal)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"UPDATE trials SET trial_id = {number}")


@pytest.mark.parametrize("weights", ["../victim", "/etc/passwd", "..", "."])
def test_the_weights_of_a_network_lie_beside_the_file_that_names_them(tmp_path: Path, weights: str) -> None:
    (tmp_path / "victim").write_text("precious")
    model = StudyFolder(tmp_path / "study").model
    model.parent.mkdir()
    model.write_text(f'{{"format": "resnext-search-1", "weights": "{weights}", "weights_sha256": ""}}')
    with pytest.raises(UsageError, match="no network can be read from it"):
        load_network(model)


def test_a_table_that_is_a_view_or_has_a_trigger_does_nothing_elsewhere(tmp_path: Path) -> None:
    """SQL in the file is SQLite's, which has no way to another file: `ATTACH` is not allowed in a trigger."""
    folder, journal = new_folder(tmp_path / "study")
    journal.close()
    with (
        closing(sqlite3.connect(folder.journal)) as connection,
        pytest.raises(sqlite3.OperationalError, match="syntax"),
    ):
        connection.execute("CREATE TRIGGER t AFTER UPDATE ON trials BEGIN ATTACH 'victim' AS v; END")
    with Journal(folder.journal) as journal:
        assert journal.trials() == []
