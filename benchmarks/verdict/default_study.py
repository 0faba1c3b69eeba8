"""How often does each word come out of the study that comes with the package? Whole studies, folds included.

    python -m benchmarks.verdict.default_study [--studies 1000] [--workers 2]

Like `spaces/fixed_flops.yaml` on its 1,797 images without a test split: four arms are tuned on folds of the same images
that they are tested on, so that a rate is chosen on images that are tested too, by networks that make the same
mistakes. Curves, errors and spreads are those of a run of the study (`results/reference/digits_spend`).
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from resnext_search.results.inference.decision import decide
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.sample import Sample
from resnext_search.results.statistics.estimates import clopper_pearson
from resnext_search.spaces.claim.tuning_fit import Point, Tuned
from resnext_search.spaces.folds import FOLDS

from benchmarks.verdict.calibration import WORDS
from benchmarks.verdict.tunings import Curve, tune_by, tuned_inside
from benchmarks.verdict.worlds import World

ARMS = ("cardinality", "depth", "width", "base")
QUESTION = Question("spend", "cardinality", ARMS, base="base")
IMAGES = 1797
FOLD_OF_IMAGE = np.arange(IMAGES) % FOLDS
RATES = [float(f"{rate:.4g}") for rate in np.geomspace(0.003, 1.0, 7)]
# Of the run: error of the claimant, and what the base errs more than the worst rival; SD between seeds of the error on
# all images, the part of it that wavers (on one fold it is more than twice as much), and what other images would do.
ERROR, BASE_GAIN = 1.4, 0.5
DEVIATION, WAVERING, EXAMPLE_ERROR = 0.3, 0.22, 0.05
# Log error rises with the square of the distance from the best log rate.
CURVATURE, BEST = 0.12, {"cardinality": -2.2, "depth": -2.7, "width": -2.2, "base": -2.0}
CURVES: dict[str, Curve] = {arm: lambda at, best=best: CURVATURE * (at - best) ** 2 for arm, best in BEST.items()}
WORLD = World.of(IMAGES, EXAMPLE_ERROR, ERROR / 100, WAVERING)


@dataclass(frozen=True)
class Case:
    """What the claimant truly errs less than depth and width, in points; seeds an arm, and the margin."""

    gains: tuple[float, float]
    seeds: int
    margin: float
    tuning_seeds: int = 2

    def errors(self) -> np.ndarray:
        """True errors of `ARMS` at their best rates, in percent."""
        return np.array([ERROR, ERROR + self.gains[0], ERROR + self.gains[1], ERROR + max(*self.gains, 0) + BASE_GAIN])


def tuned(case: Case, number: int) -> dict[str, Tuned]:
    """The tuning of one study, on folds of its images."""
    generator = np.random.default_rng([3, number])
    population = WORLD.population(len(ARMS), generator)
    best = dict(zip(ARMS, case.errors(), strict=True))

    def trial(arm: str, rate: float, seed: int) -> Point:
        place = ARMS.index(arm)
        own = population._replace(taste=population.taste[[place]])
        true = min(best[arm] * math.exp(CURVES[arm](np.log(rate))), 90.0)
        wrong = WORLD.answers(own, np.array([true]) / 100, DEVIATION, 1, generator)[0, 0]
        return Point(rate, 100 * float(wrong[seed % FOLDS == FOLD_OF_IMAGE].mean()), seed)

    return tune_by(trial, ARMS, RATES, IMAGES // FOLDS, tuning_seeds=case.tuning_seeds, levels=True)


def study(case: Case, task: tuple[int, dict[str, Tuned], np.ndarray]) -> Counter[str]:
    """Confirm and judge one study on the images that it was tuned on; what came out."""
    number, of, multiples = task
    population = WORLD.population(len(ARMS), np.random.default_rng([3, number]))
    generator = np.random.default_rng([4, number])
    answers = WORLD.answers(population, case.errors() * multiples / 100, DEVIATION, case.seeds, generator)
    folds = np.arange(case.seeds) % FOLDS
    wrong = tuple(tuple(own[seed][fold == FOLD_OF_IMAGE] for seed, fold in enumerate(folds)) for own in answers)
    errors = tuple(np.array([100 * float(one.mean()) for one in own]) for own in wrong)
    tuning = {
        arm: (of[arm].variance * float(own.mean()) ** 2, of[arm].degrees) for arm, own in zip(ARMS, errors, strict=True)
    }
    sample = Sample(ARMS, errors, True, wrong, (folds,) * len(ARMS), tuning)
    decision = decide(sample, QUESTION, case.margin)
    happened = Counter[str]({decision.word: 1, decision.direction: 1})
    for one, gain in zip(decision.comparisons.plain, case.gains, strict=True):
        happened["covers"] += one.interval[0] <= gain <= one.interval[1]
        happened["error"] += round(1e6 * one.standard_error**2)
        happened["said"] |= gain == 0 and min(one.p_holm, one.p_worse_holm) <= 0.025
    return happened


def simulate(pool: ProcessPoolExecutor, case: Case, studies: int) -> tuple[Counter[str], int]:
    """What came out of so many studies, and how many were tuned inside their range."""
    tasks = tuned_inside(pool.map(partial(tuned, case), range(studies), chunksize=20), CURVES)
    counts: Counter[str] = Counter()
    for one in pool.map(partial(study, case), tasks, chunksize=20):
        counts.update(one)
    return counts, len(tasks)


def main() -> None:
    """Simulate every case and print the table."""
    parser = argparse.ArgumentParser(description="Words of the default study.")
    parser.add_argument("--studies", type=int, default=1000, help="studies of each case (default: 1000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[15], help="an arm (default: 15)")
    parser.add_argument("--margins", type=float, nargs="+", default=[1.0], help="in points (default: 1)")
    options = parser.parse_args()
    start = time.perf_counter()
    print(f"n={options.studies} studies a row; words in percent.\n")
    print(
        f"| margin | seeds | true gain over depth, width | {' | '.join(WORDS)} | direction better | worse "
        "| wrong direction, upper limit | coverage | standard error | at the edge |"
    )
    print(f"|{'---|' * (len(WORDS) + 9)}")
    with ProcessPoolExecutor(options.workers) as pool:
        for margin in options.margins:
            for seeds in options.seeds:
                for gains in ((0.0, 0.0), (2 * margin, 0.0), (2 * margin, 2 * margin)):
                    counts, total = simulate(pool, Case(gains, seeds, margin), options.studies)
                    shares = [f"{100 * counts[name] / total:.1f}" for name in (*WORDS, "better", "worse")]
                    high = f"{100 * clopper_pearson(counts['said'], total)[1]:.1f}" if 0.0 in gains else ""
                    cells = [
                        f"{margin:g}",
                        str(seeds),
                        f"{gains[0]:+g}, {gains[1]:+g}" if any(gains) else "none",
                        *shares,
                        high,
                        f"{50 * counts['covers'] / total:.1f}",
                        f"{math.sqrt(counts['error'] / 2e6 / total):.2f}",
                        f"{100 * (1 - total / options.studies):.1f}",
                    ]
                    print(f"| {' | '.join(cells)} |", flush=True)
    print(f"\n{time.perf_counter() - start:.0f} seconds with {options.workers} worker(s)")


if __name__ == "__main__":
    main()
