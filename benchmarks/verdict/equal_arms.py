"""How often does the verdict tell two arms apart that are the same network? With real training, on the digits.

    python benchmarks/verdict/equal_arms.py [--runs 240] [--studies 2000] [--workers 2]

Trains one small network many times, every time with weights, order and augmentation of its own. A study is then two
arms of ten runs each, drawn from them without replacement, and judged as anyone's runs are. The studies share runs, so
the rates are surer than those of the few studies that the runs would make if each were used once, but not by as much as
their number suggests. Every word but `inconclusive` and `no practical difference` is an error.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd
import torch
from resnext_search.results import judge
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.correctness import unpack_correct
from resnext_search.spaces.seeds import derive_seed
from resnext_search.trainers import train

STUDY = Study.model_validate(
    {
        "name": "equal-arms",
        "data": {"name": "digits", "validation_images": 400},
        "template": {"planes": 8, "stages": 2, "stride": 2},
        "budget": {"multiply_adds": 100_000},
        "axes": {"cardinality": [2], "width": [8], "blocks": [1]},
        "trainer": {"epochs": 12, "batch_size": 64, "learning_rate": 0.1},
    }
)
CONFIGURATION = Configuration(Architecture.paper(2, 8, (1, 1)))
SEEDS = 10
MARGINS = (0.3, 0.5)


def run(number: int) -> dict[str, object]:
    """One network, trained on training and validation images and tested."""
    *_, last = train(STUDY, CONFIGURATION, derive_seed(1, "equal-arms", number), confirm=True)
    return {"test_error": last.test_error, "correct": last.test_correct}


def word(runs: pd.DataFrame, margin: float, number: int) -> str:
    """The verdict on two arms drawn from the runs."""
    chosen = np.random.default_rng([2, number]).choice(len(runs), 2 * SEEDS, replace=False)
    study = runs.iloc[chosen].assign(arm=["first"] * SEEDS + ["second"] * SEEDS, seed=[*range(SEEDS)] * 2)
    return judge(study, claimant="first", margin=margin).verdict


def main() -> None:
    """Train, judge, and print how often each word came out."""
    parser = argparse.ArgumentParser(description="Judge arms that are the same network.")
    parser.add_argument("--runs", type=int, default=240, help="networks trained (default: 240)")
    parser.add_argument("--studies", type=int, default=2000, help="studies drawn from them (default: 2000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    options = parser.parse_args()
    start = time.perf_counter()
    with ProcessPoolExecutor(options.workers) as pool:
        runs = pd.DataFrame(list(pool.map(run, range(options.runs))))
        print(
            f"Python {platform.python_version()}, torch {torch.__version__}, {platform.machine()}; {options.runs} "
            f"runs, test error {runs.test_error.mean():.2f} %, SD between runs {runs.test_error.std():.2f} points, "
            f"{len(unpack_correct(runs.correct[0]))} test images, {SEEDS} runs an arm"
        )
        for margin in MARGINS:
            studies = range(options.studies)
            words = Counter(pool.map(word, [runs] * len(studies), [margin] * len(studies), studies, chunksize=50))
            shares = ", ".join(f"{name} {100 * count / len(studies):.1f} %" for name, count in words.most_common())
            print(f"margin {margin}: n={len(studies)} studies: {shares}")
    print(f"{time.perf_counter() - start:.0f} seconds with {options.workers} workers")


if __name__ == "__main__":
    main()
