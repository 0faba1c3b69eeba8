"""How soon is a search that stops early as good as one of full length? Real trainings on Fashion-MNIST.

    python -m benchmarks.search.early_stopping [key=value ...] [--folder runs/early_stopping] [--seeds 0 1 2]

For every seed two searches with the same number of trials, one of full length and one with `early_stopping: asha`, each
with one trial at a time on one core. As good is a completed trial whose validation error is not above the 95 % interval
(Clopper-Pearson, over the validation images) of the full-length search's best. The searches are ordinary study folders:
started again, the benchmark goes on where it was broken off. One row a seed is written to `--out`.
"""

from __future__ import annotations

import argparse
import csv
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from resnext_search.results import Journal
from resnext_search.results.journal.rows import ENDED
from resnext_search.results.statistics.estimates import clopper_pearson
from resnext_search.search import run_study
from resnext_search.search.monitor.status import read_audit
from resnext_search.search.monitor.text import audit_words
from resnext_search.spaces import Study
from resnext_search.spaces.study.file import parse_study

OUT = Path("results/reference/early_stopping/fashion_mnist.csv")
GOAL = 0.4  # share of the full-length search's epochs

STUDY = """
name: early-stopping
data: {name: fashion_mnist, train_images: 6000, validation_images: 5000}
template: {stem: cifar, stride: 4, planes: 8, stages: 3}
budget: {like: {cardinality: 1, width: 8, blocks: [1, 1, 1]}, tolerance: 3%}
axes:
  cardinality: [1, 2, 4, 8, 16]
  width: {min: 1, max: 32}
  blocks: {min: 1, max: 3}
  learning_rate: {min: 0.003, max: 3.0, scale: log}
trainer: {epochs: 9, batch_size: 64, augment: none}
search: {trials: 27, parallel: 1}
resources: {cpu: 1, gpu: 0}
"""


class Ended(NamedTuple):
    """A trial, in the order of their ends: epochs trained in the search by then, and its error if it completed."""

    epochs: int
    error: float | None


class Row(NamedTuple):
    """What came out for one seed; epochs are empty where a search did not get there."""

    seed: int
    trials: int
    full_epochs: int
    full_best: float
    interval_low: float
    interval_high: float
    asha_epochs: int
    asha_best: float
    epochs_to_interval: int | None
    epochs_to_best: int | None
    stopped: int
    audited: int
    would_have_won: int


def searched(folder: Path, overrides: Sequence[str]) -> tuple[Study, list[Ended], Path]:
    """Run a search, or what is left of it."""
    study = parse_study(STUDY, "early_stopping.yaml", overrides)
    run_study(study, folder, cpus=1)
    with Journal(folder / "journal.sqlite", read_only=True) as journal:
        trials = sorted(journal.trials(phase="search", states=ENDED), key=lambda trial: trial.ended_at or 0.0)
    ended, epochs = [], 0
    for trial in trials:
        epochs += trial.epochs
        ended.append(Ended(epochs, trial.validation_error))
    return study, ended, folder / "journal.sqlite"


def first_below(ended: Sequence[Ended], error: float) -> int | None:
    """Epochs trained until a trial had completed with at most this error; None if none has."""
    return next((one.epochs for one in ended if one.error is not None and one.error <= error), None)


def compared(seed: int, folder: Path, overrides: Sequence[str]) -> tuple[Row, str]:
    """Both searches of a seed, and what the audit says of the one that stopped early."""
    study, full, _ = searched(folder / f"full-{seed}", [*overrides, f"seed={seed}"])
    _, asha, journal_path = searched(
        folder / f"asha-{seed}", [*overrides, f"seed={seed}", "search.early_stopping=asha"]
    )
    best, asha_best = (min(one.error for one in ended if one.error is not None) for ended in (full, asha))
    images = study.data.split_sizes(study.facts().train_images)[1]
    low, high = (100 * end for end in clopper_pearson(round(best * images / 100), images))
    with Journal(journal_path, read_only=True) as journal:
        audit = read_audit(journal)
    assert audit is not None
    row = Row(
        seed,
        len(full),
        full[-1].epochs,
        round(best, 3),
        round(low, 3),
        round(high, 3),
        asha[-1].epochs,
        round(asha_best, 3),
        first_below(asha, high),
        first_below(asha, best),
        audit["stopped"],
        audit["audited"],
        audit["would_have_won"],
    )
    return row, audit_words(audit)


def words(row: Row) -> str:
    """A seed in a sentence."""
    shares = [
        "never" if epochs is None else f"after {epochs} ({100 * epochs / row.full_epochs:.0f} %)"
        for epochs in (row.epochs_to_interval, row.epochs_to_best)
    ]
    return (
        f"seed {row.seed}: full length {row.full_epochs} epochs, best {row.full_best:.2f} % "
        f"({row.interval_low:.2f} to {row.interval_high:.2f}); asha {row.asha_epochs} epochs, "
        f"best {row.asha_best:.2f} %, inside the interval {shares[0]}, at the best {shares[1]}"
    )


def main() -> None:
    """Run what is missing, write the rows, and say how many seeds reach the goal."""
    parser = argparse.ArgumentParser(description="Compare searches with and without early stopping.")
    parser.add_argument("--folder", type=Path, default=Path("runs/early_stopping"), help="where the studies are kept")
    parser.add_argument("--out", type=Path, default=OUT, help=f"the table (default: {OUT})")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2], help="seeds (default: 0 1 2)")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="changes of the study, as in `run`")
    options = parser.parse_intermixed_args()
    rows = []
    for seed in options.seeds:
        row, audit = compared(seed, options.folder, options.overrides)
        rows.append(row)
        print(f"{words(row)}\n  {audit}", flush=True)
        options.out.parent.mkdir(parents=True, exist_ok=True)
        with options.out.open("w", newline="") as table:
            writer = csv.writer(table, lineterminator="\n")
            writer.writerow(Row._fields)
            writer.writerows(rows)
    shares = [row.epochs_to_interval / row.full_epochs for row in rows if row.epochs_to_interval is not None]
    reached = sum(share <= GOAL for share in shares)
    listed = ", ".join(f"{100 * share:.0f}" for share in shares) or "none"
    print(
        f"{platform.machine()}, Python {platform.python_version()}: in {reached} of {len(rows)} seeds inside the "
        f"interval within {100 * GOAL:.0f} % of the epochs of the full-length search (shares in percent: {listed})"
    )


if __name__ == "__main__":
    main()
