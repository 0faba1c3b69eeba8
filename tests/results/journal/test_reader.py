"""What the journal is asked: all of it, or a part, as it was written."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest
from resnext_search.results import Journal, LatencyRow

from tests.support.journals import HERE, MACHINE, completed, epoch_row, point, started


def test_a_configuration_comes_back_to_the_last_bit(journal: Journal) -> None:
    configuration = point(6, 0.1 + 0.2)
    journal.enqueue("search", configuration, 0, "sobol")
    assert journal.trials()[0].configuration == configuration


def test_trials_can_be_chosen_by_phase_and_state(journal: Journal) -> None:
    completed(journal, point(0), 12.5)
    completed(journal, point(1), 12.5, phase="tune")
    started(journal, point(2))
    assert [trial.trial_id for trial in journal.trials(phase="search")] == [0, 2]
    assert [trial.trial_id for trial in journal.trials(states=["completed"])] == [0, 1]
    assert [trial.trial_id for trial in journal.trials(phase="search", states=["completed", "failed"])] == [0]
    assert journal.trials(phase="confirm") == []


def test_the_history_of_a_phase_is_in_the_order_in_which_it_was_recorded(journal: Journal) -> None:
    first, second, other = (started(journal, point(n), phase=p) for n, p in enumerate(("search", "search", "tune")))
    for number, epoch, error in ((second, 1, 70.0), (first, 1, 80.0), (other, 1, 1.0), (second, 2, 60.0)):
        journal.record_epoch(number, epoch_row(epoch, error), **HERE, final=False)
    assert journal.history("search") == [(second, 1, 70.0), (first, 1, 80.0), (second, 2, 60.0)]


def test_machines_are_there_once_whatever_trains_on_them(journal: Journal) -> None:
    other = replace(MACHINE, gpu="NVIDIA H200", driver="570.86")
    for place, machine in enumerate((other, MACHINE, replace(other), MACHINE)):
        completed(journal, point(place), 12.5, machine=machine)
    assert journal.machines() == {other.key: other, MACHINE.key: MACHINE}
    assert [trial.machine for trial in journal.trials()] == [other.key, MACHINE.key] * 2


def test_a_forecast_is_what_was_kept_first(journal: Journal) -> None:
    assert journal.forecast() is None
    journal.keep_forecast({"seconds": {"median": 60.5}})
    journal.keep_forecast({"seconds": {"median": 1.0}})
    assert journal.forecast() == {"seconds": {"median": 60.5}}


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


H200 = replace(MACHINE, gpu="NVIDIA H200", driver="570.86")
A100 = replace(H200, gpu="NVIDIA A100")


def test_a_latency_is_that_of_the_model_that_trained(journal: Journal) -> None:
    """Two GPUs are both `cuda`; what a trial that runs will end on is what it runs on."""
    for machine, milliseconds in ((A100, 3.0), (H200, 1.0)):
        row = LatencyRow(milliseconds, 0.0)
        journal.record_latency(point(0).architecture, row, device=machine.computes, host="here")
    assert journal.measured_on(point(0).architecture) == ["NVIDIA A100", "NVIDIA H200"]
    assert journal.latency_devices() == ["NVIDIA A100", "NVIDIA H200"]
    numbers = [started(journal, point(0, rate)) for rate in (0.1, 0.2, 0.3, 0.4)]
    for number, machine in zip(numbers, (H200, A100, H200, MACHINE), strict=True):
        journal.record_machine(number, machine)
        if number != numbers[2]:
            device = "cuda" if machine.gpu else "cpu"
            journal.record_epoch(number, epoch_row(2, 5.0), device=device, host="here", final=True)
    found = [journal.latency(journal.trial(number)) for number in numbers]
    assert [row and row.latency_ms for row in found] == [1.0, 3.0, 1.0, None]  # on the processor it was not measured


def test_what_an_older_schema_measured_stands_for_all_of_its_kind(journal: Journal) -> None:
    """It wrote `cuda`: the optimizer of a study that goes on is told what it was told before."""
    journal.record_latency(point(0).architecture, LatencyRow(2.0, 0.0), device="cuda", host="here")
    journal.record_latency(point(0).architecture, LatencyRow(9.0, 0.0), device=H200.computes, host="here")
    number = started(journal, point(0))
    journal.record_machine(number, H200)
    journal.record_epoch(number, epoch_row(2, 5.0), device="cuda", host="here", final=True)
    assert journal.latency(journal.trial(number)) == LatencyRow(2.0, 0.0)


@pytest.mark.parametrize("milliseconds", [float("nan"), 0.0, -1.0])
def test_a_latency_that_is_none_is_not_written(journal: Journal, milliseconds: float) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        journal.record_latency(point(0).architecture, LatencyRow(milliseconds, 0.0), **HERE)
    assert journal.measured_on(point(0).architecture) == []
    journal.record_latency(point(0).architecture, LatencyRow(1.5, 0.0), **HERE)  # and the journal goes on


def test_what_is_asked_of_all_trials_at_once_is_what_is_asked_of_each(journal: Journal) -> None:
    """A device that measured second, a trial on each, one that runs nowhere yet, and one that was never measured."""
    for device, times in (("cuda", (0.5, 0.0)), ("cpu", (1.5, 0.25))):
        journal.record_latency(point(0).architecture, LatencyRow(*times), device=device, host="here")
    numbers = [started(journal, point(*where)) for where in ((0, 0.1), (0, 0.9), (0, 0.5), (1, 0.1))]
    for number, device in zip(numbers, ("cpu", "cuda"), strict=False):
        for epoch in (2, 1):
            journal.record_epoch(number, epoch_row(epoch, 5.0), device=device, host="here", final=epoch == 1)
    trials = journal.trials()
    assert journal.latencies(trials) == {0: LatencyRow(1.5, 0.25), 1: LatencyRow(0.5, 0.0), 2: LatencyRow(0.5, 0.0)}
    assert [journal.latencies(trials).get(trial.trial_id) for trial in trials] == list(map(journal.latency, trials))
    assert journal.epochs_of_all() == {0: journal.epochs(0), 1: journal.epochs(1)}
    assert [row.epoch for row in journal.epochs_of_all()[0]] == [1, 2]
