"""Does the verdict keep its promises? How often its words err and its intervals cover, where the truth is known.

    python benchmarks/verdict/calibration.py [--studies 2000] [--workers 1] [--example-error 0.06]

Prints a Markdown table. Three arms with errors of about 8 % are tested on 10,000 images, and every answer of every run
is simulated: image i is got wrong by run k of arm a if

    threshold[a] + run[a, k] + difficulty[i] + taste[a, i] + waver[a, k, i] > 0,

all normal. Most images are easy for everyone, arms agree on most of the hard ones, and runs of one arm on nearly all.
The true error of an arm, over all runs and all images, is then the normal distribution function of its threshold in
units of the whole standard deviation: the thresholds are chosen for it, and no truth is estimated. "SD" is the standard
deviation of the test error between seeds as a user measures it, on one test set: it contains what wavers.

"Seeds" are 10 without a true gain, else what `seeds_needed` says. The sampling of the images gives a difference
between two arms a standard error of its own (`--example-error`). From about 0.12 points on, with an SD of 0.5, no
number of seeds is enough, and the row has 10: the images alone then often move the probability of improvement below
its limit.

"Two-way t" is the interval that the verdict uses. "t over seeds" is Student's, which takes the test images for all that
there are; "bootstrap" is the percentile interval of the crossed bootstrap.
"""

from __future__ import annotations

import argparse
import math
import platform
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy
from resnext_search.results.inference.comparisons import compare
from resnext_search.results.inference.power import Spread, seeds_needed
from resnext_search.results.inference.rules import Question, choose_word
from resnext_search.results.inference.sample import Sample
from resnext_search.results.statistics.estimates import paired
from scipy.optimize import brentq
from scipy.special import ndtri, owens_t

QUESTION = Question("spend", "cardinality", ("cardinality", "depth", "width"))
MARGIN = 0.3
ERROR = 0.08
EXAMPLES = 10_000
# What wavers contributes this to the SD between seeds, in points: two runs disagree on 2.9 % of the images.
WAVERING = 0.12
WORDS = ("supported", "partly supported", "contradicted", "no practical difference", "inconclusive")
DEVIATIONS = (0.15, 0.3, 0.5)
SEEDS = 10
# Every fourth study, since drawing images takes longer than everything else.
BOOTSTRAPPED = 4
REPLICATES = 1000


@dataclass(frozen=True)
class World:
    """Standard deviations of the latent effects of the images; what wavers has 1."""

    difficulty: float
    taste: float

    @classmethod
    def of(cls, example_error: float) -> World:
        """The world in which other images deviate by so many points in a difference."""
        own_wrong = ERROR - EXAMPLES * (WAVERING / 100) ** 2
        own = brentq(lambda rho: both_wrong(ERROR, rho) - own_wrong, 0, 1 - 1e-12)
        other_wrong = own_wrong - EXAMPLES * (example_error / 100) ** 2 / 2
        other = brentq(lambda rho: both_wrong(ERROR, rho) - other_wrong, 0, 1 - 1e-12)
        return cls(math.sqrt(other / (1 - own)), math.sqrt((own - other) / (1 - own)))

    def wrong(self, errors: np.ndarray, deviation: float, seeds: int, generator: np.random.Generator) -> np.ndarray:
        """One study's answers, `(arms, seeds, EXAMPLES)`, of arms with these true errors and this SD between seeds."""
        arms, runs = len(errors), self._runs(errors, deviation)
        whole = np.sqrt(1 + self.difficulty**2 + self.taste**2 + runs**2)

        def normal(*shape: int) -> np.ndarray:
            return generator.standard_normal(shape, dtype=np.float32)

        latent = normal(arms, seeds, EXAMPLES)
        latent += runs.astype(np.float32)[:, None, None] * normal(arms, seeds, 1)
        latent += (self.difficulty * normal(EXAMPLES) + self.taste * normal(arms, EXAMPLES))[:, None]
        return latent > -(whole * ndtri(errors)).astype(np.float32)[:, None, None]

    def _runs(self, errors: np.ndarray, deviation: float) -> np.ndarray:
        """Latent standard deviation of an arm's runs, `(arms,)`: what is left of the SD when wavering has its part."""
        whole = 1 + self.difficulty**2 + self.taste**2
        wavering = np.sqrt((errors - both_wrong(errors, 1 - 1 / whole)) / EXAMPLES)
        points_per_unit = np.exp(-(ndtri(errors) ** 2) / 2) / math.sqrt(2 * math.pi * whole)
        return np.sqrt((deviation / 100) ** 2 - wavering**2) / points_per_unit


def both_wrong(error: np.ndarray | float, rho: float) -> np.ndarray | float:
    """Probability that two answers are wrong whose latents are correlated; each is with probability `error`."""
    return error - 2 * owens_t(ndtri(error), math.sqrt((1 - rho) / (1 + rho)))


@dataclass(frozen=True)
class Case:
    """A kind of study: how much runs and images deviate, the claimant's true gain in points, and seeds an arm."""

    deviation: float
    example_error: float
    gain: float
    seeds: int


def study(case: Case, number: int) -> Counter[str]:
    """Simulate and judge one study; what happened in it, to be counted."""
    generator = np.random.default_rng([round(1000 * case.deviation), round(1000 * case.gain) + 10_000, number])
    errors = ERROR + np.array([0.0, case.gain, case.gain]) / 100
    wrong = World.of(case.example_error).wrong(errors, case.deviation, case.seeds, generator)
    sample = Sample.of_answers(QUESTION.arms, wrong)
    bootstrapped = number % BOOTSTRAPPED == 0 and case.gain == 0
    comparisons, _ = compare(sample, QUESTION, generator, REPLICATES if bootstrapped else 0)
    happened = Counter({choose_word([one.finding() for one in comparisons], None, MARGIN): 1})
    for one in comparisons:
        happened["two-way t"] += one.interval[0] <= case.gain <= one.interval[1]
        happened["bound above"] += one.lower_bound > case.gain
        low, high = paired(sample.errors[QUESTION.arms.index(one.rival)] - sample.errors[0]).interval(0.95)
        happened["t over seeds"] += low <= case.gain <= high
        if bootstrapped:
            happened["bootstrap"] += one.bootstrap_interval[0] <= case.gain <= one.bootstrap_interval[1]
            happened["probability"] += one.probability_interval[0] <= 0.5 <= one.probability_interval[1]
            happened["bootstraps"] += 1
    happened["comparisons"] = len(comparisons)
    happened["squared deviation"] = round(1e9 * float(wrong[0].mean(axis=1).var(ddof=1)))
    return happened


def row(case: Case, counts: Counter[str], studies: int) -> str:
    """A line of the table."""

    def share(name: str, total: int) -> str:
        return f"{100 * counts[name] / total:.1f}" if total else ""

    comparisons = counts["comparisons"]
    measured = 100 * math.sqrt(counts["squared deviation"] / 1e9 / studies)
    cells = [
        f"{case.deviation:g} ({measured:.3f})",
        f"{case.gain:+g}" if case.gain else "none",
        str(case.seeds),
        *(share(word, studies) for word in WORDS),
        share("two-way t", comparisons),
        share("bound above", comparisons),
        share("t over seeds", comparisons),
        share("bootstrap", counts["bootstraps"]),
        share("probability", counts["bootstraps"]),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Simulate every case and print the table."""
    parser = argparse.ArgumentParser(description="Calibrate the verdict on simulated studies.")
    parser.add_argument("--studies", type=int, default=2000, help="studies of each case (default: 2000)")
    parser.add_argument("--workers", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--example-error", type=float, default=0.06, help="standard error, in points (default: 0.06)")
    options = parser.parse_args()
    start = time.perf_counter()
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, {platform.machine()}; "
        f"n={options.studies} studies a row, bootstrap every {BOOTSTRAPPED}th ({REPLICATES} replicates); margin "
        f"{MARGIN} points, {EXAMPLES:,} test images whose sampling gives a difference a standard error of "
        f"{options.example_error:g}. All but the first three columns are percent; coverage is of 95 % "
        "intervals.\n"
    )
    print(
        f"| SD, points (measured) | true gain, points | seeds | {' | '.join(WORDS)} | coverage: two-way t "
        "| its bound above the truth | coverage: t over seeds | coverage: bootstrap "
        "| coverage: bootstrap of P(improvement) |"
    )
    print(f"|{'---|' * (8 + len(WORDS))}")
    with ProcessPoolExecutor(options.workers) as pool:
        for deviation in DEVIATIONS:
            spread = Spread((deviation,) * 3, (options.example_error,) * 2)
            needed = seeds_needed(QUESTION, spread, margin=MARGIN) or SEEDS
            for gain, seeds in ((0.0, SEEDS), (2 * MARGIN, needed), (-2 * MARGIN, needed)):
                case = Case(deviation, options.example_error, gain, seeds)
                counts: Counter[str] = Counter()
                for happened in pool.map(partial(study, case), range(options.studies), chunksize=20):
                    counts.update(happened)
                print(row(case, counts, options.studies), flush=True)
    print(f"\n{time.perf_counter() - start:.0f} seconds with {options.workers} worker(s)")


if __name__ == "__main__":
    main()
