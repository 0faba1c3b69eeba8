"""Does the driver of a long study grow? Two thousand tiny trials through a real Ray, and `status` after them.

    python -m benchmarks.many_trials [--trials 2000] [--optimizer ax] [--folder runs/many_trials] [--out FILE.csv]

The trainer trains nothing: it yields made-up epochs at once, so that what is left is ours, Ray's and the optimizer's.
The driver's resident memory is read when every 100 trials have ended; the growth is the slope of the second half, in MB
per 100 trials, since the first half still imports and fills caches. `status` is a process of its own, five times.
"""

from __future__ import annotations

import argparse
import csv
import gc
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from resnext_search.results import Journal, StudyFolder
from resnext_search.search import run_study
from resnext_search.spaces.errors import ResnextSearchError
from resnext_search.spaces.study_file import parse_study

EVERY = 100
GOAL_MB_PER_100 = 1.0
GOAL_STATUS_SECONDS = 1.0

STUDY = """
name: many-trials
data: {name: digits, validation_images: 400}
template: {stem: cifar, stride: 1, planes: 12, stages: 3}
budget: {like: {cardinality: 2, width: 12, blocks: [1, 1, 1]}, tolerance: 2%}
axes:
  cardinality: [1, 2, 4, 8, 16, 32]
  width: {min: 1, max: 64}
  blocks: {min: 1, max: 6}
  learning_rate: {min: 0.003, max: 1.0, scale: log}
trainer: {epochs: 2, batch_size: 64}
search: {parallel: 2}
resources: {cpu: 1, gpu: 0}
"""


class Row(NamedTuple):
    """The driver when so many trials had ended."""

    trials: int
    seconds: float
    resident_mb: float


def pretend(study: Any, configuration: Any, seed: int, **_: Any) -> Iterator[Any]:
    """Made-up epochs, with errors that depend on the learning rate so that there is something to learn."""
    from math import log10

    from resnext_search.trainers import Epoch

    rate = dict(configuration.knobs)["learning_rate"]
    for epoch in range(1, study.trainer.epochs + 1):
        error = 5 + 10 * (log10(rate) + 1) ** 2 / epoch + seed % 100 / 50
        yield Epoch(epoch, rate, 1.0 / epoch, 1.0 / epoch, error, 0.001)


def main(argv: Sequence[str] | None = None) -> int:
    """Run it; exit code 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--optimizer", default="ax", choices=["ax", "sobol"])
    parser.add_argument("--folder", type=Path, default=Path("runs/many_trials"))
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args(argv)
    study = parse_study(
        STUDY, "many_trials.py", [f"search.trials={arguments.trials}", f"search.optimizer={arguments.optimizer}"]
    )
    rows: list[Row] = []
    over = threading.Event()
    folder = StudyFolder(arguments.folder)
    watcher = threading.Thread(target=_watch, args=(folder, rows, over), daemon=True)
    watcher.start()
    run_study(study, arguments.folder, train=pretend, cpus=2)
    over.set()
    watcher.join()
    growth = _slope(rows[len(rows) // 2 :])
    times = [_status_seconds(arguments.folder) for _ in range(5)]
    for row in rows:
        print(f"{row.trials:6} trials  {row.seconds:7.1f} s  {row.resident_mb:8.1f} MB")
    print(f"growth in the second half: {growth:.2f} MB per {EVERY} trials (goal: at most {GOAL_MB_PER_100:g})")
    print(
        f"status: median {statistics.median(times):.2f} s of {len(times)}, {min(times):.2f} to {max(times):.2f} "
        f"(goal: under {GOAL_STATUS_SECONDS:g} s)"
    )
    if arguments.out is not None:
        with arguments.out.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([Row._fields, *rows])
    return int(growth > GOAL_MB_PER_100 or statistics.median(times) > GOAL_STATUS_SECONDS)


def _watch(folder: StudyFolder, rows: list[Row], over: threading.Event) -> None:
    """Read the driver's memory whenever another hundred trials have ended."""
    process, begun = psutil.Process(), time.monotonic()
    while not over.wait(0.2):
        try:
            with Journal(folder.journal, read_only=True) as journal:
                ended = int(journal._rows("SELECT COUNT(*) FROM trials WHERE ended_at IS NOT NULL")[0][0])
        except ResnextSearchError:  # not there yet
            continue
        if ended // EVERY > (rows[-1].trials // EVERY if rows else 0):
            gc.collect()
            rows.append(Row(ended, time.monotonic() - begun, process.memory_info().rss / 1e6))


def _slope(rows: Sequence[Row]) -> float:
    """Least squares: MB per 100 trials."""
    slope, _ = statistics.linear_regression([row.trials / EVERY for row in rows], [row.resident_mb for row in rows])
    return slope


def _status_seconds(folder: Path) -> float:
    begun = time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "resnext_search.search.cli", "status", str(folder)], check=True, capture_output=True
    )
    return time.monotonic() - begun


if __name__ == "__main__":
    sys.exit(main())
