"""Trials that share a GPU: what comes after too little memory. Ray's logical GPUs; the machine need not have any."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from resnext_search.results import Journal
from resnext_search.search import run_study
from resnext_search.search.execution.memory import MemoryPlan, more_memory

from tests.support.helpers import tiny_study


def test_a_trial_is_first_alone_and_then_in_parts_of_at_least_16_images() -> None:
    room, seen = MemoryPlan(alone=False, micro_batches=1), []
    while (more := more_memory(room, gpu=0.5, batch_size=64)) is not None:
        room = more
        seen.append(room)

    assert seen == [MemoryPlan(True, 1), MemoryPlan(True, 2), MemoryPlan(True, 4)]


def test_a_trial_that_has_whole_gpus_is_in_parts_at_once() -> None:
    assert more_memory(MemoryPlan(alone=False, micro_batches=1), gpu=2, batch_size=64) == MemoryPlan(False, 2)
    assert more_memory(MemoryPlan(alone=False, micro_batches=1), gpu=1, batch_size=31) is None


# ------------------------------------------------------------------ on a real Ray

FEW_EPOCHS = ("trainer.epochs=1", "trainer.warmup_epochs=0", "trainer.batch_size=64")


def recording(seen: Path) -> Any:
    """A trainer that trains nothing: trials 1 to 3 find that a GPU's memory is too small, each another time."""

    def record(
        study: Any, configuration: Any, seed: int, *, device: str, checkpoint: Path, micro_batches: int, **_: Any
    ) -> Iterator[Any]:
        import ray
        import torch
        from resnext_search.trainers import Epoch

        gpu = ray.get_runtime_context().get_assigned_resources()["GPU"]
        attempt = {"gpu": gpu, "parts": micro_batches, "device": device, "visible": os.environ["CUDA_VISIBLE_DEVICES"]}
        with (seen / checkpoint.stem).open("a") as file:
            file.write(json.dumps(attempt) + "\n")
        number = int(checkpoint.stem.removeprefix("trial-"))
        if (number == 1 and gpu < 1) or (number == 2 and micro_batches < 4) or number == 3:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return iter([Epoch(1, 0.1, 1.0, 1.0, 50.0 + seed % 7, 0.01)])

    return record


def attempts(seen: Path, number: int) -> list[tuple[float, int]]:
    """What a trial was given, attempt by attempt: GPUs, and parts of a batch."""
    lines = (seen / f"trial-{number:05d}").read_text().splitlines()
    return [(attempt["gpu"], attempt["parts"]) for attempt in map(json.loads, lines)]


@pytest.mark.slow
@pytest.mark.usefixtures("shared_ray")
@pytest.mark.parametrize(("gpu", "share"), [("0.5", 0.5), ("auto", 0.25)])  # of four cores with a GPU
def test_too_little_memory_leads_to_a_gpu_alone_then_to_parts_and_never_to_an_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], gpu: str, share: float
) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    study = tiny_study(f"resources.gpu={gpu}", *FEW_EPOCHS, "search.trials=6")

    folder = run_study(study, tmp_path / "run", train=recording(seen), cpus=4, gpus=1)

    assert attempts(seen, 0) == [(share, 1)]
    assert attempts(seen, 1) == [(share, 1), (1, 1)]
    assert attempts(seen, 2) == [(share, 1), (1, 1), (1, 2), (1, 4)]
    assert attempts(seen, 3) == [(share, 1), (1, 1), (1, 2), (1, 4)]
    trials = pd.read_csv(folder.trials).set_index("trial")
    assert trials.state.tolist() == ["completed"] * 3 + ["failed"] + ["completed"] * 2
    assert trials.micro_batches.tolist() == [1, 1, 4, 4, 1, 1]
    assert trials.attempts.tolist() == [1, 2, 4, 4, 1, 1]
    assert trials.failure_class.dropna().to_dict() == {3: "OutOfMemoryError"}
    assert trials.validation_error.isna().tolist() == [False] * 3 + [True] + [False] * 2
    said = capfd.readouterr().out
    assert said.count("too little memory on its GPU; it is trained alone on a GPU, batches in 2 parts") == 2


@pytest.mark.slow
@pytest.mark.usefixtures("shared_ray")
def test_what_a_trial_was_given_outlives_the_run(tmp_path: Path) -> None:
    """Put back by a run that then ended: the next one does not try the same again."""
    seen = tmp_path / "seen"
    seen.mkdir()
    study = tiny_study("resources.gpu=0.5", *FEW_EPOCHS, "search.trials=2")
    folder = run_study(study, tmp_path / "run", train=recording(seen), cpus=4, gpus=1)
    grown = tiny_study("resources.gpu=0.5", *FEW_EPOCHS, "search.trials=3")
    with Journal(folder.journal) as journal:
        journal.change_study(grown)
        configuration = journal.trial(0).configuration
        number = journal.enqueue("search", configuration, 1, "sobol")
        journal.start(number, "checkpoints/trial-00002.pt")
        journal.put_back(number, alone=True, micro_batches=4)

    run_study(grown, tmp_path / "run", train=recording(seen), cpus=4, gpus=1)

    assert attempts(seen, 2) == [(1, 4)]
