"""Is the budget of a study large enough for depth? Trains the base and the deeper arm alone, before the study is fixed.

    python -m benchmarks.verdict.pilot spaces/cifar10_spend.yaml trainer.epochs=20 [--seeds 6] [--out pilot.csv]

A rival that is not surely better than its base lends a verdict nothing. So both are tuned as the study would begin to,
and trained on seeds that no study uses, judged by the validation images alone. Prints what depth buys over the base,
with its interval, and the hours that the claim would take; rows are added to `--out` as they come.
"""

from __future__ import annotations

import argparse
import csv
import platform
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import torch
from resnext_search.results.statistics.estimates import paired
from resnext_search.search.planning.workload import claim_flops
from resnext_search.spaces import Configuration, Study, load_study
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.architecture.training_cost import training_flops
from resnext_search.spaces.claim.arms import Arm, claim_arms
from resnext_search.spaces.claim.tuning import planned_rates
from resnext_search.spaces.claim.tuning_fit import Point, fit_tuning
from resnext_search.spaces.seeds import derive_seed
from resnext_search.trainers import train

SHOWN = ("phase", "arm", "learning_rate", "train_loss", "validation_error", "seconds")


class Run(NamedTuple):
    """A training of the pilot.

    Args:
        phase: `tune` or `confirm`.
        arm: Of the study.
        rate: Learning rate.
        seed: Its own.
    """

    phase: str
    arm: Arm
    rate: float
    seed: int


def two_arms(study: Study) -> tuple[Arm, Arm]:
    """The base, and depth at the smallest budget."""
    arms = claim_arms(study)
    depth = [arm for arm in arms if arm.name.partition("@")[0] == "depth"]
    return next(arm for arm in arms if arm.name == "base"), min(depth, key=lambda arm: arm.budget)


def trained(task: tuple[Study, Run]) -> dict[str, object]:
    """One run; a row of the table."""
    study, run = task
    start = time.perf_counter()
    configuration = Configuration(run.arm.architecture, (("learning_rate", run.rate),))
    *_, last = train(study, configuration, run.seed)
    return {
        "phase": run.phase,
        "arm": run.arm.name,
        "architecture": run.arm.architecture.name,
        "multiply_adds": int(complexity(study.network_template(), run.arm.architecture).multiply_adds),
        "learning_rate": run.rate,
        "seed": run.seed,
        "epochs": study.trainer.epochs,
        "train_images": study.images_per_epoch("search"),
        "train_loss": round(last.train_loss, 4),
        "validation_error": last.validation_error,
        "seconds": round(time.perf_counter() - start, 2),
    }


def pilot(study: Study, arms: Sequence[Arm], seeds: int, pool: ProcessPoolExecutor) -> Iterator[dict[str, object]]:
    """All runs: every rate once, then the best of each arm on further seeds, the same for both."""
    first = derive_seed(study.seed, "pilot", "rates")
    rounds = [Run("tune", arm, rate, first) for arm in arms for rate in planned_rates(study)]
    points: dict[str, list[Point]] = {arm.name: [] for arm in arms}
    for run, row in zip(rounds, pool.map(trained, [(study, run) for run in rounds]), strict=True):
        points[run.arm.name].append(Point(run.rate, float(str(row["validation_error"])), run.seed))
        yield row
    tuned = fit_tuning(points, images=study.images_to_validate(), levels=True)
    more = [derive_seed(study.seed, "pilot", number) for number in range(seeds)]
    runs = [Run("confirm", arm, tuned[arm.name].rate, seed) for seed in more for arm in arms]
    yield from pool.map(trained, [(study, run) for run in runs])


def summary(study: Study, rows: Sequence[dict[str, object]], workers: int) -> Iterator[str]:
    """What came out, and what the claim would take."""
    table = pd.DataFrame(rows)
    confirmed = table[table.phase == "confirm"].pivot(index="seed", columns="arm", values="validation_error")
    base, depth = (arm.name for arm in two_arms(study))
    buys = paired((confirmed[base] - confirmed[depth]).to_numpy())
    low, high = buys.interval(0.95)
    mean = confirmed.mean()
    yield f"validation error: {base} {mean[base]:.2f} %, {depth} {mean[depth]:.2f} %"
    yield f"{depth} buys {buys.value:.2f} points ({low:.2f} to {high:.2f}, 95 %, {len(confirmed)} seeds)"
    done = study.trainer.epochs * sum(map(training_flops, table.multiply_adds, table.train_images))
    hours = claim_flops(study) / done * table.seconds.sum() / workers / 3600
    yield f"the claim of the study takes about {hours:.1f} hours of {workers} such processes"


def main() -> None:
    """Train, print what depth buys, and what the study would take."""
    parser = argparse.ArgumentParser(description="Is the budget of a study large enough for depth?")
    parser.add_argument("study", help="study file of a spend")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    parser.add_argument("--seeds", type=int, default=6, help="of each arm (default: 6)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--out", type=Path, help="CSV file that the rows are added to")
    options = parser.parse_args()
    study = load_study(options.study, options.overrides)
    candidate = " ".join(options.overrides) or "as written"
    print(f"{candidate}\n{platform.machine()}, torch {torch.__version__}, {options.workers} processes of one thread")
    rows = []
    with ProcessPoolExecutor(options.workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for row in pilot(study, two_arms(study), options.seeds, pool):
            rows.append(row)
            print(", ".join(str(row[name]) for name in SHOWN), flush=True)
            if options.out:
                write(options.out, {"candidate": candidate, **row})
    print("\n".join(summary(study, rows, options.workers)))


def write(path: Path, row: dict[str, object]) -> None:
    """Add a row to a CSV file."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(row), lineterminator="\n")
        if new:
            table.writeheader()
        table.writerow(row)


if __name__ == "__main__":
    main()
