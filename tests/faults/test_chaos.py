"""A small run of `benchmarks/reliability/chaos.py`: drivers and workers are killed, and nothing is lost.

One worker at a time, so that the tables must equal those of an undisturbed run. docs/reliability.md has the large one.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.reliability.killing.snapshot import Snapshot, lost, proposed_twice, twice

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_study_whose_processes_are_killed_equals_an_undisturbed_one(tmp_path: Path) -> None:
    arguments = ["--workers", "1", "--seed", "100", "--kills", "3", "--worker-kills", "1"]
    command = [sys.executable, "-m", "benchmarks.reliability.chaos", *arguments, "--out", str(tmp_path / "studies.csv")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    [row] = pd.read_csv(tmp_path / "studies.csv").to_dict("records")
    assert (row["driver_kills"], row["worker_kills"]) == (3, 1)
    assert (row["trials"], row["epochs"]) == (12, 60)
    assert {name: row[name] for name in ("lost", "twice", "stuck", "budget", "differ")} == dict.fromkeys(
        ("lost", "twice", "stuck", "budget", "differ"), 0
    )
    assert row["tables"] == "equal"


# ------------------------------------------------------------------ would it notice?

DONE = {"trial_id": 0, "phase": "search", "state": "completed", "configuration": "a", "attempts": 1, "ended_at": 5.0}
RUNNING = {**DONE, "trial_id": 1, "state": "running", "configuration": "b", "ended_at": None}
EPOCHS = {(0, 1): {"validation_error": 9.0}, (1, 1): {"validation_error": 8.0}}
BEFORE = Snapshot({0: DONE, 1: RUNNING}, EPOCHS)


def test_a_trial_that_goes_on_is_neither_lost_nor_trained_twice(tmp_path: Path) -> None:
    ended = {**RUNNING, "state": "completed", "attempts": 2, "ended_at": 7.0}
    after = Snapshot({0: DONE, 1: ended}, {**EPOCHS, (1, 2): {"validation_error": 7.0}})
    assert (lost(BEFORE, after), twice(BEFORE, after, tmp_path), proposed_twice(after)) == (set(), set(), 0)


def test_what_is_lost_is_counted() -> None:
    assert lost(BEFORE, Snapshot({1: RUNNING}, EPOCHS)) == {0}, "a trial is gone"
    assert lost(BEFORE, Snapshot({0: {**DONE, "ended_at": 6.0}, 1: RUNNING}, EPOCHS)) == {0}, "a cell differs"
    assert lost(BEFORE, Snapshot(BEFORE.trials, {(0, 1): EPOCHS[0, 1]})) == {1}, "an epoch is gone"


def test_what_was_trained_twice_is_counted(tmp_path: Path) -> None:
    started = Snapshot({0: {**DONE, "attempts": 2}, 1: RUNNING}, EPOCHS)
    assert twice(BEFORE, started, tmp_path) == {0}
    longer = Snapshot(BEFORE.trials, {**EPOCHS, (0, 2): {"validation_error": 9.0}})
    assert twice(BEFORE, longer, tmp_path) == {0}
    (tmp_path / "trial-00000.pt").touch()  # newer than the trial's end, in 1970
    assert twice(BEFORE, BEFORE, tmp_path) == {0}
    assert proposed_twice(Snapshot({0: DONE, 1: {**RUNNING, "configuration": "a"}})) == 1
