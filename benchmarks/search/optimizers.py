"""Which optimizer finds good ResNeXts soonest? Ours, random search, Optuna and Ax, where the truth is known.

    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
    pip install 'resnext-search[benchmarks]'
    python -m benchmarks.search.optimizers run [--seeds 20] [--problems surfaces-uniform ...] [--methods ours ...]
    python -m benchmarks.search.optimizers cost
    python -m benchmarks.search.optimizers table > results/reference/optimizer/README.md

`run` appends a row as soon as a race of 80 trials ends (`--trials 40` for slow methods) and skips the rows that are
there; seed by seed, and within a seed in the order of the methods. `cost` times suggestions. To measure a changed
optimizer, delete its rows: `--again`.

The problems are in `optimizer/surfaces.py` (made-up surfaces over a real space, another for every seed),
`optimizer/digits.py` (a table of real trainings) and `optimizer/cells.py` (NAS-Bench-201 at a band of parameters).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path

from benchmarks.search.optimizer.problem import Problem
from benchmarks.search.optimizer.race import CHECKPOINTS, Maker, race, suggestion_seconds
from benchmarks.search.optimizer.rows import append, read
from benchmarks.search.optimizer.table import print_table

WORKERS = {"ours-4": 4, "ours-8": 8}
FOLDER = Path("results/reference/optimizer")
RACES = (
    "problem",
    "method",
    "seed",
    "trials",
    *(f"best_{trials}" for trials in CHECKPOINTS),
    *(f"chosen_{trials}" for trials in CHECKPOINTS),
    "reached",
    "infeasible",
    "seconds",
)
COSTS = ("method", "trials", "seconds")
COST_TRIALS = (20, 100, 500)
MANY_TRIALS = 10_000  # in a larger space: the first surface has 3,379 candidates
# Cheap ones first. By module: a library is imported when it is used.
METHODS = {
    "random": "method:Random",
    "ours": "method:Ours",
    "ours-4": "method:Ours",  # with four workers
    "ours-8": "method:Ours",
    "ours-two-objectives": "method:OursOfTwo",  # timed, not raced
    "optuna-tpe": "optuna_methods:TPE",
    "optuna-tpe-constrained": "optuna_methods:ConstrainedTPE",
    "optuna-gp": "optuna_methods:GP",
    "optuna-gp-constrained": "optuna_methods:ConstrainedGP",
    "ax-fast": "ax_methods:Fast",
    "ax-fast-constrained": "ax_methods:ConstrainedFast",
}
PROBLEMS = ("surfaces-uniform", "surfaces-staged", "digits", "cells")


def problem_of(name: str, seed: int) -> Problem:
    """The problem of this name; only surfaces are another for every seed."""
    return _surface(name.removeprefix("surfaces-"), seed) if name.startswith("surfaces-") else _table(name)


def maker_of(name: str) -> Maker:
    """What makes the method of this name."""
    module, found = METHODS[name].split(":")
    maker: Callable[..., object] = getattr(import_module(f"benchmarks.search.optimizer.{module}"), found)
    return maker  # type: ignore[return-value]


def _surface(space: str, seed: int) -> Problem:
    from benchmarks.search.optimizer.surfaces import surface

    return surface(seed, space)


@cache
def _table(name: str) -> Problem:
    if name == "digits":
        from benchmarks.search.optimizer.digits import Digits

        return Digits()
    from benchmarks.search.optimizer.cells import Cells

    return Cells()


def forget(path: Path, columns: Iterable[str], problems: list[str], methods: list[str]) -> None:
    """Delete rows of these problems and methods."""
    kept = [row for row in read(path, columns) if not (row["problem"] in problems and row["method"] in methods)]
    path.write_text(",".join(columns) + "\n")
    for row in kept:
        append(path, row.values())


def run(path: Path, problems: list[str], methods: list[str], seeds: range, trials: int) -> None:
    """Hold the races that the table lacks."""
    done = {(row["problem"], row["method"], row["seed"]) for row in read(path, RACES)}
    for seed in seeds:
        for method in methods:
            for name in problems:
                if (name, method, str(seed)) in done:
                    continue
                found = race(problem_of(name, seed), maker_of(method), seed, trials, WORKERS.get(method, 1))
                numbers = [*_padded(found.best), *_padded(found.chosen)]
                append(
                    path,
                    [name, method, seed, trials, *numbers, found.reached, found.infeasible, f"{found.seconds:.2f}"],
                )
                print(f"{name} {method} seed {seed}: {' '.join(numbers)} ({found.seconds:.1f} s)", flush=True)


def _padded(regrets: tuple[float, ...]) -> list[str]:
    written = [f"{regret:.5g}" for regret in regrets]
    return written + [""] * (len(CHECKPOINTS) - len(written))


def cost(path: Path, methods: list[str]) -> None:
    """Time the suggestions that the table lacks, on the first surface; of very many trials ours alone."""
    done = {(row["method"], row["trials"]) for row in read(path, COSTS)}
    wanted = [(trials, method) for trials in COST_TRIALS for method in methods if method not in WORKERS]
    for trials, method in [*wanted, (MANY_TRIALS, "ours")]:
        if (method, str(trials)) not in done:
            problem = problem_of("surfaces-free" if trials == MANY_TRIALS else "surfaces-uniform", 0)
            seconds = suggestion_seconds(problem, maker_of(method), trials)
            append(path, [method, trials, f"{seconds:.4g}"])
            print(f"{method} after {trials} trials: {seconds:.4g} s", flush=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Compare optimizers where the truth is known.")
    parser.add_argument("action", choices=("run", "cost", "table"))
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--methods", nargs="+", choices=tuple(METHODS), default=list(METHODS))
    parser.add_argument("--seeds", type=int, default=20, help="races of each method on each problem (default: 20)")
    parser.add_argument("--first-seed", type=int, default=0, help="number of the first seed (default: 0)")
    parser.add_argument("--trials", type=int, choices=CHECKPOINTS, default=CHECKPOINTS[-1], help="trials of a race")
    parser.add_argument("--again", action="store_true", help="run: forget the rows of these problems and methods first")
    parser.add_argument("--folder", type=Path, default=FOLDER, help=f"where the tables are (default: {FOLDER})")
    options = parser.parse_args()
    races, costs = options.folder / "races.csv", options.folder / "costs.csv"
    if options.action == "table":
        print_table(read(races, RACES), read(costs, COSTS), list(PROBLEMS), list(METHODS))
        return
    if os.environ.get("OMP_NUM_THREADS") != "1" or os.environ.get("OPENBLAS_NUM_THREADS") != "1":
        sys.exit("Set OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1: CPU times are those of one thread.")
    if options.action == "cost":
        cost(costs, options.methods)
        return
    if options.again:
        forget(races, RACES, options.problems, options.methods)
    run(
        races,
        options.problems,
        options.methods,
        range(options.first_seed, options.first_seed + options.seeds),
        options.trials,
    )


if __name__ == "__main__":
    main()
