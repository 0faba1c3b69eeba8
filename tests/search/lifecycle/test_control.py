"""`stop` and `retry`: what they do to a folder and say about it, without a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.results.journal.folder import locked, this_process
from resnext_search.search.execution.stopping import StopRequests, read_request

from tests.support.journals import ended_folder, epoch_row, new_folder, point, started
from tests.support.shell import Shell


def test_stop_says_that_nothing_runs(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    assert shell.done("stop", "run") == "run: no run is at work there, so there is nothing to stop\n"
    facts = shell.facts("stop", "run", "--now")
    assert facts == {"folder": "run", "live": False, "asked": None, "run": None, "running": []}
    assert not (shell.folder / "run" / "STOP").exists()


@pytest.mark.parametrize("name", ["stop", "retry"])
def test_where_no_study_is_nothing_is_made(shell: Shell, name: str) -> None:
    (shell.folder / "run").mkdir()
    code, complaint = shell.refused(name, "run", *["--failed"] * (name == "retry"))
    assert (code, complaint.splitlines()[0]) == (2, "resnext-search: run/journal.sqlite: no such journal")
    assert list((shell.folder / "run").iterdir()) == []


@pytest.mark.parametrize(
    ("options", "wanted", "words"),
    [
        (
            [],
            "drain",
            "starts no new trial and ends when those that run have ended\n"
            "Follow it with: resnext-search status run --watch\n",
        ),
        (
            ["--now"],
            "now",
            "interrupts its trial and ends within seconds\nContinue with: resnext-search resume run\n",
        ),
    ],
)
def test_a_live_run_is_asked_to_stop(shell: Shell, options: list[str], wanted: str, words: str) -> None:
    folder, journal = new_folder(shell.folder / "run")
    with journal, locked(folder.lock):
        started(journal, point(0))
        assert shell.done("stop", "run", *options) == f"run: the run there ({this_process()}) {words}"
        assert read_request(folder.stop) == wanted
        assert StopRequests(folder, 1).look() == wanted


def test_asked_twice_a_run_stops_at_once_and_stays_with_it(tmp_path: Path) -> None:
    stops = StopRequests(StudyFolder(tmp_path), 1)
    stops.ask("drain")
    stops.ask("now")
    stops.ask("drain")
    assert stops.wanted == "now"


def test_a_request_to_another_process_is_not_heeded(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    folder.stop.write_text("now process 1 on elsewhere\n")
    assert StopRequests(folder, 1).look() is None
    with StopRequests(folder, 1).listening():  # left over from a run that was killed
        assert not folder.stop.exists()


# ------------------------------------------------------------------ retry


def test_failed_trials_are_queued_again_and_completed_ones_left_as_they_are(shell: Shell) -> None:
    folder = ended_folder(shell.folder / "run")
    folder.checkpoints.mkdir()
    folder.checkpoint(3).touch()
    with Journal(folder.journal, read_only=True) as journal:
        before = journal.trials()
    assert shell.done("retry", "run", "--failed") == (
        "run: 1 trial queued again, to be trained from the start: 0003\nRun them with: resnext-search resume run\n"
    )
    with Journal(folder.journal, read_only=True) as journal:
        after = journal.trials()
    assert after[:3] == before[:3]
    assert (after[3].state, after[3].attempts, after[3].failure_class, after[3].ended_at) == ("queued", 1, None, None)
    assert not folder.checkpoint(3).exists()
    assert shell.done("retry", "run", "--failed") == "run: no trial has failed, so there is nothing to try again\n"
    assert shell.facts("retry", "run", "--failed") == {"folder": "run", "trials": []}


def test_what_a_failed_attempt_was_and_cost_stays_in_the_journal(shell: Shell) -> None:
    folder, journal = new_folder(shell.folder / "run")
    with journal:
        number = started(journal, point(0))
        journal.record_epoch(number, epoch_row(1, 90.0), device="cpu", host="here", final=False)
        journal.fail(number, "TrainingDiverged", "the loss is nan")
    shell.done("retry", "run", "--failed")
    with Journal(folder.journal) as journal:
        [failure] = journal.failures()
        assert journal.trial(number).epochs == 0
    assert (failure.trial_id, failure.attempt, failure.failure_class, failure.epochs, failure.seconds) == (
        number,
        1,
        "TrainingDiverged",
        1,
        epoch_row(1, 90.0).seconds,
    )


def test_retry_has_to_be_told_which_trials(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    code, complaint = shell.refused("retry", "run")
    assert code == 2
    assert "missing option '--failed'" in complaint


def test_trials_of_a_live_run_are_not_touched(shell: Shell) -> None:
    folder = ended_folder(shell.folder / "run")
    with locked(folder.lock):
        code, complaint = shell.refused("retry", "run", "--failed")
    assert code == 6
    assert f"another run works on this folder ({this_process()})" in complaint
