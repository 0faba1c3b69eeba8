"""The journal: one transaction a fact, each of which changes what it says and nothing else."""

from __future__ import annotations

import dataclasses
import sqlite3
import time

import pytest
from resnext_search.results import Journal
from resnext_search.results.journal.rows import Look

from tests.support.helpers import tiny_study
from tests.support.journals import HERE, MACHINE, completed, epoch_row, point, started


def state(journal: Journal, number: int = 0) -> str:
    return journal.trials()[number].state


def test_a_new_journal_knows_its_study_and_has_no_trials(journal: Journal) -> None:
    assert journal.study() == tiny_study()
    assert journal.trials() == []
    assert journal.epochs(0) == []


def test_every_study_has_a_birth_of_its_own_which_it_keeps(journal: Journal) -> None:
    other = Journal(journal.path.with_name("other.sqlite"), study=tiny_study())
    assert journal.birth() != other.birth()
    birth = journal.birth()
    assert len(birth) == 16
    journal.close()
    with Journal(journal.path) as again:
        assert again.birth() == birth
    other.close()


def test_the_study_can_be_replaced_and_survives_closing(journal: Journal) -> None:
    journal.change_study(tiny_study("search.trials=9"))
    journal.close()
    with Journal(journal.path) as again:
        assert again.study() == tiny_study("search.trials=9")


def test_trials_are_numbered_from_0_in_the_order_of_their_proposals(journal: Journal) -> None:
    assert [journal.enqueue("search", point(index), index, "sobol") for index in (5, 2, 7)] == [0, 1, 2]
    assert [trial.configuration for trial in journal.trials()] == [point(5), point(2), point(7)]
    assert [trial.seed for trial in journal.trials()] == [5, 2, 7]


def test_a_trial_is_of_the_machine_that_it_ran_on_last_and_of_none_when_it_begins_anew(journal: Journal) -> None:
    later = dataclasses.replace(MACHINE, cores=64)
    number = started(journal, point(0))
    journal.record_machine(number, MACHINE)
    journal.interrupt_running()
    journal.record_machine(number, later)  # of a worker that is heard too late
    assert journal.trial(number).machine == MACHINE.key
    journal.start(number, "checkpoints/trial-00000.pt")
    journal.record_machine(number, later)
    assert journal.trial(number).machine == later.key
    assert list(journal.machines().values()) == [MACHINE, later]
    journal.fail(number, "ValueError", "no such colour")
    assert journal.trial(number).machine == later.key
    journal.retry_failed()
    assert journal.trial(number).machine is None


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


def test_a_row_that_breaks_a_rule_of_the_table_changes_nothing(journal: Journal) -> None:
    number = started(journal, point(0))
    with pytest.raises(sqlite3.IntegrityError):  # SQLite has no NaN: it would be a missing value
        journal.record_epoch(number, epoch_row(1, float("nan")), **HERE, final=True)
    assert state(journal) == "running"
    assert journal.epochs(number) == []
    assert journal.record_epoch(number, epoch_row(1, 5.0), **HERE, final=True)  # and the journal goes on


def test_of_two_looks_at_as_many_seeds_the_first_stays(journal: Journal) -> None:
    assert journal.looks() == []
    before = time.time()
    journal.record_look(20, "supported", planned=False)
    statements: list[str] = []
    journal._connection.set_trace_callback(statements.append)
    journal.record_look(10, "inconclusive", planned=True)
    assert [statement.split()[0] for statement in statements] == ["BEGIN", "INSERT", "COMMIT"]
    journal.record_look(10, "contradicted", planned=False)
    first, second = journal.looks()
    assert first == Look(10, "inconclusive", planned=True, judged_at=first.judged_at)
    assert second == Look(20, "supported", planned=False, judged_at=second.judged_at)
    assert before <= second.judged_at <= first.judged_at == journal.changed_at() <= time.time()


def test_facts_written_together_are_all_there_or_none(journal: Journal) -> None:
    with journal.together():
        journal.start(journal.enqueue("search", point(0), 7, "sobol"), "x")
        with Journal(journal.path, read_only=True) as reader:  # neither of them is there before the end
            assert reader.trials() == []
    with Journal(journal.path, read_only=True) as reader:
        assert [trial.state for trial in reader.trials()] == ["running"]
    with pytest.raises(sqlite3.IntegrityError), journal.together():
        _ = [journal.enqueue("search", point(1), seed, "sobol") for seed in (8, None)]
    assert [trial.trial_id for trial in journal.trials()] == [0]
    assert journal.enqueue("search", point(1), 8, "sobol") == 1  # and the journal goes on


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
