"""Do the intervals of `effects.csv` mean what they say? How often they cover the truth, where it is known.

    export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
    python -m benchmarks.search.effects_coverage [--seeds 50] [--space uniform] [--trials 60] [--first-seed 0]

Every seed is another made-up surface of `optimizer/surfaces.py`, on which our optimizer proposes all the trials. A cell
is a value of cardinality or depth; its truth is the lowest error without noise of all candidates that have it. Cells of
one surface share its trials, so that the interval of the coverage is Student's over surfaces, not over cells.

The method was made on seeds 1000 to 1049; seeds 0 to 49 are its test.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import dataclass

import numpy as np
from resnext_search.search.surrogate.effects import effects_of
from resnext_search.search.surrogate.gaussian_process import one_thread
from resnext_search.search.surrogate.observations import Observations
from resnext_search.search.surrogate.posterior import CandidatePosterior
from scipy.stats import t

from benchmarks.search.optimizer.surfaces import Surface, surface

SPACES = ("uniform", "staged")
# Of the trials of a cell: groups of cells whose coverage is told.
GROUPS = ((0, 0), (1, 1), (2, 4), (5, 14), (15, math.inf))


@dataclass(frozen=True)
class Cell:
    """The interval of one value of one axis in percent, the truth, and how many trials had that value."""

    truth: float
    low: float
    high: float
    trials: int

    @property
    def covered(self) -> bool:
        """Whether the truth lies inside."""
        return self.low <= self.truth <= self.high


@dataclass(frozen=True)
class Searched:
    """The cells of one surface, and the seconds that its intervals took."""

    cells: list[Cell]
    seconds: float


def searched(problem: Surface, seed: int, trials: int) -> Searched:
    """Search one surface and compare what was learned with the truth."""
    optimizer, pool = problem.optimizer(seed), problem.pool
    tried, errors = [], []
    for number in range(trials):
        [proposal] = optimizer.ask()
        error = problem.observe(proposal.configuration, np.random.default_rng([seed, 2, number]))
        optimizer.tell(proposal.proposal_id, {"validation_error": error})
        tried.append(proposal.configuration)
        errors.append(error)
    began = time.perf_counter()
    with one_thread():
        observations = Observations(pool.features_of(tried), np.array(errors))
        effects = effects_of(CandidatePosterior.after(pool, observations), seed)
    seconds = time.perf_counter() - began
    true = np.array([problem.true(pool.configuration(candidate)) for candidate in range(len(pool))])
    lowest = true.reshape(len(problem.feasible), -1).min(axis=1)  # of every architecture, at its best learning rate
    cells = [
        Cell(
            float(lowest[np.asarray(getattr(problem.feasible, effect.axis)) == effect.value].min()),
            effect.low,
            effect.high,
            sum(getattr(one.architecture, effect.axis) == effect.value for one in tried),
        )
        for effect in effects
    ]
    return Searched(cells, seconds)


def interval(shares: list[float]) -> tuple[float, float]:
    """Mean of `(surfaces,)` shares, at least two, and half of its 95 % interval, both in percent."""
    half = t.ppf(0.975, len(shares) - 1) * np.std(shares, ddof=1) / math.sqrt(len(shares))
    return 100 * float(np.mean(shares)), 100 * float(half)


def report(found: list[Searched]) -> str:
    """The figures, as a Markdown table."""
    cells = [cell for one in found for cell in one.cells]
    coverage, half = interval([float(np.mean([cell.covered for cell in one.cells])) for one in found])
    above = 100 * np.mean([cell.truth > cell.high for cell in cells])
    below = 100 * np.mean([cell.truth < cell.low for cell in cells])
    lines = [
        f"n={len(found)} surfaces, {len(cells)} cells: {coverage:.1f} ± {half:.1f} % covered, truth above the interval "
        f"in {above:.1f} %, below in {below:.1f} %; median {np.median([one.seconds for one in found]):.2f} s a surface",
        "",
        "| trials of the cell | cells | covered, % | median width, points |",
        "|---|---|---|---|",
    ]
    for low, high in GROUPS:
        group = [cell for cell in cells if low <= cell.trials <= high]
        if group:
            name = str(low) if low == high else f"{low} to {high}" if high < math.inf else f"{low} or more"
            covered = 100 * np.mean([cell.covered for cell in group])
            width = np.median([cell.high - cell.low for cell in group])
            lines.append(f"| {name} | {len(group)} | {covered:.0f} | {width:.2f} |")
    return "\n".join(lines)


def main() -> None:
    """Search the surfaces and print the figures."""
    parser = argparse.ArgumentParser(description="Check the intervals of effects.csv on made-up surfaces.")
    parser.add_argument("--seeds", type=int, default=50, help="surfaces, at least 2 (default: 50)")
    parser.add_argument("--first-seed", type=int, default=0, help="number of the first seed (default: 0)")
    parser.add_argument("--space", choices=SPACES, default="uniform", help="which architectures (default: uniform)")
    parser.add_argument("--trials", type=int, default=60, help="trials on each surface (default: 60)")
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error(f"--seeds: {options.seeds} is too few for an interval; at least 2 are needed")
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    found = [searched(surface(seed, options.space), seed, options.trials) for seed in seeds]
    print(f"surfaces-{options.space}, {options.trials} trials, seeds {seeds[0]} to {seeds[-1]}\n\n{report(found)}")


if __name__ == "__main__":
    main()
