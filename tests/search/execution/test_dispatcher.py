"""What is handed out next, and what is made of what is told: without any process, and without a scheduler."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest
from resnext_search.results import Journal, LatencyRow
from resnext_search.search.execution.dispatcher import Dispatcher
from resnext_search.spaces.errors import TooManyFailures, UsageError

from tests.support.desk import Desk
from tests.support.journals import MACHINE, completed, point


def started(dispatcher: Dispatcher) -> int:
    """The number of the trial that is handed out."""
    trial = dispatcher.next()
    assert trial is not None
    return trial.trial_id


def states(journal: Journal) -> list[tuple[str, int]]:
    return [(trial.state, trial.attempts) for trial in journal.trials()]


def test_a_trial_whose_process_is_gone_is_tried_again_three_times(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    first = dispatcher.next()
    assert first is not None
    order = dispatcher.order(first)
    assert order["trial_id"] == 0
    for attempt in (1, 2, 3):
        dispatcher.lost(0)
        assert states(desk.journal) == [("interrupted", attempt)]
        again = dispatcher.next()
        assert again is not None
        assert dispatcher.order(again) == order
    dispatcher.lost(0)
    [trial] = desk.journal.trials()
    assert (trial.state, trial.failure_class) == ("failed", "WorkerLost")
    assert trial.failure_message == "its process was lost 4 times"
    assert desk.words.getvalue().count("its process was lost; it goes on from its first epoch") == 3


def test_what_one_trial_loses_is_not_held_against_another(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    assert (started(dispatcher), started(dispatcher)) == (0, 1)
    for _ in range(4):
        dispatcher.lost(0)
        dispatcher.next()
    assert desk.journal.trial(0).state == "failed"
    assert {trial.failure_class for trial in desk.journal.trials()} == {"WorkerLost", None}


def test_a_trial_that_took_too_long_fails_with_a_class_of_its_own(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    assert started(dispatcher) == 0
    assert dispatcher.timed_out(0, "it ran for more than 30 s")
    assert not dispatcher.timed_out(0, "it ran for more than 31 s")  # its process need not be ended twice
    dispatcher.lost(0)
    [trial] = desk.journal.trials()
    assert (trial.state, trial.failure_class, trial.failure_message) == (
        "failed",
        "TimedOut",
        "it ran for more than 30 s",
    )
    assert started(dispatcher) == 1


def test_no_more_run_than_may(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    assert (started(dispatcher), started(dispatcher)) == (0, 1)
    assert dispatcher.next() is None
    assert not dispatcher.is_over
    finish(dispatcher, 0)
    assert started(dispatcher) == 2


@pytest.mark.parametrize("how", ["drain", "now"])
def test_who_is_to_stop_starts_nothing(desk: Desk, how: str) -> None:
    dispatcher = desk.dispatcher()
    assert started(dispatcher) == 0
    desk.context.stops.ask(how)  # type: ignore[arg-type]
    assert dispatcher.next() is None
    assert dispatcher.is_over
    assert dispatcher.is_broken_off == (how == "now")
    dispatcher.lost(0)
    assert states(desk.journal) == [("running" if how == "now" else "interrupted", 1)]  # the caller interrupts the rest


def test_no_trial_starts_that_the_limit_of_operations_does_not_allow(tmp_path: Path) -> None:
    one = 22_992 * 6 * 256 * 2  # the dearest architecture of the band, for two epochs of 256 images
    desk = Desk(tmp_path, f"limits.training_flops={2 * one}")
    with desk.journal:
        completed(desk.journal, point(0), 10.0)
        dispatcher = desk.dispatcher()
        assert started(dispatcher) == 1
        assert dispatcher.next() is None
        assert not dispatcher.is_over  # what runs may yet leave something
        dispatcher.failed(1, "ValueError", "no such colour")
        assert started(dispatcher) == 2  # the other has trained nothing
        assert dispatcher.next() is None


def test_too_many_failures_say_how_to_try_again(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    for number in range(4):
        assert started(dispatcher) == number
        dispatcher.failed(number, "ValueError", "no such colour")
    assert isinstance(dispatcher.error, TooManyFailures)
    assert dispatcher.error.hint == (
        f"All failures: resnext-search status {desk.folder.path}. Mend the cause, then try again with: "
        f"resnext-search retry {desk.folder.path} --failed"
    )
    assert dispatcher.is_over


def test_when_every_configuration_has_been_tried_the_search_is_over(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "search={trials: 100, optimizer: sobol, parallel: 1}", "axes.learning_rate=[0.1, 0.2]")
    size = 2 * len(desk.study.feasible_set())
    with desk.journal as journal:
        dispatcher = desk.dispatcher()
        for number in range(size):
            assert started(dispatcher) == number
            finish(dispatcher, number)
        assert dispatcher.next() is None
        assert dispatcher.is_over
        assert len({trial.configuration for trial in journal.trials()}) == size
        assert dispatcher.error is None


def test_what_cannot_be_recorded_ends_the_phase_and_its_trial(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    assert started(dispatcher) == 0
    assert not dispatcher.record(0, {"validation_error": 9.0})  # of no epoch
    assert isinstance(dispatcher.error, KeyError)
    assert dispatcher.is_over


def test_a_machine_is_recorded_with_whatever_comes_first(desk: Desk) -> None:
    dispatcher, told = desk.dispatcher(), {"machine": json.dumps(asdict(MACHINE))}
    started(dispatcher)
    assert dispatcher.record(0, {"failure_class": "ValueError", "failure_message": "no such colour", **told})
    dispatcher.failed(0, "ValueError", "no such colour")
    [trial, *_] = desk.journal.trials()
    assert desk.journal.machines() == {trial.machine: MACHINE}
    assert dispatcher.error is None


def latency(model: str, device: str = "cuda") -> dict[str, object]:
    """What a worker reports before the first epoch."""
    return {"latency_ms": 2.0, "latency_ms_spread": 0.1, "device": device, "computes": model, "host": "here"}


def test_latencies_of_two_models_are_no_objective(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "objectives=[validation_error, latency_ms]")
    with desk.journal:
        dispatcher = desk.dispatcher()
        assert (started(dispatcher), started(dispatcher)) == (0, 1)
        assert dispatcher.record(0, latency("NVIDIA H200"))
        assert not dispatcher.record(1, latency("NVIDIA A100"))
        assert isinstance(dispatcher.error, UsageError)
        assert str(dispatcher.error) == (
            "objectives: latency_ms: trial 1 was measured on NVIDIA A100, others on NVIDIA H200; "
            "latencies of different devices cannot be compared"
        )
        assert dispatcher.error.hint.endswith(
            f"machines of one kind, and continue with: resnext-search resume {tmp_path}"
        )
        assert desk.journal.latency_devices() == ["NVIDIA H200"]
        assert dispatcher.is_over


@pytest.mark.parametrize(
    ("objectives", "before", "device"),
    [
        ("[validation_error, parameters]", "NVIDIA H200", "cuda"),  # kept with the arms, and nothing is chosen by it
        ("[validation_error, latency_ms]", "NVIDIA A100", "cuda"),
        ("[validation_error, latency_ms]", "cuda", "cuda"),  # of an older journal, which does not say which
    ],
)
def test_latencies_that_nobody_compares_or_of_one_kind_are_kept(
    tmp_path: Path, objectives: str, before: str, device: str
) -> None:
    desk = Desk(tmp_path, f"objectives={objectives}")
    with desk.journal:
        desk.journal.record_latency(point(0).architecture, LatencyRow(1.0, 0.0), device=before, host="here")
        dispatcher = desk.dispatcher()
        started(dispatcher)
        assert dispatcher.record(0, latency("NVIDIA A100", device))
        assert dispatcher.error is None
        assert "NVIDIA A100" in desk.journal.latency_devices()


def finish(dispatcher: Dispatcher, number: int) -> None:
    """Tell the last epoch of a trial."""
    row = {"epoch": 2, "learning_rate": 0.1, "train_loss": 1.0, "validation_loss": 1.0, "validation_error": 9.0}
    about = {"seconds": 0.1, "test_error": None, "test_correct": None, "device": "cpu", "host": "here"}
    assert not dispatcher.record(number, row | about)
    dispatcher.released(number)
