"""A step as a graph: the numbers of usual steps, from kernels that are recorded once and sent again.

A processor has no graphs. A stand-in writes down every operation of a step with the tensors that it has read and
written, and does them again on the same tensors: as a GPU it knows nothing of what Python has changed since.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from resnext_search.spaces import Configuration, Study
from resnext_search.trainers import training_run
from resnext_search.trainers.checkpoint import state_of
from resnext_search.trainers.graph import StepGraph, is_graphed
from resnext_search.trainers.training_run import TrainingRun
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.support.helpers import changed

CPU, GPU = torch.device("cpu"), torch.device("cuda")


class Recorder(TorchDispatchMode):
    """Writes down operations, as a graph does; unlike a graph it also does them, so that they need not be sent once."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[tuple[Any, Any, Any, Any]] = []
        self.done = True

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        found = func(*args, **kwargs)
        self.written.append((func, args, kwargs, found))
        return found

    @torch.no_grad()
    def replay(self) -> None:
        """Do them again, with results where they were."""
        for func, args, kwargs, found in [] if self.done else self.written:
            again = func(*args, **kwargs)
            for place, result in zip(tree_leaves(found), tree_leaves(again), strict=True):
                if isinstance(place, Tensor) and place.data_ptr() != result.data_ptr():
                    place.copy_(result)
        self.done = False


class Streams:
    """Stands for torch's streams, and notes which waits for which, and in which a step is done."""

    def __init__(self) -> None:
        self.usual, self.current = self.named("usual"), "usual"
        self.notes: list[str] = []

    def named(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(name=name, wait_stream=lambda other: self.notes.append(f"{name} waits for {other.name}"))

    @contextmanager
    def of(self, stream: SimpleNamespace) -> Iterator[None]:
        self.current = stream.name
        yield
        self.current = "usual"


@pytest.fixture
def streams(monkeypatch: pytest.MonkeyPatch) -> Streams:
    """A processor that has graphs and streams."""
    found = Streams()

    @contextmanager
    def graph(recorder: Recorder, stream: SimpleNamespace, capture_error_mode: str) -> Iterator[None]:
        found.notes.append(f"recorded, {capture_error_mode}")
        with recorder, found.of(stream):
            yield

    monkeypatch.setattr("torch.cuda.CUDAGraph", Recorder)
    monkeypatch.setattr("torch.cuda.graph", graph)
    side = found.named("side")
    monkeypatch.setattr("resnext_search.trainers.graph._stream_beside", lambda _: side)
    monkeypatch.setattr("torch.cuda.current_stream", lambda _: found.usual)
    monkeypatch.setattr("torch.cuda.stream", found.of)
    # as the rate lies on a GPU
    exact = training_run.learning_rate_at
    monkeypatch.setattr(
        training_run, "learning_rate_at", lambda *a: float(torch.tensor(exact(*a), dtype=torch.float32))
    )
    return found


class Trial(TrainingRun):
    """On a processor, with the optimizer of a GPU, which reads its rate where a graph can write it."""

    def __init__(self, study: Study, configuration: Configuration, *, graphed: bool, **more: Any) -> None:
        super().__init__(study, configuration, 1, device=CPU, threads=1, **more)
        for group in self.optimizer.param_groups:
            group["fused"], group["foreach"] = True, False
        if graphed:
            self.graph = StepGraph(self.optimizer, CPU)


def trained(trial: TrainingRun, epochs: int = 2) -> tuple[list[float], list[Tensor]]:
    """Losses of all steps, read when all are done; weights, statistics and counts of the norms, and momenta."""
    losses = [loss for epoch in range(1, epochs + 1) for loss in trial.steps(epoch)]
    state = state_of(trial.network, trial.optimizer)
    return [float(loss) for loss in losses], [*state["network"].values(), *state["momenta"].values()]


# ------------------------------------------------------------------ the same numbers


@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_a_graph_gives_the_bits_of_usual_steps(
    study: Study, configuration: Configuration, streams: Streams, momentum: float
) -> None:
    """Eight steps: two to warm up, one that is recorded, five that are that one again with other images and rates."""
    recipe = changed(study, momentum=momentum, label_smoothing=0.1, warmup_epochs=1.5)
    usual, graphed = (Trial(recipe, configuration, graphed=graphed) for graphed in (False, True))
    losses, state = trained(usual)
    found, same = trained(graphed)
    assert len(set(losses)) == 8
    assert found == losses
    assert len(state) == 2 + (momentum > 0)  # floats and counts of the network
    assert all(torch.equal(one, other) for one, other in zip(state, same, strict=True))
    assert int(graphed.network.bn1.num_batches_tracked) == 8  # type: ignore[arg-type]


def test_images_are_judged_between_two_epochs_by_what_the_first_has_learned(
    study: Study, configuration: Configuration, streams: Streams
) -> None:
    predicted = []
    for graphed in (False, True):
        trial = Trial(study, configuration, graphed=graphed)
        for epoch in (1, 2):
            for _ in trial.steps(epoch):
                pass
            predicted.append(trial.predict(trial.splits.validation))
    assert torch.equal(torch.stack(predicted[:2]), torch.stack(predicted[2:]))


def test_the_first_steps_are_done_beside_other_work_and_the_third_is_recorded(
    study: Study, configuration: Configuration, streams: Streams, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data are prepared before the step in the usual stream, and whoever reads the loss does so after it."""
    trial = Trial(study, configuration, graphed=True)
    step = trial._step
    monkeypatch.setattr(trial, "_step", lambda batch: streams.notes.append(f"step, {streams.current}") or step(batch))
    trained(trial, epochs=1)
    beside = ["side waits for usual", "step, side", "usual waits for side"]
    # 128 images are four batches: the fourth is none of Python's
    assert streams.notes == [*beside, *beside, "recorded, thread_local", "step, side"]


def test_a_graph_is_gone_with_its_trial(study: Study, configuration: Configuration, streams: Streams) -> None:
    """At once, and not when Python next looks for circles: the memory that it has is given back right after."""
    trial = Trial(study, configuration, graphed=True)
    trained(trial, epochs=1)
    assert trial.graph is not None
    graph = weakref.ref(trial.graph._graph)
    gc.disable()
    try:
        del trial
        assert graph() is None
    finally:
        gc.enable()


# ------------------------------------------------------------------ where


@pytest.mark.parametrize(
    ("wanted", "device", "micro_batches", "expected"),
    [(True, GPU, 1, True), (False, GPU, 1, False), (True, CPU, 1, False), (True, GPU, 2, False)],
)
def test_steps_are_a_graph_on_a_gpu_that_takes_whole_batches(
    study: Study, wanted: bool, device: torch.device, micro_batches: int, expected: bool
) -> None:
    assert is_graphed(changed(study, graph=wanted).trainer, device, micro_batches) is expected


def test_a_study_that_asks_for_graphs_trains_on_a_processor_and_its_states_are_those_without(
    study: Study, configuration: Configuration
) -> None:
    usual, asked = (
        TrainingRun(changed(study, graph=graph), configuration, 1, device=CPU, threads=1) for graph in (False, True)
    )
    assert asked.graph is None
    assert asked.identity == usual.identity
    assert trained(asked)[0] == trained(usual)[0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch sees")
def test_a_gpu_gives_the_bits_of_usual_steps(study: Study, configuration: Configuration) -> None:
    """With kernels that give the same bits every time, at a rate that 32 bits hold."""
    recipe = {"deterministic": True, "schedule": "step", "learning_rate": 0.125, "warmup_epochs": 0.0}
    found = []
    for graph in (False, True):
        wanted = changed(study, graph=graph, epochs=8, **recipe)
        trial = TrainingRun(wanted, configuration, 1, device=GPU, threads=1)
        assert (trial.graph is not None) is graph
        found.append(trained(trial))
    assert found[0][0] == found[1][0]
    assert all(torch.equal(one, other) for one, other in zip(found[0][1], found[1][1], strict=True))
