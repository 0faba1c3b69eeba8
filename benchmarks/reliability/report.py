"""How long does the report of a large study take, and how large is it?

    python -m benchmarks.reliability.report [--trials 2000] [--folder DIR]

The journal is written through its own interface, with made-up errors: a smooth surface of C, depth and learning rate,
and noise. The time is that of the command, from its start to the file, imports included.
"""

from __future__ import annotations

import argparse
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from resnext_search.results import EpochRow, Journal, StudyFolder
from resnext_search.search.planning.claim_trials import claim_trials
from resnext_search.search.planning.confirmation import enqueue_confirmation
from resnext_search.search.planning.tuning_rounds import enqueue_tuning
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.spaces import Configuration, Study, load_study
from resnext_search.spaces.correctness import pack_correct

TEST_IMAGES = 397
SPACE = Path(__file__).parents[2] / "spaces" / "fixed_flops.yaml"


def made_up_study(folder: StudyFolder, trials: int) -> None:
    """Write the journal of a study of so many trials, its claim tuned and confirmed."""
    claimed = claim_trials(load_study(SPACE))
    study = load_study(SPACE, [f"search.trials={trials - claimed.tune - claimed.confirm}"])
    generator = np.random.default_rng(0)
    pool = Candidates(study.feasible_set(), study.knobs())
    with Journal(folder.journal, study=study) as journal:
        for number, candidate in enumerate(generator.choice(len(pool), study.search.trials, replace=False)):
            journal.enqueue("search", pool.configuration(int(candidate)), 7, "sobol" if number < 10 else "ax")
        _train_all(journal, study, generator)
        for enqueue in (enqueue_tuning, enqueue_confirmation):
            while enqueue(study, journal):
                _train_all(journal, study, generator)


def _train_all(journal: Journal, study: Study, generator: np.random.Generator) -> None:
    for trial in journal.trials(states=["queued"]):
        journal.start(trial.trial_id, f"checkpoints/trial-{trial.trial_id:05d}.pt")
        if generator.random() < 0.01 and trial.phase == "search":
            journal.fail(trial.trial_id, "TrainingDiverged", "the loss is nan")
            continue
        error = _error(trial.configuration, generator)
        for epoch in range(1, study.trainer.epochs + 1):
            final, confirm = epoch == study.trainer.epochs, trial.phase == "confirm"
            now = error + (90 - error) * math.exp(-epoch) * (not final)
            row = EpochRow(epoch, 0.1, now / 40, None if confirm else now / 40, None if confirm else now, 0.25)
            wrong = generator.permutation(TEST_IMAGES) < error / 100 * TEST_IMAGES
            test = {"test_error": 100 * wrong.mean(), "test_correct": pack_correct(~wrong)} if confirm and final else {}
            journal.record_epoch(trial.trial_id, row, device="cpu", host="here", final=final, **test)


def _error(configuration: Configuration, generator: np.random.Generator) -> float:
    architecture, rate = configuration.architecture, dict(configuration.knobs)["learning_rate"]
    off = (
        (math.log2(architecture.cardinality) - 2) ** 2 / 8
        + (architecture.depth / 20 - 1) ** 2
        + math.log10(rate / 0.1) ** 2
    )
    return float(np.clip(4 * math.exp(0.5 * off) + generator.normal(0, 0.4), 0.5, 90))


def main() -> None:
    """Make the journal where there is none, report on it, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = StudyFolder(arguments.folder or Path(temporary))
        if not folder.journal.exists():
            folder.path.mkdir(parents=True, exist_ok=True)
            made_up_study(folder, arguments.trials)
        command = [sys.executable, "-m", "resnext_search.search", "report", str(folder.path)]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - began
        size = folder.report.stat().st_size / 1e6
        print(f"{arguments.trials:,} trials: {seconds:.1f} s, {size:.1f} MB")


if __name__ == "__main__":
    main()
