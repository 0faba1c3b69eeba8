"""Errors of GPUs: every way in which too little memory shows itself, and what a process does not survive."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from resnext_search.search import run_study
from resnext_search.search.execution.run_trial import run_trial
from resnext_search.trainers import Epoch
from resnext_search.trainers.training import train
from resnext_search.trainers.training_run import TrainingRun

from tests.support.desk import Desk
from tests.support.helpers import tiny_study
from tests.support.journals import point

STUDY = tiny_study()
ILLEGAL = torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch sees")


class OutOfMemoryError(Exception):
    """Of a plug-in that does not use torch."""


def trial(train: Any, told: Callable[[dict[str, Any]], object], device: str = "cuda") -> None:
    """Let a worker train the first point of the space."""
    order = {"trial_id": 0, "configuration": point(0).to_json(), "seed": "1", "alone": False}
    order |= {"micro_batches": 1, "birth": "", "measured_on": []}
    text, nowhere = STUDY.model_dump_json(), Path("nowhere")
    run_trial(order, text, nowhere, train, gpu=0.5, confirm=False, device=device, report=told)


def raising(error: Exception) -> Callable[..., Iterator[Any]]:
    """A trainer that yields nothing."""

    def train(*_: Any, **__: Any) -> Iterator[Any]:
        raise error
        yield

    return train


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB"),
        OutOfMemoryError("no room on the chip"),
        torch.AcceleratorError("CUDA error: out of memory"),  # of a context, a stream or a graph
        RuntimeError("CUDA driver error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
        RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"),
        RuntimeError("FIND was unable to find an engine to execute this computation"),
        RuntimeError("GET was unable to find an engine to execute this computation after trying 3 plans."),
    ],
)
def test_too_little_memory_is_called_so_however_it_shows_itself(error: Exception) -> None:
    told: list[dict[str, Any]] = []
    trial(raising(error), told.append)
    [failure] = told
    assert failure["failure_class"] == "OutOfMemoryError"
    assert str(error) in failure["failure_message"]


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), "RuntimeError"),
        (ValueError("out of memory, says the trainer of its own list"), "ValueError"),
        (MemoryError("of the processor"), "MemoryError"),
    ],
)
def test_other_errors_keep_their_names_and_their_process(error: Exception, name: str) -> None:
    told: list[dict[str, Any]] = []
    trial(raising(error), told.append)
    assert [failure["failure_class"] for failure in told] == [name]


@pytest.mark.parametrize(
    "error", [ILLEGAL, RuntimeError("CUDA error: unspecified launch failure"), torch.AcceleratorError("ECC")]
)
def test_after_an_error_that_leaves_the_gpu_unusable_the_process_does_not_go_on(error: Exception) -> None:
    told: list[dict[str, Any]] = []
    with pytest.raises(RuntimeError) as caught:
        trial(raising(error), told.append)
    assert caught.value is error
    assert [failure["failure_class"] for failure in told] == [type(error).__name__]
    trial(raising(error), told.append, device="cpu")  # whatever it is: there is no GPU to lose
    assert len(told) == 2


def test_when_a_failure_is_told_nothing_lives_any_more_of_what_the_trial_had_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error holds the functions that it came through, and they would hold network, batch and activations."""
    made: list[weakref.ref[Any]] = []

    def too_large(run: TrainingRun, batch: Any) -> None:
        activations = run.network(batch.images)
        made.extend(map(weakref.ref, (run, run.network, batch.images, activations)))
        try:
            raise RuntimeError("CUDA error: out of memory")
        except RuntimeError as error:
            raise torch.OutOfMemoryError("CUDA out of memory") from error

    monkeypatch.setattr(TrainingRun, "_gradients", too_large)
    told: list[tuple[str, list[Any]]] = []

    def report(fact: dict[str, Any]) -> None:
        told.append((fact["failure_class"], [reference() for reference in made]))

    def on_the_processor(*given: Any, device: str, latency: bool, **more: Any) -> Iterator[Epoch]:
        return train(*given, device="cpu", **more)

    trial(on_the_processor, report)
    assert told == [("OutOfMemoryError", [None] * 4)]


@needs_gpu
def test_a_gpu_has_its_memory_back_when_too_little_of_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_large(run: TrainingRun, batch: Any) -> None:
        kept = [run.network(batch.images)]
        while True:
            kept.append(torch.empty(2**30, dtype=torch.uint8, device="cuda"))

    monkeypatch.setattr(TrainingRun, "_gradients", too_large)
    told: list[tuple[str, int]] = []

    def report(fact: dict[str, Any]) -> None:
        told.append((fact["failure_class"], torch.cuda.memory_reserved()))

    def without_latency(*given: Any, latency: bool, **more: Any) -> Iterator[Epoch]:
        return train(*given, **more)

    trial(without_latency, report)
    [(name, reserved)] = told
    assert name == "OutOfMemoryError"
    assert reserved < 2**28  # the data set, and what libraries keep; not the gigabytes of the step


def test_a_trial_whose_process_is_lost_too_often_says_what_its_gpu_said(desk: Desk) -> None:
    dispatcher = desk.dispatcher()
    for _ in range(4):
        started = dispatcher.next()
        assert started is not None
        assert started.trial_id == 0
        assert dispatcher.record(0, {"failure_class": "AcceleratorError", "failure_message": f"Traceback\n{ILLEGAL}"})
        dispatcher.lost(0)
    [first, *_] = desk.journal.trials()
    assert (first.state, first.failure_class) == ("failed", "WorkerLost")
    assert first.failure_message == (
        "its process was lost 4 times, the last time by AcceleratorError: "
        "CUDA error: an illegal memory access was encountered"
    )


# ------------------------------------------------------------------ on a real Ray


def breaking(seen: Path) -> Any:
    """A trainer whose third trial breaks the GPU for its process, once."""

    def train(study: Any, configuration: Any, seed: int, *, checkpoint: Path, **_: Any) -> Iterator[Any]:
        with (seen / checkpoint.stem).open("a") as file:
            file.write(f"{os.getpid()}\n")
        attempts = (seen / checkpoint.stem).read_text().split()
        if checkpoint.stem == "trial-00002" and len(attempts) == 1:
            (seen / "broken").write_text(str(os.getpid()))
        if (seen / "broken").exists() and (seen / "broken").read_text() == str(os.getpid()):
            raise torch.AcceleratorError("CUDA error: an illegal memory access was encountered")
        return iter([Epoch(1, 0.1, 1.0, 1.0, 50.0 + seed % 7, 0.01)])

    return train


@pytest.mark.slow
@pytest.mark.usefixtures("shared_ray")
def test_an_error_that_leaves_the_gpu_unusable_ends_its_process_and_neither_a_trial_nor_the_study(
    tmp_path: Path,
) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    study = tiny_study("resources.gpu=1", "trainer.epochs=1", "trainer.warmup_epochs=0", "search.trials=8")

    folder = run_study(study, tmp_path / "run", train=breaking(seen), cpus=4, gpus=1)

    trials = pd.read_csv(folder.trials).set_index("trial")
    assert trials.state.tolist() == ["completed"] * 8
    assert trials.attempts.tolist() == [1, 1, 2, 1, 1, 1, 1, 1]
    broken = (seen / "broken").read_text()
    processes = [(seen / f"trial-{number:05d}").read_text().split() for number in range(8)]
    assert processes[2][0] == broken
    assert broken not in {process for later in (processes[2][1:], *processes[3:]) for process in later}
