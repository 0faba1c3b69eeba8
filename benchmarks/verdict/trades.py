"""Which word does a `trade` get if the truth bends? Whole studies, tuning included, by both rules.

    python -m benchmarks.verdict.trades [--studies 1000] [--workers 2]

Every C errs so many points more than C = 1, in the mean over tunings and trainings. Tuned as in `calibration.py`, with
the curves of the published trade; noise of a validation error 0.35 points, SD between seeds 0.22, ten seeds.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from resnext_search.results.inference import first_rules
from resnext_search.results.inference.comparisons import compare
from resnext_search.results.inference.decision import decide
from resnext_search.results.inference.question import ask
from resnext_search.results.statistics.estimates import clopper_pearson
from resnext_search.spaces.claim.tuning_fit import Tuned

from benchmarks.verdict.calibration import ERROR, MARGIN, SEED, WORDS, WORLD, sample_of
from benchmarks.verdict.tunings import Curve, smooth, tune, tuned_inside

NOISE, DEVIATION, SEEDS = "0.35", 0.22, 10
SOURCES = ("1x12d", "2x8d", "4x5d", "8x3d")


@dataclass(frozen=True)
class Truth:
    """What every C errs more than the smallest, in points."""

    name: str
    errors: tuple[float, ...]

    @property
    def arms(self) -> tuple[str, ...]:
        """Names by ascending C."""
        return tuple(f"{2**place}x{max(1, 12 >> place)}d" for place in range(len(self.errors)))

    def curves(self) -> dict[str, Curve]:
        """By arm, log error over log rate; beyond the published four the last one's."""
        return {arm: smooth("fashion_mnist_trade", SOURCES[min(k, 3)]) for k, arm in enumerate(self.arms)}


TRUTHS = (
    Truth("nothing differs", (0.0, 0.0, 0.0, 0.0)),
    Truth("linear", (0.0, -0.2, -0.4, -0.6)),
    Truth("linear, rising", (0.0, 0.2, 0.4, 0.6)),
    Truth("saturating", (0.0, -0.45, -0.6, -0.65)),
    Truth("U-shape, last worst", (0.0, -0.6, -0.8, 0.7)),
    Truth("U-shape, last worst", (0.0, -0.6, -0.8, -0.6, 0.7)),
    Truth("U-shape, last worst", (0.0, -0.6, -0.8, -0.7, -0.4, 0.7)),
    Truth("best in the middle", (0.0, -0.9, -1.2, -0.7)),
    Truth("best in the middle", (0.0, -0.6, -1.1, -1.0, -0.6)),
    Truth("best in the middle", (0.0, -0.5, -0.9, -1.2, -1.0, -0.7)),
    Truth("one dip", (0.0, -0.9, 0.1, 0.3)),
    Truth("falls late", (0.0, 0.0, 0.0, -0.9)),
)


def tuned(truth: Truth, number: int) -> dict[str, Tuned]:
    """The tuning of one study."""
    return tune(truth.curves(), NOISE, np.random.default_rng([SEED, number, len(truth.errors)]))


def study(truth: Truth, task: tuple[int, dict[str, Tuned], np.ndarray]) -> tuple[str, str, str]:
    """The words of one study, by the second rules and by the first; and the direction, by the second."""
    number, of, multiples = task
    generator = np.random.default_rng([SEED, number, 11])
    wrong = WORLD.wrong((ERROR + np.array(truth.errors)) * multiples / 100, DEVIATION, SEEDS, generator)
    sample, question = sample_of(truth.arms, wrong, of), ask(truth.arms)
    old = compare(replace(sample, tuning={}), question, MARGIN, rules=1)
    assert old.trend is not None
    first = first_rules.choose_word(
        [first_rules.finding_of(one) for one in old.plain], first_rules.finding_of(old.trend), MARGIN
    )
    decision = decide(sample, question, MARGIN)
    return decision.word, first, decision.direction


def simulate(pool: ProcessPoolExecutor, truth: Truth, studies: int) -> tuple[Counter[str], Counter[str], int]:
    """Words by both rules, and how many studies were tuned inside their range."""
    tasks = tuned_inside(pool.map(partial(tuned, truth), range(studies), chunksize=20), truth.curves())
    words = list(pool.map(partial(study, truth), tasks, chunksize=20))
    second = Counter([one for one, _, _ in words] + [direction for _, _, direction in words])
    return second, Counter(first for _, first, _ in words), len(words)


def row(truth: Truth, rules: int, words: Counter[str], total: int) -> str:
    """A line of the table."""
    cells: Sequence[str] = [f"{100 * words[word] / total:.1f}" for word in WORDS]
    high = 100 * clopper_pearson(max(words["supported"], words["contradicted"]), total)[1]
    listed = ", ".join(f"{error:+g}" for error in truth.errors)
    sure = [f"{100 * words[one] / total:.1f}" if rules == 2 else "" for one in ("better", "worse")]
    return f"| {truth.name} | {listed} | {rules} | {' | '.join([*cells, *sure])} | {high:.1f} |"


def main() -> None:
    """Simulate every truth and print the table."""
    parser = argparse.ArgumentParser(description="Words of trades whose truth is known.")
    parser.add_argument("--studies", type=int, default=1000, help="studies of each truth (default: 1000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    options = parser.parse_args()
    start = time.perf_counter()
    print(f"n={options.studies} studies a row; words in percent.\n")
    print(
        f"| truth | error of every C, points | rules | {' | '.join(WORDS)} "
        "| direction better | worse | upper limit of the larger of supported and contradicted |"
    )
    print(f"|{'---|' * (len(WORDS) + 6)}")
    with ProcessPoolExecutor(options.workers) as pool:
        for truth in TRUTHS:
            second, first, total = simulate(pool, truth, options.studies)
            print(row(truth, 2, second, total), row(truth, 1, first, total), sep="\n", flush=True)
    print(f"\n{time.perf_counter() - start:.0f} seconds with {options.workers} worker(s)")


if __name__ == "__main__":
    main()
