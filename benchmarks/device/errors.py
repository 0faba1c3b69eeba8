"""Do networks err as much in bfloat16 as in 32 bits? Pairs of trials that differ in nothing else."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import torch
from resnext_search.spaces.errors import DataError
from resnext_search.trainers import device, training_run
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.training_run import TrainingRun

from benchmarks.device.networks import NETWORKS
from benchmarks.device.report import Report

SEEDS, EPOCHS, IMAGES = 5, 5, 20_000
MARGIN = 0.3  # points
LABELS = ("fashion 4M 1x16d", "fashion 4M 8x3d")
# Half the length of a 95 % interval, in standard errors, by the number of pairs: Student's t.
T_95 = {2: 12.706, 3: 4.303, 4: 3.182, 5: 2.776}


def errors(report: Report) -> None:
    """As many seeds as there is time for, up to five; after each pair what all of them say."""
    if not report.on_gpu:
        report.not_here("errors in bfloat16 and in 32 bits", "it computes in 32 bits")
        return
    images = "Fashion-MNIST" if _has_images() else "images made here, since Fashion-MNIST is not at hand"
    differences: dict[str, list[float]] = {label: [] for label in LABELS}
    longest = 0.0
    for seed in range(1, SEEDS + 1):
        for label in LABELS:
            if report.left() < 1.2 * longest:
                report.figure(f"seed {seed} of {label}: no time is left")
                continue
            began = time.perf_counter()
            half, ties = _error(report, label, seed)
            with _in_32_bits():
                whole, _ = _error(report, label, seed)
            longest = max(longest, time.perf_counter() - began)
            differences[label].append(half - whole)
            found = differences[label]
            figures = {"bfloat16": half, "32_bits": whole, "ties": ties, "pairs": len(found)}
            name = f"error of {label} on {images}, seed {seed}"
            if len(found) < 2:
                report.figure(name, **figures)
                continue
            mean, reach = statistics.mean(found), T_95[len(found)] * statistics.stdev(found) / math.sqrt(len(found))
            figures |= {"mean_difference": mean, "interval": f"{mean - reach:.3f} to {mean + reach:.3f}"}
            report.check(name, f"mean difference within {MARGIN:g} points", abs(mean) < MARGIN, **figures)
            report.clean()


def _error(report: Report, label: str, seed: int) -> tuple[float, int]:
    """Percent of the validation images that are not recognised at the end, and how many have two highest logits."""
    network = NETWORKS[label]
    study = network.study(report.device, epochs=EPOCHS, learning_rate=0.1)
    data = study.data.model_copy(update={"train_images": IMAGES, "validation_images": IMAGES // 2})
    study = study.model_copy(update={"data": data})
    reader = load_dataset if _has_images() else training_run.load_dataset
    with patch.object(training_run, "load_dataset", reader):
        trial = TrainingRun(study, network.configuration, seed, device=report.device, threads=1)
    for epoch in range(1, EPOCHS + 1):
        for _ in trial.steps(epoch):
            pass
    logits = trial.predict(trial.splits.validation)
    highest = logits.topk(2, dim=1).values
    wrong = logits.argmax(dim=1) != trial.labels[trial.splits.validation]
    return 100 * float(wrong.float().mean()), int((highest[:, 0] == highest[:, 1]).sum())


def _has_images() -> bool:
    """Whether Fashion-MNIST lies where a study looks for it."""
    try:
        load_dataset(NETWORKS[LABELS[0]].study(torch.device("cuda")).data)
    except DataError:
        return False
    return True


@contextmanager
def _in_32_bits() -> Iterator[None]:
    with patch.object(device, "_has_bfloat16", lambda: False):
        yield
