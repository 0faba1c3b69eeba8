"""Does a verdict over several budgets keep its promises? Whole studies at three budgets, from the tuning to the words.

    python -m benchmarks.verdict.curves [--studies 2000] [--workers 2]

Nine arms and their base, tuned and confirmed as in `calibration.py`. A wrong word is any word or phrase that says
better or worse of arms that are equal, over all budgets or at any of them.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from resnext_search.results.inference.curve import over_budgets
from resnext_search.results.inference.decision import decide
from resnext_search.results.inference.question import ask
from resnext_search.results.inference.rules import ALPHA_DIRECTION
from resnext_search.results.statistics.estimates import clopper_pearson
from resnext_search.spaces.claim.tuning_fit import Tuned

from benchmarks.verdict.calibration import MARGIN, SEED, STUDY, WORDS, WORLD, sample_of
from benchmarks.verdict.tunings import NOISES, Curve, bent, smooth, tune, tuned_inside

BUDGETS = (2, 4, 8)
RIVALS = ("depth", "width")
QUESTION = ask(["base", *(f"{way}@{times}" for times in BUDGETS for way in ("cardinality", *RIVALS))])
ERRORS = {2: 8.0, 4: 7.4, 8: 7.0}
BASE_ERROR = 10.0
# Words that say better or worse.
CLAIMS = ("supported", "partly supported", "contradicted")
GAINS = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.9), (0.3, 0.6, 0.9), (0.9, 0.9, 0.9))
DEVIATION = 0.25


@dataclass(frozen=True)
class Case:
    """A kind of study.

    Args:
        noise: Of a validation error.
        gains: What the claimant truly errs less than both rivals at every budget, in points.
        seeds: An arm.
        truth: Of the tuning curves.
    """

    noise: str
    gains: tuple[float, float, float]
    seeds: int = 10
    truth: str = "smooth"

    def curves(self) -> dict[str, Curve]:
        """By arm, log error over log rate; the base's is the claimant's."""
        ways = {arm: arm.rpartition("@")[0] or "cardinality" for arm in QUESTION.arms}
        return {arm: bent(self.truth, smooth(STUDY, way)) for arm, way in ways.items()}

    def errors(self) -> np.ndarray:
        """True error of every arm, in percent."""
        gains = dict(zip(BUDGETS, self.gains, strict=True))
        errors = []
        for arm in QUESTION.arms:
            way, _, times = arm.rpartition("@")
            errors.append(ERRORS[int(times)] + gains[int(times)] * (way in RIVALS) if way else BASE_ERROR)
        return np.array(errors)


def tuned(case: Case, number: int) -> dict[str, Tuned]:
    """The tuning of one study."""
    key = [SEED, number, NOISES.index(case.noise), len(BUDGETS)]
    return tune(case.curves(), case.noise, np.random.default_rng(key))


def study(case: Case, task: tuple[int, dict[str, Tuned], np.ndarray]) -> Counter[str]:
    """One study; what came out."""
    number, of, multiples = task
    generator = np.random.default_rng([SEED, number, 17])
    wrong = WORLD.wrong(case.errors() * multiples / 100, DEVIATION, case.seeds, generator)
    sample = sample_of(QUESTION.arms, wrong, of)
    decision = decide(sample, QUESTION, MARGIN)
    counts: Counter[str] = Counter({decision.word: 1})
    equal = {times for times, gain in zip(BUDGETS, case.gains, strict=True) if gain == 0}
    said = [
        one.p_holm <= ALPHA_DIRECTION or one.p_worse_holm <= ALPHA_DIRECTION
        for one in decision.comparisons.plain
        if int(one.claimant.rpartition("@")[2]) in equal
    ]
    said += [at.direction is not None or at.word in CLAIMS for at in decision.budgets if at.times in equal]
    if equal == set(BUDGETS):
        said.append(decision.direction is not None or decision.word in CLAIMS)
    counts["wrong"] = any(said)
    for at in decision.budgets:
        counts[f"{at.word} at {at.times}"] = 1
    slope = np.polyfit(np.log2(BUDGETS), case.gains, 1)[0]
    for one in over_budgets(sample, QUESTION, BUDGETS):
        counts[f"gain {one.rival}"] = int(one.gain_interval[0] <= np.mean(case.gains) <= one.gain_interval[1])
        counts[f"slope {one.rival}"] = int(one.slope_interval[0] <= slope <= one.slope_interval[1])
    return counts


def row(case: Case, counts: Counter[str], total: int) -> str:
    """A line of the table."""
    low, high = clopper_pearson(counts["wrong"], total)
    cells = [
        case.noise,
        ", ".join(f"{gain:+g}" for gain in case.gains) if any(case.gains) else "none",
        *(f"{100 * counts[word] / total:.1f}" for word in WORDS),
        *(f"{100 * counts[f'supported at {times}'] / total:.1f}" for times in BUDGETS),
        f"{100 * counts['wrong'] / total:.1f} ({100 * low:.1f} to {100 * high:.1f})",
        *(f"{100 * counts[f'{kind} {rival}'] / total:.1f}" for kind in ("gain", "slope") for rival in RIVALS),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Simulate every case and print the table."""
    parser = argparse.ArgumentParser(description="Calibrate the verdict over several budgets.")
    parser.add_argument("--studies", type=int, default=2000, help="studies of each case (default: 2000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--only", choices=["null", "gains"], help="a part of the table")
    options = parser.parse_args()
    chosen = [gains for gains in GAINS if options.only is None or any(gains) == (options.only == "gains")]
    start = time.perf_counter()
    print(f"n={options.studies} studies a row, budgets {BUDGETS}, {Case('0.25', (0, 0, 0)).seeds} seeds; in percent.\n")
    at = " | ".join(f"supported at {times}" for times in BUDGETS)
    covered = " | ".join(f"{kind} against {rival} covered" for kind in ("gain", "slope") for rival in RIVALS)
    header = f"| noise | true gain at each budget | {' | '.join(WORDS)} | {at} | wrong words (95 %) | {covered} |"
    print(f"{header}\n|{'---|' * (header.count(' | ') + 1)}")
    with ProcessPoolExecutor(options.workers) as pool:
        for noise in NOISES:
            for gains in chosen:
                case = Case(noise, gains)
                tasks = tuned_inside(
                    pool.map(partial(tuned, case), range(options.studies), chunksize=20), case.curves()
                )
                counts: Counter[str] = Counter()
                for one in pool.map(partial(study, case), tasks, chunksize=20):
                    counts.update(one)
                print(row(case, counts, len(tasks)), flush=True)
    print(f"\n{time.perf_counter() - start:.0f} seconds with {options.workers} worker(s)")


if __name__ == "__main__":
    main()
