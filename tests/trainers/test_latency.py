"""Latency: the lowest of many repeats, by hand; and a trial that is the same whether it was measured or not."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import torch
from resnext_search.spaces import Architecture, Configuration, Study, Template
from resnext_search.spaces.errors import DataError
from resnext_search.trainers import Epoch, Latency, MeasuredFirst, TrainingDiverged, latency, measure_latency, train
from torch import Tensor, nn

TEMPLATE = Template(planes=4, stages=2, resolution=8, channels=1)
SMALL = Architecture.paper(2, 2, (1, 1))


class Watched:
    """Stands for the clock: says what repeats take, one after the other, and keeps what they were made on."""

    def __init__(self, *milliseconds: float) -> None:
        self.milliseconds = iter(milliseconds)
        self.seen: list[tuple[nn.Module, Tensor]] = []

    def __call__(self, network: nn.Module, image: Tensor) -> float:
        assert torch.is_inference_mode_enabled()
        self.seen.append((network, image))
        return next(self.milliseconds)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """Three repeats to warm up, which are long, and five that count."""
    clock = Watched(90.0, 80.0, 70.0, 3.0, 1.0, 2.0, 5.0, 4.0)
    monkeypatch.setattr(latency, "_milliseconds", clock)
    monkeypatch.setattr(latency, "LEAST_SECONDS", 0.0)
    return clock


def epochs_of(facts: Iterator[Latency | Epoch]) -> list[Epoch]:
    """The epochs alone, without what time they took."""
    return [fact._replace(seconds=0.0) for fact in facts if isinstance(fact, Epoch)]


# ------------------------------------------------------------------ what is measured


def test_the_lowest_repeat_counts_and_the_spread_is_what_the_median_lies_above_it(watched: Watched) -> None:
    assert measure_latency(TEMPLATE, SMALL) == Latency(1.0, 2.0)  # of 3, 1, 2, 5, 4; the long ones warmed up


def test_a_slow_network_is_measured_as_often_as_is_needed_and_no_more(watched: Watched) -> None:
    measure_latency(TEMPLATE, SMALL)
    assert len(watched.seen) == 3 + 5


def test_it_is_the_inference_of_one_image(watched: Watched) -> None:
    measure_latency(TEMPLATE, SMALL)
    for network, image in watched.seen:
        assert image.shape == (1, 1, 8, 8)
        assert not any(module.training for module in network.modules())


def test_the_clock_runs_for_a_quarter_of_a_second() -> None:
    began = time.perf_counter()
    found = measure_latency(TEMPLATE, SMALL)
    assert 0.25 < time.perf_counter() - began < 10  # some 0.3 s on a machine with nothing else to do
    assert 0 < found.latency_ms < 250
    assert found.latency_ms_spread >= 0


def test_a_network_of_sixteen_times_the_blocks_takes_longer() -> None:
    deep = measure_latency(TEMPLATE, Architecture.paper(2, 2, (16, 16)))
    assert deep.latency_ms > 2 * measure_latency(TEMPLATE, SMALL).latency_ms


def test_it_uses_as_many_threads_as_a_trial_does(watched: Watched) -> None:
    measure_latency(TEMPLATE, SMALL, threads=2)
    assert torch.get_num_threads() == 2


def test_a_worker_that_has_not_trained_measures_as_one_that_has(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What training says to a device, such as to choose the fastest kernels, is said before the first repeat."""
    told: list[tuple[torch.device, int, int]] = []
    monkeypatch.setattr(latency, "prepare", lambda device, threads: told.append((device, threads, len(watched.seen))))
    measure_latency(TEMPLATE, SMALL, threads=2)
    assert told == [(torch.device("cpu"), 2, 0)]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch can use")
def test_on_a_gpu_kernels_are_chosen_before_the_first_measurement() -> None:
    torch.backends.cudnn.benchmark = False
    measure_latency(TEMPLATE, SMALL, device="cuda")
    assert torch.backends.cudnn.benchmark


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch can use")
def test_a_gpu_is_waited_for() -> None:
    assert 0 < measure_latency(TEMPLATE, SMALL, device="cuda").latency_ms < 250


# ------------------------------------------------------------------ a trial is not disturbed


def test_a_trial_is_the_same_bit_for_bit_whether_it_was_measured_or_not(
    study: Study, configuration: Configuration
) -> None:
    alone = epochs_of(train(study, configuration, 1))
    first, *_ = facts = list(MeasuredFirst(train)(study, configuration, 1))
    assert isinstance(first, Latency)
    assert epochs_of(iter(facts)) == alone
    assert len(facts) == 1 + study.trainer.epochs


def test_what_was_measured_before_is_not_measured_again(study: Study, configuration: Configuration) -> None:
    facts = list(MeasuredFirst(train)(study, configuration, 1, latency=False))
    assert all(isinstance(fact, Epoch) for fact in facts)
    assert len(facts) == study.trainer.epochs


def test_a_measurement_between_two_epochs_changes_none_of_the_others(
    study: Study, configuration: Configuration
) -> None:
    undisturbed = epochs_of(train(study, configuration, 1))
    trial = train(study, configuration, 1)
    disturbed = [next(trial)]
    measure_latency(study.network_template(), configuration.architecture)
    disturbed += trial
    assert epochs_of(iter(disturbed)) == undisturbed


def test_the_global_generator_is_neither_used_nor_moved() -> None:
    before = torch.get_rng_state()
    measure_latency(TEMPLATE, SMALL)
    assert torch.equal(torch.get_rng_state(), before)


# ------------------------------------------------------------------ unhappy


def test_a_trial_that_diverges_has_been_measured_before(study: Study, configuration: Configuration) -> None:
    wild = Configuration(configuration.architecture, (("learning_rate", 1e30),))
    facts = MeasuredFirst(train)(study, wild, 1)
    assert isinstance(next(facts), Latency)
    with pytest.raises(TrainingDiverged):
        list(facts)


def test_a_trial_that_cannot_begin_says_so_as_ever(study: Study, configuration: Configuration) -> None:
    large = Configuration(configuration.architecture, (("batch_size", 4_096.0),))
    with pytest.raises(DataError, match="fewer than one batch of 4,096"):
        list(MeasuredFirst(train)(study, large, 1))
