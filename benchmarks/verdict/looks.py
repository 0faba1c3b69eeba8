"""Does stopping at the first word keep the rates? Whole studies with planned looks, and fixed ones of the same power.

    python -m benchmarks.verdict.looks [--studies 2000] [--workers 2] [--only null] [--deviation 0.5]

Tuned once and judged at 10, 20 and 40 seeds, each look with the share of the error that it may spend, until a word ends
the study. Wrong words are those of `calibration.py`, at any look that was taken. A fixed study has the one number of
seeds with which it finds the gain as often, interpolated between the numbers that were simulated.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from resnext_search.results.inference.decision import decide
from resnext_search.results.inference.looks import share_of_look
from resnext_search.results.inference.rules import ALPHA_DIRECTION, OPEN_WORDS
from resnext_search.results.statistics.estimates import clopper_pearson
from resnext_search.spaces.claim.tuning_fit import Tuned

from benchmarks.verdict.calibration import (
    ARMS,
    MARGIN,
    QUESTION,
    WORDS,
    WORLD,
    Case,
    sample_of,
    tuned,
)
from benchmarks.verdict.tunings import tuned_inside

LOOKS = (10, 20, 40)
FIXED = (10, 15, 20, 25, 30, 35, 40)
CASES = [
    Case("smooth", noise, LOOKS[-1], (gain, gain), deviation)
    for noise in ("0.25", "0.35", "unequal")
    for deviation, gain in ((0.25, 0.0), (0.3, 0.0), (0.5, 0.0), (0.3, 2 * MARGIN), (0.3, 3 * MARGIN))
]


def study(case: Case, task: tuple[int, dict[str, Tuned], np.ndarray]) -> Counter[str]:
    """One study with looks, and what fixed numbers of seeds would have said of it."""
    number, of, errors = task
    generator = np.random.default_rng([case.seed, number, round(1000 * case.deviation), 13])
    true = np.array(case.errors()) * errors
    wrong = WORLD.wrong(true / 100, case.deviation, case.seeds, generator)
    counts: Counter[str] = Counter()
    for seeds in LOOKS:
        spent = share_of_look(LOOKS, seeds) or 1.0
        decision = decide(sample_of(ARMS, wrong[:, :seeds], of), QUESTION, MARGIN, spent=spent)
        level = ALPHA_DIRECTION * spent
        plain = decision.comparisons.plain
        counts["said"] |= any(one.p_holm <= level or one.p_worse_holm <= level for one in plain)
        if decision.word not in OPEN_WORDS or seeds == LOOKS[-1]:
            counts[decision.word] = 1
            counts["seeds"] = seeds
            break
    if case.gains[0]:
        for seeds in FIXED:
            decision = decide(sample_of(ARMS, wrong[:, :seeds], of), QUESTION, MARGIN)
            counts[f"fixed {seeds}"] = decision.word == "supported"
    return counts


def row(case: Case, counts: Counter[str], total: int) -> str:
    """A line of the table."""
    wrong, fixed = "", ""
    if not case.gains[0]:
        low, high = clopper_pearson(counts["said"], total)
        wrong = f"{100 * counts['said'] / total:.1f} ({100 * low:.1f} to {100 * high:.1f})"
    else:
        power = [counts[f"fixed {seeds}"] / total for seeds in FIXED]
        fixed = f"{np.interp(counts['supported'] / total, power, FIXED):.1f}"
    cells: Sequence[str] = [
        case.noise,
        f"{case.deviation:g}",
        f"{case.gains[0]:+g}" if case.gains[0] else "none",
        *(f"{100 * counts[word] / total:.1f}" for word in WORDS),
        wrong,
        f"{counts['seeds'] / total:.1f}",
        fixed,
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Simulate every case and print the table."""
    parser = argparse.ArgumentParser(description="Planned looks on simulated studies.")
    parser.add_argument("--studies", type=int, default=2000, help="studies of each case (default: 2000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--only", choices=["null", "gains"], help="a part of the table")
    parser.add_argument("--deviation", type=float, help="the rows of this one alone, in points")
    options = parser.parse_args()
    chosen = [
        case
        for case in CASES
        if (options.only is None or bool(case.gains[0]) == (options.only == "gains"))
        and options.deviation in (None, case.deviation)
    ]
    start = time.perf_counter()
    print(f"n={options.studies} studies a row, looks at {', '.join(map(str, LOOKS))} seeds; words in percent.\n")
    header = (
        f"| noise | SD | true gain | {' | '.join(WORDS)} | wrong words (95 %) | mean seeds | fixed seeds as often |"
    )
    print(f"{header}\n|{'---|' * (header.count(' | ') + 1)}")
    with ProcessPoolExecutor(options.workers) as pool:
        for noise in dict.fromkeys(case.noise for case in chosen):
            cases = [case for case in chosen if case.noise == noise]
            found = pool.map(partial(tuned, cases[0]), range(options.studies), chunksize=50)
            tasks = tuned_inside(found, cases[0].curves())
            for case in cases:
                counts: Counter[str] = Counter()
                for one in pool.map(partial(study, case), tasks, chunksize=50):
                    counts.update(one)
                print(row(case, counts, len(tasks)), flush=True)
    print(f"\n{time.perf_counter() - start:.0f} seconds with {options.workers} worker(s)")


if __name__ == "__main__":
    main()
