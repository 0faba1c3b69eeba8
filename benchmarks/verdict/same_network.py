"""Which word do three names of one network get? Whole studies with real trainings, tuning included, on the digits.

    python -m benchmarks.verdict.same_network [--studies 10] [--workers 2]

One small network is called cardinality, depth and width. Under each name it is tuned in two rounds and confirmed on ten
seeds, as in a study, but every name has seeds of its own for all of that, so that nothing is shared but the network and
the images. Every word or phrase that says better or worse is an error.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pandas as pd
import torch
from resnext_search.results import judge
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.claim.tuning import edge_of, planned_rates
from resnext_search.spaces.claim.tuning_fit import Point, fit_tuning, second_rates
from resnext_search.spaces.folds import seed_in_fold
from resnext_search.spaces.seeds import derive_seed
from resnext_search.trainers import train

BASE = {"cardinality": 2, "width": 8, "blocks": [1, 1]}
STUDY = Study.model_validate(
    {
        "name": "same-network",
        "data": {"name": "digits"},
        "template": {"planes": 8, "stages": 2, "stride": 2},
        "budget": {"like": BASE},
        "axes": {
            "cardinality": [2],
            "width": [8],
            "blocks": [1],
            "learning_rate": {"min": 0.01, "max": 4.0, "scale": "log"},
        },
        "trainer": {"epochs": 12, "batch_size": 64},
        "claim": {"kind": "trade", "base": BASE, "cardinality": [1, 2], "tuning_trials": 7},
    }
)
NETWORK = Architecture.paper(2, 8, (1, 1))
NAMES = ("cardinality", "depth", "width")
SEEDS = 10
MARGINS = (0.5, 1.0)


def arm(task: tuple[int, str]) -> list[dict[str, object]]:
    """All runs of one name in one study: rows of its table."""
    study, name = task

    def seed(*purpose: str | int, number: int) -> int:
        return seed_in_fold(derive_seed(5, "same-network", study, name, *purpose), number)

    def run(phase: str, rate: float, number: int) -> dict[str, object]:
        configuration = Configuration(NETWORK, (("learning_rate", rate),))
        own = seed(phase, number, number=number)
        *_, last = train(STUDY, configuration, own, confirm=phase == "confirm")
        return {
            "phase": phase,
            "arm": name,
            # a verdict asks for the same tuning of all arms, and tells that by its seeds
            "seed": number if phase == "tune" else own,
            "fold": STUDY.fold_of(own),
            "learning_rate": rate,
            "validation_images": STUDY.images_to_validate(),
            "validation_error": last.validation_error,
            "test_error": last.test_error,
            "correct": last.test_correct,
        }

    rows = [run("tune", rate, 0) for rate in planned_rates(STUDY)]
    second = second_rates(_points(rows), images=STUDY.images_to_validate())
    rows += [run("tune", rate, number) for number in (1, 2) for rate in second]
    tuned = fit_tuning({name: _points(rows)}, images=STUDY.images_to_validate(), levels=True)[name]
    return rows + [run("confirm", tuned.rate, number) for number in range(SEEDS)]


def _points(rows: list[dict[str, object]]) -> list[Point]:
    return [Point(float(str(r["learning_rate"])), float(str(r["validation_error"])), int(str(r["seed"]))) for r in rows]


def main() -> None:
    """Train, judge, and print every study."""
    parser = argparse.ArgumentParser(description="Judge three names of one network, tuning included.")
    parser.add_argument("--studies", type=int, default=10, help="studies (default: 10)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    start = time.perf_counter()
    tasks = [(study, name) for study in range(options.studies) for name in NAMES]
    with ProcessPoolExecutor(options.workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        tables = list(pool.map(arm, tasks))
    print(f"Python {platform.python_version()}, torch {torch.__version__}, {platform.machine()}; {SEEDS} runs an arm\n")
    print("| study | rates | at the edge | test errors, % | cardinality less depth, width (95 %) | words | direction |")
    print(f"|{'---|' * 7}")
    words: Counter[str] = Counter()
    for study in range(options.studies):
        rows = pd.DataFrame([row for of in tables[3 * study : 3 * study + 3] for row in of])
        verdicts = [judge(rows, margin=margin) for margin in MARGINS]
        first = rows[rows.phase == "tune"].groupby("arm").head(len(planned_rates(STUDY)))
        edges = [
            edge_of(dict(zip(of.learning_rate, of.validation_error, strict=True))) or "no"
            for _, of in first.groupby("arm")
        ]
        confirmed = rows[rows.phase == "confirm"].groupby("arm")
        differences = [
            f"{one.difference:+.2f} ({one.interval[0]:.2f} to {one.interval[1]:.2f})" for one in verdicts[0].comparisons
        ]
        cells = [
            str(study),
            ", ".join(f"{rate:g}" for rate in confirmed.learning_rate.first()),
            ", ".join(edges),
            ", ".join(f"{error:.2f}" for error in confirmed.test_error.mean()),
            ", ".join(differences),
            ", ".join(f"{verdict.verdict} ({margin:g})" for verdict, margin in zip(verdicts, MARGINS, strict=True)),
            verdicts[0].direction,
        ]
        words.update(f"{verdict.verdict} at {margin:g}" for verdict, margin in zip(verdicts, MARGINS, strict=True))
        print(f"| {' | '.join(cells)} |", flush=True)
    print("\n" + ", ".join(f"{word}: {count}" for word, count in words.most_common()))
    print(f"{time.perf_counter() - start:.0f} seconds with {options.workers} workers")


if __name__ == "__main__":
    main()
