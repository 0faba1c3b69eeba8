"""How fast are eight networks trained, and 3x3 convolutions alone? Step by step, as a graph, and what is left idle."""

from __future__ import annotations

import time
from typing import Any

import torch
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.architecture.training_cost import SCRATCH_BYTES, training_bytes, training_flops
from resnext_search.trainers.device import prepare
from resnext_search.trainers.training_run import TrainingRun
from torch import nn

from benchmarks.device.networks import NETWORKS, endless_steps
from benchmarks.device.report import Report, endless

# Peak of a step, over what `plan` says of it, images and scratch memory left out.
MOST_MEMORY = 1.3
WARM_UP_STEPS, STEPS, REPLAYS = 20, 100, 100
WARM_UP_STEPS_ON_CPU, STEPS_ON_CPU = 0, 2
LEAST_SECONDS = 15.0

# Channels, groups and side of 3x3 convolutions with stride 1: of the networks above, C = 1, 8 and 32; the last two are
# eight networks side by side.
KERNELS = ((64, 1, 32), (112, 8, 32), (128, 32, 32), (256, 32, 16), (512, 32, 8), (8 * 64, 8, 32), (8 * 16, 8, 32))
KERNEL_IMAGES, KERNEL_IMAGES_ON_CPU = 128, 2


def speed(report: Report) -> None:
    """Of every network: the first step, with what cuDNN tries; a step; its share that Python needs; judging."""
    for label in NETWORKS:
        if report.left() < LEAST_SECONDS:
            report.figure(f"speed of {label}: no time is left")
            continue
        _speed_of(report, label)
        report.clean()


def _speed_of(report: Report, label: str) -> None:
    trial = NETWORKS[label].trial(report.device, threads=torch.get_num_threads())
    size, steps = trial.recipe.batch_size, endless_steps(trial)
    report.wait()
    began = time.perf_counter()
    next(steps)
    report.wait()
    first = time.perf_counter() - began
    for _ in range(WARM_UP_STEPS if report.on_gpu else WARM_UP_STEPS_ON_CPU):
        next(steps)
    if report.on_gpu:
        torch.cuda.reset_peak_memory_stats()
    ms, asked = report.clock(steps, STEPS if report.on_gpu else STEPS_ON_CPU)
    peak = torch.cuda.max_memory_allocated() if report.on_gpu else 0
    study, architecture = NETWORKS[label].study(report.device), NETWORKS[label].configuration.architecture
    multiply_adds = int(complexity(study.network_template(), architecture).multiply_adds)
    images = trial.splits.validation
    trial.predict(images)
    began = time.perf_counter()
    trial.predict(images)
    judged = len(images) / (time.perf_counter() - began)
    figures: dict[str, Any] = {
        "batch": size,
        "ms": ms,
        "ms_asking": asked,
        "images_per_s": 1_000 * size / ms,
        "TFLOP_per_s": training_flops(multiply_adds, size) / ms / 1e9,
        "first_step_s": first,
        "judged_per_s": judged,
    }
    report.figure(f"speed of {label}", **figures)
    _memory_of(report, label, trial, peak)
    del steps, trial
    report.clean()
    _graph_of(report, label, ms)


def _memory_of(report: Report, label: str, trial: TrainingRun, peak: int) -> None:
    """Whether a step takes what is predicted."""
    name = f"memory of a step of {label}"
    if not report.on_gpu:
        report.not_here(name, "torch counts the memory of GPUs alone")
        return
    study, architecture = NETWORKS[label].study(report.device), NETWORKS[label].configuration.architecture
    predicted = training_bytes(study.network_template(), architecture, trial.recipe.batch_size)
    beside = trial.batches.images.nbytes + SCRATCH_BYTES  # type: ignore[attr-defined]
    figures = {"MiB": peak / 2**20, "MiB_predicted": predicted / 2**20, "MiB_of_images_and_scratch": beside / 2**20}
    condition = f"at most {MOST_MEMORY:g} times what is predicted, with images and scratch memory"
    report.check(name, condition, peak < MOST_MEMORY * predicted + beside, **figures)


def _graph_of(report: Report, label: str, usual_ms: float) -> None:
    """The same as a graph; the graph alone is what the GPU itself needs, and its share of a usual step is busy."""
    name = f"speed of {label} as a graph"
    if not report.on_gpu:
        report.not_here(name, "it has no graphs")
        return
    trial = NETWORKS[label].trial(report.device, threads=torch.get_num_threads(), graph=True)
    steps = endless_steps(trial)
    for _ in range(5):
        loss = next(steps)
    ms, asked = report.clock(steps, STEPS)
    assert trial.graph is not None
    alone, _ = report.clock(endless(trial.graph._graph.replay), REPLAYS)
    loss = next(steps)
    report.check(
        name,
        "the loss is finite",
        bool(torch.isfinite(loss)),
        ms=ms,
        ms_asking=asked,
        images_per_s=1_000 * trial.recipe.batch_size / ms,
        ms_of_the_graph_alone=alone,
        gpu_busy_in_usual_steps=alone / usual_ms,
    )


def kernels(report: Report) -> None:
    """3x3 convolutions alone, forward and backward, in both layouts and kinds of numbers."""
    prepare(report.device, torch.get_num_threads())
    for channels, groups, side in KERNELS:
        found = {}
        for kind, dtype in (("bfloat16", torch.bfloat16), ("32_bits", torch.float32)):
            for layout, memory_format in (("last", torch.channels_last), ("first", torch.contiguous_format)):
                found[f"ms_{kind}_channels_{layout}"] = _kernel_ms(report, channels, groups, side, dtype, memory_format)
                report.clean()
        count = KERNEL_IMAGES if report.on_gpu else KERNEL_IMAGES_ON_CPU
        report.figure(f"3x3, {channels} channels in {groups} groups, {count} maps of {side}x{side}", **found)


def _kernel_ms(
    report: Report, channels: int, groups: int, side: int, dtype: torch.dtype, memory_format: torch.memory_format
) -> float:
    images = KERNEL_IMAGES if report.on_gpu else KERNEL_IMAGES_ON_CPU
    layer = nn.Conv2d(channels, channels, 3, padding=1, groups=groups, bias=False).to(report.device, dtype)
    layer = layer.to(memory_format=memory_format)  # type: ignore[call-overload]
    maps = torch.randn(images, channels, side, side, device=report.device, dtype=dtype)
    maps = maps.contiguous(memory_format=memory_format).requires_grad_()
    gradient = maps.detach().clone()
    steps = endless(lambda: torch.autograd.backward(layer(maps), gradient))
    for _ in range(3 if report.on_gpu else 1):
        next(steps)
    return report.clock(steps, 20 if report.on_gpu else 1)[0]
