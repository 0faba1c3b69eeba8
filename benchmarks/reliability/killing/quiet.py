"""The same study where nobody kills anything, and what in the killed one differs from it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd

from benchmarks.reliability.killing.snapshot import Snapshot

# What differs from run to run: how long it took, and how often it was begun.
VARYING = ["seconds", "training_step_ms", "attempts"]
# Of an epoch, what does not.
RESULTS = ["epoch", "learning_rate", "train_loss", "validation_loss", "validation_error"]
QUIET, KILLED = "quiet", "killed"


def run_quietly(arguments: list[str], folder: Path) -> pd.DataFrame:
    """Run a study into `folder / "quiet"`; returns its trials."""
    command = [sys.executable, "-m", "resnext_search.search", *arguments, "--out", QUIET]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=1200)
    return pd.read_csv(folder / QUIET / "trials.csv")


def equal_tables(folder: Path) -> str:
    """Whether the tables of both runs are `equal`; else which one is missing or differs first."""
    for name in ("trials.csv", "pareto.csv", "effects.csv"):
        if not (folder / KILLED / name).exists():
            return f"{name} missing"
        tables = [pd.read_csv(folder / run / name, dtype=str) for run in (QUIET, KILLED)]
        quiet, killed = (table.drop(columns=VARYING, errors="ignore") for table in tables)
        if not quiet.equals(killed):
            return f"{name} differs"
    return "equal"


def differing(quiet: Snapshot, killed: Snapshot) -> int:
    """Trials of which an epoch is not, to the last bit, what it is in the other run, or is in one of them alone."""
    epochs = [{key: [row[name] for name in RESULTS] for key, row in run.epochs.items()} for run in (quiet, killed)]
    return len({key[0] for key in epochs[0].keys() | epochs[1].keys() if epochs[0].get(key) != epochs[1].get(key)})
