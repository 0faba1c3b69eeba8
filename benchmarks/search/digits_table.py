"""Real trainings for the optimizer benchmark: every architecture of a small feasible set x 5 learning rates x 2 seeds.

    OMP_NUM_THREADS=1 python -m benchmarks.search.digits_table [--out results/reference/optimizer/digits.csv]

Trains on scikit-learn's digits with our own trainer, one thread, and appends a row as soon as a training ends; what is
in the file is not trained again. 500 trainings of 1 to 3 seconds. The test images are never looked at. A training
that diverges is written down with the error of guessing, 90 %.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from resnext_search.spaces import Configuration
from resnext_search.spaces.seeds import derive_seed
from resnext_search.trainers.training import TrainingDiverged, train

from benchmarks.search.optimizer.digits import COLUMNS, GUESSING, SEEDS, TABLE, row_of, study
from benchmarks.search.optimizer.rows import append, read


def main() -> None:
    """Train what the table lacks."""
    parser = argparse.ArgumentParser(description="Train every configuration of a small feasible set.")
    parser.add_argument("--out", type=Path, default=TABLE, help=f"the table (default: {TABLE})")
    out: Path = parser.parse_args().out
    asked = study()
    [knob] = asked.knobs()
    wanted = [
        (Configuration(architecture, (("learning_rate", rate),)), seed)
        for architecture in asked.feasible_set()
        for rate in knob.values
        for seed in SEEDS
    ]
    done = {tuple(row[name] for name in COLUMNS[:-1]) for row in read(out, COLUMNS)}
    for number, (configuration, seed) in enumerate(wanted, 1):
        row = row_of(configuration, seed)
        if tuple(row) in done:
            continue
        try:
            *_, last = train(asked, configuration, derive_seed(seed, "digits table"))
            error = last.validation_error
        except TrainingDiverged:
            error = GUESSING
        append(out, [*row, f"{error:.4g}"])
        print(
            f"{number}/{len(wanted)} {configuration.architecture.name} {row[3]} seed {seed}: {error:.4g} %", flush=True
        )


if __name__ == "__main__":
    main()
