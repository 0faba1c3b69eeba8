"""A journal of every schema that there was is read and continued as it was, or is left alone and that is said."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import EpochRow, Journal, LatencyRow
from resnext_search.results.journal.schema import SCHEMA_VERSION
from resnext_search.results.tables.trials import trials_table
from resnext_search.spaces.errors import ResnextSearchError, UsageError

from tests.results.journal.journal_fixtures import STUDY, fixture, restore, write_every_kind_of_fact
from tests.support.helpers import tiny_study
from tests.support.journals import FORECAST, HERE, MACHINE, epoch_row, new_folder, point
from tests.support.rights import without_rights_to

OLDER = range(1, SCHEMA_VERSION)
ALL = range(1, SCHEMA_VERSION + 1)


def content(path: Path) -> dict[str, Any]:
    """Tables and rows of a file, read without our code."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
        return {
            name: (sql, connection.execute(f"SELECT * FROM {name} ORDER BY rowid").fetchall()) for name, sql in tables
        }


def test_journals_that_were_made_without_a_birth_have_the_same(tmp_path: Path) -> None:
    """So what they left is taken by its version alone."""
    for version in ALL:
        restore(version, tmp_path / f"{version}.sqlite")
        with Journal(tmp_path / f"{version}.sqlite") as journal:
            assert journal.birth() == ""


def test_there_is_a_journal_and_a_step_of_every_schema_and_todays_tables_are_those_of_its_journal(
    tmp_path: Path,
) -> None:
    """If this fails since the schema was changed: its version was not raised, or no journal of it was kept."""
    assert all(fixture(version).exists() for version in ALL)
    restore(SCHEMA_VERSION, tmp_path / "kept.sqlite")
    new_folder(tmp_path / "new")[1].close()
    kept, new = content(tmp_path / "kept.sqlite"), content(tmp_path / "new" / "journal.sqlite")
    assert {name: sql for name, (sql, _) in kept.items()} == {name: sql for name, (sql, _) in new.items()}


@pytest.mark.parametrize("version", ALL)
def test_a_journal_of_any_schema_says_what_it_said(tmp_path: Path, version: int) -> None:
    """The first six trials are in all of them; later schemas have more kinds of facts."""
    path = tmp_path / "journal.sqlite"
    restore(version, path)
    before = path.read_bytes()
    with Journal(path, read_only=True) as journal:
        assert (journal.study().name, journal.study().rules) == ("tiny", 1 if version <= 6 else 2)
        trials = journal.trials()
        states = ["completed", "completed", "failed", "interrupted", "running", "queued"]
        more = {1: [], 2: ["completed"] * 2}.get(version, ["completed"] * 2 + ["stopped", "completed"])
        if version >= 5:
            states[4] = "interrupted"  # put back
        assert [trial.state for trial in trials] == states + more
        assert [trial.configuration for trial in trials[:3]] == [point(0), point(4, 0.2), point(3, 1.0)]
        assert (trials[0].validation_error, trials[0].device, trials[0].epochs) == (12.5, "cpu", 2)
        assert trials[2].failure_message == "Traceback ...\nthe loss is nan\n"
        assert trials[5].seed == 2**63 - 1
        assert journal.epochs(1) == [epoch_row(1, 90.0), epoch_row(2, 9.0)]
        assert journal.history("search")[:5] == [(0, 1, 90.0), (0, 2, 12.5), (1, 1, 90.0), (1, 2, 9.0), (3, 1, 80.0)]
        assert [(trial.alone, trial.micro_batches) for trial in trials[:4]] == [(False, 1)] * 4
        assert (trials[4].alone, trials[4].micro_batches) == ((True, 2) if version >= 5 else (False, 1))
        assert journal.latency(trials[0]) == (LatencyRow(1.5, 0.25) if version >= 4 else None)
        assert journal.latency(trials[1]) == (LatencyRow(2.5, 0.5) if version >= 9 else None)  # by a model's name
        if version >= 2:
            assert (trials[7].phase, trials[7].arm, trials[7].test_error) == ("confirm", "width", 50.0)
            assert trials[7].test_correct == "2:gA=="
            assert journal.epochs(7)[0] == EpochRow(1, 0.1, 2.0, None, None, 0.25)
        if version >= 3:
            assert [trial.stop_epoch for trial in trials[7:]] == [None, 1, 1]
        words = ["inconclusive"] if version >= 7 else []
        assert [look.word for look in journal.looks()] == words
        machines = [MACHINE] if version >= 8 else []
        assert list(journal.machines().values()) == machines
        assert [trial.machine for trial in trials[:2]] == [None, *[machine.key for machine in machines], None][:2]
        assert journal.forecast() == (FORECAST if version >= 8 else None)
        assert len(trials_table(journal)) == len(trials)
        with pytest.raises(ResnextSearchError, match="attempt to write a readonly database"):
            journal.enqueue("search", point(1), 0, "ax")
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("version", OLDER)
def test_a_journal_of_an_older_schema_is_continued_in_todays_and_kept_as_it_was(tmp_path: Path, version: int) -> None:
    path = tmp_path / "journal.sqlite"
    restore(version, path)
    before = content(path)
    with Journal(path, read_only=True) as journal:
        read = journal.trials()
    with Journal(path) as journal:
        assert journal.trials() == read
        assert journal.kept == tmp_path / f"journal-schema-{version}.sqlite"
        assert journal.interrupt_running() == sum(trial.state == "running" for trial in read)
        journal.start(4, "checkpoints/trial-00004.pt")
        journal.record_machine(4, MACHINE)
        assert journal.machines()[str(journal.trial(4).machine)] == MACHINE
        assert journal.record_epoch(4, epoch_row(2, 7.0), **HERE, final=True)
        journal.record_latency(point(1).architecture, LatencyRow(2.5, 0.0), **HERE)
        journal.record_look(10, "supported", planned=False)
        journal.keep_forecast({"workers": 1})
        assert [look.seeds for look in journal.looks()] == [*[5] * (version >= 7), 10]
        assert journal.enqueue("confirm", point(2), 1, "plan", arm="depth") == len(read)
        assert journal.history("search")[-1] == (4, 2, 7.0)
    assert content(tmp_path / f"journal-schema-{version}.sqlite") == before
    new_folder(tmp_path / "new")[1].close()
    new = content(tmp_path / "new" / "journal.sqlite")
    assert {name: sql for name, (sql, _) in content(path).items()} == {name: sql for name, (sql, _) in new.items()}
    with Journal(path) as again:  # and that was it
        assert again.kept is None
        assert len(again.trials()) == len(read) + 1


def test_a_journal_that_breaks_todays_rules_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    """Schema 2 knew no early stopping: a trial that it calls stopped was stopped at an epoch that nobody wrote down."""
    path = tmp_path / "journal.sqlite"
    restore(2, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE trials SET state = 'stopped', validation_error = NULL WHERE trial_id = 0")
    before = content(path)
    for read_only in (True, False):
        with pytest.raises(ResnextSearchError) as caught:
            Journal(path, read_only=read_only)
        assert str(caught.value).startswith(f"{path}: journal of schema 2 cannot be brought to schema {SCHEMA_VERSION}")
        assert "CHECK constraint failed: state <> 'stopped'" in str(caught.value)
        assert caught.value.hint == "It is left as it was. Use the version of resnext-search that made it."
    assert content(path) == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_migration_that_is_broken_off_leaves_the_old_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The copy cannot be written: what was done to the tables until then is undone."""
    path = tmp_path / "journal.sqlite"
    restore(1, path)
    before = content(path)

    def full_disk(_file: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(ResnextSearchError, match="no space left on device"):
        Journal(path)
    monkeypatch.undo()
    assert content(path) == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("version", [str(SCHEMA_VERSION + 1), "0", "-1", "5.0", "five", "9" * 30])
def test_a_journal_of_a_newer_or_unheard_of_schema_is_refused(tmp_path: Path, version: str) -> None:
    path = tmp_path / "journal.sqlite"
    restore(SCHEMA_VERSION, path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (version,))
    before = content(path)
    for read_only in (True, False):
        with pytest.raises(UsageError) as caught:
            Journal(path, read_only=read_only)
        assert str(caught.value) == (
            f"{path}: journal of schema {version}; this version reads schemas 1 to {SCHEMA_VERSION}"
        )
        assert caught.value.hint == "Use the version of resnext-search that made it."
        assert caught.value.exit_code == 2
    assert content(path) == before


def test_an_old_journal_can_be_read_where_nothing_can_be_written() -> None:
    with without_rights_to(lambda path: restore(1, path / "journal.sqlite")) as path:
        with Journal(path / "journal.sqlite", read_only=True) as journal:
            assert len(journal.trials()) == 6
        assert [entry.name for entry in path.iterdir()] == ["journal.sqlite"]


def test_the_kept_journal_has_every_kind_of_fact(tmp_path: Path) -> None:
    """What a new one is made with: nothing of it is lost when it is read again."""
    folder, journal = new_folder(tmp_path / "new", tiny_study(*STUDY))
    with journal:
        write_every_kind_of_fact(journal)
        made = journal.trials()
    restore(SCHEMA_VERSION, tmp_path / "kept.sqlite")
    with Journal(tmp_path / "kept.sqlite", read_only=True) as kept:
        assert [trial.state for trial in kept.trials()] == [trial.state for trial in made]
        assert {trial.state for trial in made} == {"completed", "failed", "interrupted", "queued", "stopped"}
    assert folder.journal.exists()
