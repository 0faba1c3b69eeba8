"""What do several processes on one device do together? Trials share a GPU so, with or without NVIDIA's service."""

from __future__ import annotations

import multiprocessing
import os
import queue
import statistics
import time
from pathlib import Path
from typing import Any

import torch

from benchmarks.device.networks import NETWORKS, endless_steps, without_files
from benchmarks.device.report import Report

PROCESSES, SECONDS, LABELS = (1, 4, 12), 4.0, ("cifar 47M 1x16d", "fashion 4M 1x16d")
SECONDS_ON_CPU, LABELS_ON_CPU = 2.0, ("digits 1M 2x12d",)
# A process imports torch and makes a context; twelve at once wait for each other.
LEAST_SECONDS = 25.0


def processes(report: Report) -> None:
    """Images a second of 1, 4 and 12 processes with a thread each, all of which train while the clock runs."""
    cores = os.cpu_count() or 1
    for label in LABELS if report.on_gpu else LABELS_ON_CPU:
        for count in PROCESSES if report.on_gpu else sorted({1, cores}):
            if report.left() < LEAST_SECONDS:
                report.figure(f"{count} processes, {label}: no time is left")
                continue
            together(report, label, count)
    if not report.on_gpu:
        report.not_here("more processes than cores", "each would wait for another")


def together(report: Report, label: str, count: int) -> None:
    """Print what so many processes do."""
    context, seconds = multiprocessing.get_context("spawn"), SECONDS if report.on_gpu else SECONDS_ON_CPU
    patience = max(report.left() - 5, LEAST_SECONDS)
    start, told = context.Barrier(count), context.Queue()
    arguments = (report.device.type, label, seconds, patience, start, told)
    running = [context.Process(target=_train, args=arguments, daemon=True) for _ in range(count)]
    for process in running:
        process.start()
    speeds: list[float] = []
    failures: list[str] = []
    try:
        for _ in running:
            speed, failure = told.get(timeout=patience)
            speeds.append(speed)
            failures += [failure] if failure else []
    except queue.Empty:
        failures.append(f"{count - len(speeds)} said nothing in {patience:.0f} s")
    for process in running:
        process.join(timeout=5)
        process.kill()
    name = f"{count} process{'es' * (count > 1)}, {label}"
    figures: dict[str, Any] = {"images_per_s_of_all": sum(speeds), "of_each": statistics.median(speeds or [0.0])}
    report.check(name, "all end", not failures, **figures, **({"failure": failures[0]} if failures else {}))


def shares_at_once() -> str:
    """Whether NVIDIA's multi-process service seems to run, without which processes take turns."""
    pipe = Path(os.environ.get("CUDA_MPS_PIPE_DIRECTORY", "/tmp/nvidia-mps"))
    return "seems to run" if (pipe / "control").exists() else "not seen"


def _train(kind: str, label: str, seconds: float, patience: float, start: Any, told: Any) -> None:
    """In a process of its own: train from when all are ready, and tell images a second, or what went wrong."""
    try:
        with without_files():
            trial = NETWORKS[label].trial(torch.device(kind))
            steps, done = endless_steps(trial), 0
            for _ in range(20 if kind == "cuda" else 2):
                float(next(steps))
            start.wait(timeout=patience)
            began = time.perf_counter()
            while time.perf_counter() - began < seconds:
                for _ in range(9):
                    next(steps)
                float(next(steps))
                done += 10
            told.put((done * trial.recipe.batch_size / (time.perf_counter() - began), ""))
    except Exception as error:
        told.put((0.0, f"{type(error).__name__}: {str(error)[:200]}"))
        start.abort()
