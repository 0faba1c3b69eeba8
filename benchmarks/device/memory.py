"""Is memory given back, how does too little of it show itself, and do latencies depend on what cuDNN has tried?"""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import torch
from resnext_search.search.execution.device_errors import forget_frames, is_out_of_memory
from resnext_search.trainers import latency
from resnext_search.trainers.device import release
from resnext_search.trainers.training import train
from resnext_search.trainers.training_run import TrainingRun
from torch import Tensor

from benchmarks.device.networks import NETWORKS
from benchmarks.device.report import Report

# What torch may hold after a trial beyond what it held before.
MOST_HELD = 64 * 2**20
_OF = NETWORKS["cifar 47M 1x16d"]


def memory(report: Report) -> None:
    """After a trial that is left after an epoch, as a step and as a graph, and after one that finds too little."""
    reason = "torch counts the memory of GPUs alone"
    for graph in (False, True):
        name = f"a trial that is left gives its memory back{', with a graph' * graph}"
        if report.on_gpu:
            _left_over(report, name, lambda graph=graph: _left_after_an_epoch(report.device, graph))  # type: ignore[misc]
        else:
            report.not_here(name, reason)
    name = "a trial that finds too little memory gives it back"
    if not report.on_gpu:
        report.not_here(name, reason)
        return
    told: list[Exception] = []
    _left_over(report, name, lambda: told.append(_greedy(report.device)))
    error = told[-1]
    figures = {"class": type(error).__name__, "words": str(error)[:80]}
    report.check("too little memory is known as that", "OutOfMemoryError", is_out_of_memory(error), **figures)


def _left_over(report: Report, name: str, use: Callable[[], None]) -> None:
    """Use the GPU twice, and see what torch holds after the second time that it did not hold after the first.

    What every process needs once, images and scratch memory of libraries, is there by then.
    """
    use()
    report.clean()
    before = torch.cuda.memory_reserved()
    use()
    held = torch.cuda.memory_reserved() - before
    report.check(name, f"{MOST_HELD >> 20} MiB are held at most", held < MOST_HELD, MiB_held=held / 2**20)


def _left_after_an_epoch(device: torch.device, graph: bool) -> None:
    begun = train(_OF.study(device, graph=graph), _OF.configuration, 1, device=device)
    next(begun)
    begun.close()  # type: ignore[attr-defined]


def _greedy(device: torch.device) -> Exception:
    """Ask for more than there is in the middle of a trial, as a worker sees it; returns the error."""

    def too_much(self: TrainingRun, batch: object) -> Tensor:
        return torch.empty(2**42, dtype=torch.uint8, device=device)

    with patch.object(TrainingRun, "_gradients", too_much):
        try:
            list(train(_OF.study(device), _OF.configuration, 1, device=device))
        except Exception as error:
            forget_frames(error)
            release(device)
            return error
    raise AssertionError("four tebibytes were found")


def latencies(report: Report) -> None:
    """With kernels that cuDNN chose by rules, and by trying."""
    of = NETWORKS["cifar 47M 8x3d"]
    template = of.study(report.device).network_template()
    cudnn = torch.backends.cudnn
    for tried in (False, True):
        if tried and not report.on_gpu:
            report.not_here("latency with kernels found by trying", "nothing is tried there")
            continue
        with patch.object(latency, "prepare", lambda *_, tried=tried: setattr(cudnn, "benchmark", tried)):
            found = latency.measure_latency(template, of.configuration.architecture, device=report.device)
        how = ("by trying" if tried else "by rules") if report.on_gpu else "as a CPU has them"
        report.figure(f"latency with kernels {how}", ms=found.latency_ms, median_above_it=found.latency_ms_spread)
