"""The file of the journal: what was written stays, whatever happens to the writer, and damage is said."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.spaces.errors import ResnextSearchError, UsageError

from tests.support.journals import HERE, completed, ended_folder, epoch_row, new_folder, point, started
from tests.support.limits import files_end_at
from tests.support.rights import without_rights_to

ROOT = Path(__file__).parents[3]


def test_a_full_disk_is_said_and_loses_nothing(journal: Journal) -> None:
    number = completed(journal, point(0), 12.5)
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")

    def fill() -> None:
        while True:
            journal.enqueue("search", point(1), 0, "x" * 1000)

    with pytest.raises(ResnextSearchError) as caught:
        fill()
    assert str(caught.value) == f"{journal.path}: cannot be written: database or disk is full"
    journal.close()
    with Journal(journal.path) as again:
        trials = again.trials()
        assert (trials[number].state, trials[number].validation_error) == ("completed", 12.5)
        assert all(trial.state == "queued" for trial in trials[1:])
        assert again.enqueue("search", point(2), 0, "ax") == len(trials)


def test_a_journal_that_can_grow_no_more_keeps_what_it_has_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    """The operating system refuses the write itself: somewhere in the middle of SQLite's files."""
    folder, journal = new_folder(tmp_path)
    told: list[int] = []

    def fill() -> None:
        while True:
            told.append(completed(journal, point(len(told) % 8), 12.5))

    with journal:
        with files_end_at(200_000), pytest.raises(ResnextSearchError, match="cannot be written: ") as caught:
            fill()
        assert caught.value.hint.startswith("Make room on the disk, then give the same command again")
        journal.interrupt_running()
        assert completed(journal, point(0), 9.0) > len(told)
    with Journal(folder.journal, read_only=True) as again:
        assert again.damage() == []
        trials = again.trials()
        assert [trial.state for trial in trials[: len(told)]] == ["completed"] * len(told)
        assert len(told) > 3
        assert [trial.state for trial in trials[len(told) :]] == ["interrupted", "completed"]


def test_every_fact_is_a_durable_transaction(journal: Journal) -> None:
    assert journal._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert journal._connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    number = started(journal, point(0))
    statements: list[str] = []
    journal._connection.set_trace_callback(statements.append)
    journal.record_epoch(number, epoch_row(2, 12.5), **HERE, final=True)
    words = [statement.split()[0] for statement in statements]
    assert words == ["BEGIN", "INSERT", "UPDATE", "COMMIT"]  # the last epoch and the completion: both or neither


# ------------------------------------------------------------------ beside a writer, and after its death


def test_a_reader_sees_each_fact_of_a_live_writer_and_cannot_write(journal: Journal) -> None:
    with Journal(journal.path, read_only=True) as reader:
        assert reader.trials() == []
        number = completed(journal, point(0), 12.5)
        assert reader.trials() == journal.trials()
        with pytest.raises(ResnextSearchError, match="cannot be written: attempt to write a readonly database"):
            reader.fail(number, "ValueError", "")


WRITER = """
import sys
from pathlib import Path
from tests.support.journals import completed, epoch_row, new_folder, point, started
folder, journal = new_folder(Path(sys.argv[1]))
number = started(journal, point(0))
for epoch in range(1, 1_000_000):
    journal.record_epoch(number, epoch_row(epoch, 50.0), device="cpu", host="here", final=False)
    print(epoch, flush=True)  # said only when it is written
"""


def test_everything_that_was_written_is_there_after_kill_9(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
        assert writer.stdout is not None
        said = [int(writer.stdout.readline()) for _ in range(40)]
        os.kill(writer.pid, signal.SIGKILL)
        said += [int(line) for line in writer.stdout.read().split()]
    with Journal(tmp_path / "journal.sqlite") as journal:
        epochs = [row.epoch for row in journal.epochs(0)]
        assert epochs[: len(said)] == said
        assert len(epochs) - len(said) in (0, 1)  # killed between writing and saying
        assert journal.interrupt_running() == 1
        assert journal._connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


# ------------------------------------------------------------------ files that are no journal


def test_a_missing_journal_is_said_with_what_makes_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Journal(tmp_path / "journal.sqlite")
    assert str(caught.value) == f"{tmp_path}/journal.sqlite: no such journal"
    assert caught.value.hint == "Is this a study folder? `resnext-search run` makes one."
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_its_place_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such journal"):
        Journal(tmp_path)


@pytest.mark.parametrize("read_only", [True, False])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "no such table: meta"),
        (b"trial,architecture\n0,32x4d-50\n" * 100, "file is not a database"),
        (bytes(range(256)) * 64, "file is not a database"),
    ],
)
def test_a_file_that_is_no_journal_is_said_and_left_alone(
    tmp_path: Path, content: bytes, reason: str, read_only: bool
) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(content)
    with pytest.raises(ResnextSearchError) as caught:
        Journal(path, read_only=read_only)
    assert str(caught.value) == f"{path}: not readable as a journal: {reason}"
    assert caught.value.hint == "Restore the file from a copy, or start a new study."
    assert caught.value.exit_code == 1
    if content:
        assert path.read_bytes() == content


def test_a_database_of_something_else_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    other.close()
    with pytest.raises(ResnextSearchError, match="not readable as a journal: no schema_version in it"):
        Journal(path)


def test_damage_anywhere_in_the_file_is_said_and_never_a_wrong_table(tmp_path: Path) -> None:
    whole = ended_folder(tmp_path / "whole").journal.read_bytes()
    with Journal(tmp_path / "whole" / "journal.sqlite", read_only=True) as journal:
        trials = journal.trials()
    path, complaints = tmp_path / "journal.sqlite", []
    for page in range(1, len(whole) // 4096):
        damaged = bytearray(whole)
        damaged[page * 4096 : page * 4096 + 512] = b"\xff" * 512
        path.write_bytes(damaged)
        try:
            with Journal(path, read_only=True) as journal:
                journal.study()
                assert journal.trials() == trials
        except ResnextSearchError as error:
            complaints.append(str(error))
    assert set(complaints) == {f"{path}: not readable as a journal: database disk image is malformed"}
    assert len(complaints) >= 3  # the tables meta, trials and epochs each have a page


@pytest.mark.parametrize("length", [100, 4096, 9000])
def test_a_torn_file_is_said(tmp_path: Path, length: int) -> None:
    path = ended_folder(tmp_path).journal
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ResnextSearchError, match="not readable as a journal"), Journal(path, read_only=True) as journal:
        journal.trials()


def test_an_archived_journal_can_be_read_where_nothing_can_be_written() -> None:
    """SQLite makes two files beside one that it reads in WAL mode; on read-only media it cannot."""
    with without_rights_to(ended_folder) as path:
        with Journal(path / "journal.sqlite", read_only=True) as journal:
            assert len(journal.trials()) == 4
        assert [entry.name for entry in path.iterdir()] == ["journal.sqlite"]


def read_folder(path: Path) -> None:
    """A reader leaves SQLite's two files behind."""
    with Journal(ended_folder(path).journal, read_only=True) as journal:
        journal.trials()
    assert len(list(path.iterdir())) == 3


def test_an_archived_journal_can_be_read_that_was_read_before() -> None:
    with without_rights_to(read_folder) as path, Journal(path / "journal.sqlite", read_only=True) as journal:
        assert len(journal.trials()) == 4


def test_a_folder_that_was_moved_says_what_it_said(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path / "here")
    with Journal(folder.journal, read_only=True) as journal:
        trials = journal.trials()
    folder.path.rename(tmp_path / "elsewhere")
    with Journal(tmp_path / "elsewhere" / "journal.sqlite") as journal:
        assert journal.trials() == trials
        assert journal.enqueue("search", point(0), 0, "ax") == len(trials)
    assert not folder.path.exists()
