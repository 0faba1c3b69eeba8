"""Does the verdict keep its promises? How often its words err and its intervals cover, where the truth is known.

    python -m benchmarks.verdict.calibration [--studies 2000] [--workers 2] [--only null]

Simulates whole studies, from the tuning of every arm to the word, and prints Markdown tables. `tunings.py` says how the
arms err at every rate, `worlds.py` how their networks err on every image. What is compared is an arm with its tuning:
its true error is the mean over many tunings and trainings, and in a study it errs more or less than that as its own
tuning has gone. Where nothing differs these means are equal. There is no base: every rival counts, as it does where the
base errs far more than all of them.

A wrong word is any word or phrase that says better or worse of arms that do not differ: `surely better` or `worse` than
a rival that is equal, and `supported`, `contradicted` or, if no rival is beaten in truth, `partly supported`. The
interval behind its share is Clopper and Pearson's, 95 %.
"""

from __future__ import annotations

import argparse
import math
import platform
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import scipy
from resnext_search.results.inference.decision import Decision, decide
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.rules import ALPHA_DIRECTION
from resnext_search.results.inference.sample import Sample
from resnext_search.results.statistics.estimates import clopper_pearson
from resnext_search.spaces.claim.tuning_fit import Tuned

from benchmarks.verdict.tunings import NOISES, TRUTHS, Curve, bent, interpolated, smooth, tune, tuned_inside
from benchmarks.verdict.worlds import World

ARMS = ("cardinality", "depth", "width")
QUESTION = Question("pair", "cardinality", ARMS)
STUDY = "fashion_mnist_spend"
MARGIN = 0.3
ERROR = 8.0
IMAGES = 10_000
EXAMPLE_ERROR = 0.06
WORDS = ("supported", "partly supported", "contradicted", "no practical difference", "inconclusive")
WORLD = World.of(IMAGES, EXAMPLE_ERROR)
TABLES = ("null", "stress", "gains", "power")
# The seeds that the constants of the tuning were chosen on are 0.
SEED = 1


@dataclass(frozen=True)
class Case:
    """A kind of study.

    Args:
        truth: Of the tuning curves: one of `TRUTHS`, or `table`.
        noise: Of a validation error: one of `NOISES`.
        seeds: An arm.
        gains: What the claimant truly errs less than depth and width, in points.
        deviation: SD of the test error between seeds.
        tuning_seeds: Of the second round.
        seed: Of the simulation.
    """

    truth: str
    noise: str
    seeds: int
    gains: tuple[float, float] = (0.0, 0.0)
    deviation: float = 0.25
    tuning_seeds: int = 2
    seed: int = SEED

    def errors(self) -> tuple[float, ...]:
        """True errors of `ARMS`, in percent."""
        return ERROR, ERROR + self.gains[0], ERROR + self.gains[1]

    def curves(self) -> dict[str, Curve]:
        """By arm, log error over log rate."""
        if self.truth == "table":
            return {arm: interpolated(STUDY, arm) for arm in ARMS}
        return {arm: bent(self.truth, smooth(STUDY, arm)) for arm in ARMS}


def tuned(case: Case, number: int) -> dict[str, Tuned]:
    """The tuning of one study; the same for all cases of one truth and noise."""
    key = [case.seed, number, [*TRUTHS, "table"].index(case.truth), NOISES.index(case.noise), case.tuning_seeds]
    return tune(case.curves(), case.noise, np.random.default_rng(key), case.tuning_seeds)


def judged(cases: Sequence[Case], number: int, of: dict[str, Tuned], errors: np.ndarray) -> list[Decision]:
    """Train and judge one study, whose arms' errors are these multiples of their true ones, as each of some cases.

    The cases have one deviation, and share every network that is the same in them; fewer seeds are the first of more.
    """
    seeds, deviation = max(case.seeds for case in cases), cases[0].deviation
    generator = np.random.default_rng([cases[0].seed, number, round(1000 * deviation), 7])
    networks = sorted({(place, true) for case in cases for place, true in enumerate(case.errors())})
    true = np.array([true * errors[place] for place, true in networks])
    wrong = WORLD.wrong(true / 100, deviation, seeds, generator)
    decisions = []
    for case in cases:
        chosen = wrong[[networks.index(network) for network in enumerate(case.errors())], : case.seeds]
        decisions.append(decide(sample_of(ARMS, chosen, of), QUESTION, MARGIN))
    return decisions


def sample_of(arms: tuple[str, ...], wrong: np.ndarray, of: dict[str, Tuned]) -> Sample:
    """Runs with these answers, `(arms, seeds, images)`, of arms that were tuned so."""
    sample = Sample.of_answers(arms, wrong)
    means = {arm: float(errors.mean()) for arm, errors in zip(arms, sample.errors, strict=True)}
    variances = {arm: (of[arm].variance * means[arm] ** 2, of[arm].degrees) for arm in arms}
    return replace(sample, tuning=variances)


def happened(case: Case, decision: Decision) -> Counter[str]:
    """What came out of a study, to be counted."""
    counts = Counter({decision.word: 1})
    plain = decision.comparisons.plain
    said = [
        one.p_holm <= ALPHA_DIRECTION or one.p_worse_holm <= ALPHA_DIRECTION
        for one, gain in zip(plain, case.gains, strict=True)
        if gain == 0
    ]
    wrong = {"supported", "contradicted"} | ({"partly supported"} if not any(case.gains) else set())
    counts["wrong"] += 0.0 in case.gains and (any(said) or decision.word in wrong or decision.direction is not None)
    counts["direction better"] += decision.direction == "better"
    for one, gain in zip(plain, case.gains, strict=True):
        counts[f"covers {one.rival}"] += one.interval[0] <= gain <= one.interval[1]
        counts[f"width {one.rival}"] += round(1e6 * (one.interval[1] - one.interval[0]))
        counts[f"tuning {one.rival}"] += round(1e6 * one.tuning_error**2)
    return counts


def _study(cases: Sequence[Case], task: tuple[int, dict[str, Tuned], np.ndarray]) -> list[Counter[str]]:
    alike: dict[float, list[Case]] = {}
    for case in cases:
        alike.setdefault(case.deviation, []).append(case)
    counts = {
        case: happened(case, decision)
        for some in alike.values()
        for case, decision in zip(some, judged(some, *task), strict=True)
    }
    return [counts[case] for case in cases]


def _simulated(pool: ProcessPoolExecutor, cases: Sequence[Case], studies: int) -> Iterator[tuple[Case, Counter[str]]]:
    """Every case of one truth and noise: all are tuned alike."""
    tasks = tuned_inside(pool.map(partial(tuned, cases[0]), range(studies), chunksize=50), cases[0].curves())
    errors = np.array([own for *_, own in tasks])
    totals: list[Counter[str]] = [Counter() for _ in cases]
    for of_study in pool.map(partial(_study, cases), tasks, chunksize=50):
        for counts, one in zip(totals, of_study, strict=True):
            counts.update(one)
    for case, counts in zip(cases, totals, strict=True):
        counts["studies"], counts["invalid"] = len(tasks), studies - len(tasks)
        for arm, spread in zip(ARMS, errors.std(axis=0), strict=True):
            counts[f"true tuning {arm}"] = round(1e6 * (ERROR * float(spread)) ** 2)
        yield case, counts


def _groups(tables: Iterable[str]) -> Iterator[tuple[str, list[Case]]]:
    """The rows of the tables, by table, those that are tuned alike together."""
    for truth in TRUTHS:
        for noise in NOISES:
            if "null" in tables:
                rows = [Case(truth, noise, seeds) for seeds in (10, 30)]
                yield "null", [*rows, *(replace(one, gains=(0.0, 3.0)) for one in rows)]
    if "stress" in tables:
        for noise in NOISES:
            yield "stress", [Case("table", noise, seeds) for seeds in (10, 30)]
    if "gains" in tables:
        for noise in ("0.25", "0.35"):
            sizes = (0.5 * MARGIN, MARGIN, 2 * MARGIN, -2 * MARGIN)
            cases = [Case("smooth", noise, seeds, (gain, gain)) for gain in sizes for seeds in (10, 20, 30)]
            yield "gains", cases
    if "power" in tables:
        for noise in ("0.25", "0.35"):
            yield (
                "power",
                [
                    Case("smooth", noise, seeds, (gain, gain), deviation=0.3)
                    for gain, numbers in ((2 * MARGIN, (26, 29, 35)), (0.0, (40, 50, 60, 70)))
                    for seeds in numbers
                ],
            )


def row(case: Case, counts: Counter[str]) -> str:
    """A line of a table."""
    total = counts["studies"]
    low, high = clopper_pearson(counts["wrong"], total)
    cells = [
        case.truth,
        case.noise,
        f"{case.gains[0]:+g}, {case.gains[1]:+g}" if any(case.gains) else "none",
        str(case.seeds),
        *(f"{100 * counts[word] / total:.1f}" for word in WORDS),
        f"{100 * counts['wrong'] / total:.1f} ({100 * low:.1f} to {100 * high:.1f})",
        *(f"{100 * counts[f'covers {rival}'] / total:.1f}" for rival in ("depth", "width")),
        *(f"{1e-3 * math.sqrt(counts[f'true tuning {arm}']):.2f}" for arm in ARMS),
        *(f"{1e-3 * math.sqrt(counts[f'tuning {arm}'] / total):.2f}" for arm in ("depth", "width")),
        f"{100 * counts['invalid'] / (total + counts['invalid']):.1f}",
    ]
    return f"| {' | '.join(cells)} |"


HEADER = (
    f"| truth | noise | true gain over depth, width | seeds | {' | '.join(WORDS)} | wrong words (95 %) "
    "| coverage: depth | width | SD of tuning: cardinality | depth | width | its estimate, of the difference: depth "
    "| width | at the edge |"
)


def main() -> None:
    """Simulate every case and print the tables."""
    parser = argparse.ArgumentParser(description="Calibrate the verdict on simulated studies.")
    parser.add_argument("--studies", type=int, default=2000, help="studies of each case (default: 2000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--only", choices=TABLES, action="append", help="a part of the tables")
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the simulation (default: {SEED})")
    options = parser.parse_args()
    start = time.perf_counter()
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, {platform.machine()}; "
        f"n={options.studies} studies a row; margin {MARGIN} points, {IMAGES:,} test images whose sampling gives a "
        f"difference a standard error of {EXAMPLE_ERROR:g}. Words and coverage in percent, other figures in points.\n"
    )
    print(HEADER)
    print(f"|{'---|' * HEADER.count(' | ')}---|")
    with ProcessPoolExecutor(options.workers) as pool:
        for _, cases in _groups(options.only or TABLES):
            seeded = [replace(case, seed=options.seed) for case in cases]
            for case, counts in _simulated(pool, seeded, options.studies):
                print(row(case, counts), flush=True)
    print(f"\n{time.perf_counter() - start:.0f} seconds with {options.workers} worker(s)")


if __name__ == "__main__":
    main()
