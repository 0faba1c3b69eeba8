"""The journal: one transaction a fact, and what was written stays, whatever happens to the writer or the file."""

from __future__ import annotations

import dataclasses
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.results import Journal, LatencyRow
from resnext_search.spaces.errors import ResnextSearchError, UsageError

from tests.helpers import tiny_study
from tests.journals import completed, ended_folder, epoch_row, new_folder, point, started
from tests.rights import without_rights_to

HERE = {"device": "cpu", "host": "here"}


ROOT = Path(__file__).parents[2]


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with new_folder(tmp_path)[1] as journal:
        yield journal


def state(journal: Journal, number: int = 0) -> str:
    return journal.trials()[number].state


# ------------------------------------------------------------------ facts


def test_a_new_journal_knows_its_study_and_has_no_trials(journal: Journal) -> None:
    assert journal.study() == tiny_study()
    assert journal.trials() == []
    assert journal.epochs(0) == []


def test_the_study_can_be_replaced_and_survives_closing(journal: Journal) -> None:
    journal.change_study(tiny_study("search.trials=9"))
    journal.close()
    with Journal(journal.path) as again:
        assert again.study() == tiny_study("search.trials=9")


def test_trials_are_numbered_from_0_in_the_order_of_their_proposals(journal: Journal) -> None:
    assert [journal.enqueue("search", point(index), index, "sobol") for index in (5, 2, 7)] == [0, 1, 2]
    assert [trial.configuration for trial in journal.trials()] == [point(5), point(2), point(7)]
    assert [trial.seed for trial in journal.trials()] == [5, 2, 7]


def test_a_trial_goes_from_queued_through_running_to_completed(journal: Journal) -> None:
    before = time.time()
    number = journal.enqueue("search", point(1, 0.25), 2**63 - 1, "ax", arm="width")
    [queued] = journal.trials()
    assert (queued.state, queued.attempts, queued.epochs, queued.seconds) == ("queued", 0, 0, 0.0)
    assert (queued.phase, queued.arm, queued.proposed_by, queued.seed) == ("search", "width", "ax", 2**63 - 1)
    assert before <= queued.queued_at <= time.time()
    assert [queued.started_at, queued.ended_at, queued.validation_error, queued.device, queued.host] == [None] * 5

    journal.start(number, "checkpoints/trial-00000.pt")
    [running] = journal.trials()
    assert (running.state, running.attempts) == ("running", 1)
    assert running.checkpoint == "checkpoints/trial-00000.pt"

    assert journal.record_epoch(number, epoch_row(1, 80.0), **HERE, final=False) is False
    assert state(journal) == "running"
    assert journal.record_epoch(number, epoch_row(2, 12.5), **HERE, final=True) is True
    [ended] = journal.trials()
    assert (ended.state, ended.validation_error, ended.test_error) == ("completed", 12.5, None)
    assert (ended.device, ended.host, ended.checkpoint) == ("cpu", "here", None)
    assert (ended.epochs, ended.seconds) == (2, 0.5)
    assert running.started_at is not None
    assert ended.ended_at is not None
    assert queued.queued_at <= running.started_at <= ended.ended_at
    assert journal.epochs(number) == [epoch_row(1, 80.0), epoch_row(2, 12.5)]


def test_a_configuration_comes_back_to_the_last_bit(journal: Journal) -> None:
    configuration = point(6, 0.1 + 0.2)
    journal.enqueue("search", configuration, 0, "sobol")
    assert journal.trials()[0].configuration == configuration


def test_an_epoch_reported_twice_counts_once_and_keeps_its_first_value(journal: Journal) -> None:
    number = started(journal, point(0))
    journal.record_epoch(number, epoch_row(1, 80.0), **HERE, final=False)
    journal.record_epoch(number, epoch_row(1, 70.0), **HERE, final=False)
    assert journal.epochs(number) == [epoch_row(1, 80.0)]


def test_a_trial_is_completed_once(journal: Journal) -> None:
    number = completed(journal, point(0), 12.5)
    before = journal.trials()
    assert journal.record_epoch(number, epoch_row(2, 99.0), **HERE, final=True) is False
    assert journal.trials() == before


def test_only_a_running_trial_can_fail(journal: Journal) -> None:
    number = journal.enqueue("search", point(0), 0, "sobol")
    assert journal.fail(number, "RuntimeError", "no disk") is False
    assert state(journal) == "queued"
    journal.start(number, "x")
    assert journal.fail(number, "RuntimeError", "no disk") is True
    [failed] = journal.trials()
    assert (failed.state, failed.failure_class, failed.failure_message) == ("failed", "RuntimeError", "no disk")
    assert failed.validation_error is None
    assert journal.fail(number, "ValueError", "again") is False
    assert journal.trials() == [failed]


def test_only_a_queued_or_interrupted_trial_can_start(journal: Journal) -> None:
    number = completed(journal, point(0), 12.5)
    before = journal.trials()
    journal.start(number, "x")
    assert journal.trials() == before


def test_a_trial_that_was_put_back_waits_with_its_epochs_and_with_more_room(journal: Journal) -> None:
    running, ended = started(journal, point(1)), completed(journal, point(0), 12.5)
    journal.record_epoch(running, epoch_row(1, 80.0), **HERE, final=False)
    before = journal.trial(ended)

    journal.put_back(running, alone=True, micro_batches=2)
    journal.put_back(ended, alone=True, micro_batches=2)

    back = journal.trial(running)
    assert (back.state, back.alone, back.micro_batches, back.epochs) == ("interrupted", True, 2, 1)
    assert journal.trial(ended) == before
    assert (before.alone, before.micro_batches) == (False, 1)


def test_what_ran_is_interrupted_and_can_start_again_and_what_waits_still_waits(journal: Journal) -> None:
    completed(journal, point(0), 12.5)
    running = started(journal, point(1))
    journal.record_epoch(running, epoch_row(1, 80.0), **HERE, final=False)
    journal.enqueue("search", point(2), 0, "sobol")
    journal.fail(started(journal, point(3)), "ValueError", "")
    first_start = journal.trials()[running].started_at

    assert journal.interrupt_running() == 1
    assert [trial.state for trial in journal.trials()] == ["completed", "interrupted", "queued", "failed"]
    assert journal.interrupt_running() == 0

    journal.start(running, "x")
    again = journal.trials()[running]
    assert (again.state, again.attempts, again.epochs, again.started_at) == ("running", 2, 1, first_start)


def test_trials_can_be_chosen_by_phase_and_state(journal: Journal) -> None:
    completed(journal, point(0), 12.5)
    completed(journal, point(1), 12.5, phase="tune")
    started(journal, point(2))
    assert [trial.trial_id for trial in journal.trials(phase="search")] == [0, 2]
    assert [trial.trial_id for trial in journal.trials(states=["completed"])] == [0, 1]
    assert [trial.trial_id for trial in journal.trials(phase="search", states=["completed", "failed"])] == [0]
    assert journal.trials(phase="confirm") == []


def test_a_row_that_breaks_a_rule_of_the_table_changes_nothing(journal: Journal) -> None:
    number = started(journal, point(0))
    with pytest.raises(sqlite3.IntegrityError):  # SQLite has no NaN: it would be a missing value
        journal.record_epoch(number, epoch_row(1, float("nan")), **HERE, final=True)
    assert state(journal) == "running"
    assert journal.epochs(number) == []
    assert journal.record_epoch(number, epoch_row(1, 5.0), **HERE, final=True)  # and the journal goes on


def test_a_trial_that_confirms_has_a_test_error_and_no_other(journal: Journal) -> None:
    number = started(journal, point(0), phase="confirm")
    row = dataclasses.replace(epoch_row(2, 0.0), validation_loss=None, validation_error=None)
    with pytest.raises(sqlite3.IntegrityError):
        journal.record_epoch(number, row, **HERE, final=True)
    with pytest.raises(sqlite3.IntegrityError):
        journal.record_epoch(number, epoch_row(2, 5.0), **HERE, final=True, test_error=5.0, test_correct="1:gA==")
    assert journal.record_epoch(number, row, **HERE, final=True, test_error=5.0, test_correct="1:gA==")
    trial = journal.trial(number)
    assert (trial.validation_error, trial.test_error, trial.test_correct) == (None, 5.0, "1:gA==")


def test_a_trial_is_stopped_in_the_transaction_of_its_epoch_and_its_error_is_none_of_full_length(
    journal: Journal,
) -> None:
    number = started(journal, point(0))
    statements: list[str] = []
    journal._connection.set_trace_callback(statements.append)
    assert journal.record_epoch(number, epoch_row(1, 80.0), **HERE, final=False, stop="stopped") is True
    assert [statement.split()[0] for statement in statements] == ["BEGIN", "INSERT", "UPDATE", "UPDATE", "COMMIT"]
    trial = journal.trial(number)
    assert (trial.state, trial.epochs, trial.stop_epoch, trial.validation_error) == ("stopped", 1, 1, None)
    assert (trial.checkpoint, trial.ended_at is not None) == (None, True)
    assert journal.record_epoch(number, epoch_row(2, 5.0), **HERE, final=True) is False  # it stays stopped
    assert journal.trial(number).state == "stopped"


def test_an_audited_trial_goes_on_and_it_is_known_when_it_would_have_been_stopped(journal: Journal) -> None:
    number = started(journal, point(0))
    assert journal.record_epoch(number, epoch_row(1, 80.0), **HERE, final=False, stop="audited") is False
    assert state(journal) == "running"
    assert journal.record_epoch(number, epoch_row(2, 12.5), **HERE, final=True) is True
    trial = journal.trial(number)
    assert (trial.state, trial.stop_epoch, trial.validation_error) == ("completed", 1, 12.5)


def test_the_history_of_a_phase_is_in_the_order_in_which_it_was_recorded(journal: Journal) -> None:
    first, second, other = (started(journal, point(n), phase=p) for n, p in enumerate(("search", "search", "tune")))
    for number, epoch, error in ((second, 1, 70.0), (first, 1, 80.0), (other, 1, 1.0), (second, 2, 60.0)):
        journal.record_epoch(number, epoch_row(epoch, error), **HERE, final=False)
    assert journal.history("search") == [(second, 1, 70.0), (first, 1, 80.0), (second, 2, 60.0)]


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


def test_every_fact_is_a_durable_transaction(journal: Journal) -> None:
    assert journal._connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert journal._connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    number = started(journal, point(0))
    statements: list[str] = []
    journal._connection.set_trace_callback(statements.append)
    journal.record_epoch(number, epoch_row(2, 12.5), **HERE, final=True)
    words = [statement.split()[0] for statement in statements]
    assert words == ["BEGIN", "INSERT", "UPDATE", "COMMIT"]  # the last epoch and the completion: both or neither


# ------------------------------------------------------------------ latencies


def test_a_latency_is_that_of_an_architecture_on_a_device_and_is_written_once(journal: Journal) -> None:
    first, same, other = (started(journal, point(*where)) for where in ((0, 0.1), (0, 0.9), (1, 0.1)))
    assert journal.latency(journal.trial(first)) is None
    statements: list[str] = []
    journal._connection.set_trace_callback(statements.append)
    journal.record_latency(point(0).architecture, LatencyRow(1.5, 0.25), **HERE)
    assert [statement.split()[0] for statement in statements] == ["BEGIN", "INSERT", "COMMIT"]
    journal.record_latency(point(0).architecture, LatencyRow(9.0, 0.0), **HERE)  # by a trial that ran beside it
    journal.record_latency(point(0).architecture, LatencyRow(0.5, 0.0), device="cuda", host="here")

    assert journal.measured_on(point(0, 0.5).architecture) == ["cpu", "cuda"]
    assert journal.measured_on(point(1).architecture) == []
    assert journal.latency(journal.trial(first)) == LatencyRow(1.5, 0.25)  # its device is not known yet
    for number, device in ((first, "cuda"), (same, "cpu")):
        journal.record_epoch(number, epoch_row(2, 5.0), device=device, host="here", final=True)
    assert journal.latency(journal.trial(first)) == LatencyRow(0.5, 0.0)
    assert journal.latency(journal.trial(same)) == LatencyRow(1.5, 0.25)
    assert journal.latency(journal.trial(other)) is None


@pytest.mark.parametrize("milliseconds", [float("nan"), 0.0, -1.0])
def test_a_latency_that_is_none_is_not_written(journal: Journal, milliseconds: float) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        journal.record_latency(point(0).architecture, LatencyRow(milliseconds, 0.0), **HERE)
    assert journal.measured_on(point(0).architecture) == []
    journal.record_latency(point(0).architecture, LatencyRow(1.5, 0.0), **HERE)  # and the journal goes on


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
from tests.journals import completed, epoch_row, new_folder, point, started
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


def test_a_journal_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """Killed while it was made, a study leaves nothing that the next start would stumble over."""
    (tmp_path / "journal.sqlite.part").write_bytes(b"half a journal")
    (tmp_path / "journal.sqlite.part-journal").write_bytes(b"and what SQLite wanted to undo")
    folder, journal = new_folder(tmp_path)
    with journal:
        assert journal.study() == tiny_study()
    assert [path.name for path in tmp_path.iterdir()] == [folder.journal.name]


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


def test_a_journal_is_never_written_over(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    before = folder.journal.read_bytes()
    with pytest.raises(UsageError) as caught:
        Journal(folder.journal, study=tiny_study())
    assert str(caught.value) == f"{folder.journal}: exists already; a journal is never written over"
    assert folder.journal.read_bytes() == before


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


def test_a_journal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with sqlite3.connect(folder.journal) as connection:
        connection.execute("UPDATE meta SET value = '6' WHERE key = 'schema_version'")
    connection.close()
    with pytest.raises(UsageError) as caught:
        Journal(folder.journal)
    assert str(caught.value) == f"{folder.journal}: journal of schema 6; this version reads schema 5"
    assert caught.value.hint == "Use the version of resnext-search that made it."


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
