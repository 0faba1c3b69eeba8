"""A disk that fills up while a study runs ends the run in words, and nothing that had finished is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from resnext_search.results import EpochRow, Journal, Trial

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def facts(folder: Path) -> dict[int, tuple[Trial, list[EpochRow]]]:
    with Journal(folder / "journal.sqlite", read_only=True) as journal:
        assert journal.damage() == []
        return {trial.trial_id: (trial, journal.epochs(trial.trial_id)) for trial in journal.trials()}


def test_a_study_on_a_full_disk_ends_in_words_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets nobody mount a small disk in a namespace of their own")
    done = subprocess.run(
        [unshare, "-rm", sys.executable, "-m", "tests.faults.full_disk", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    full, continued = json.loads(done.stdout)

    assert full["code"] == 1
    assert "disk/study/journal.sqlite: cannot be written: database or disk is full\n" in full["complaint"]
    assert "then give the same command again: what has finished is saved.\n" in full["complaint"]
    assert "Traceback" not in full["complaint"]
    assert continued["code"] == 0, continued["complaint"]
    before, after = facts(tmp_path / "full"), facts(tmp_path / "continued")
    finished = {number: fact for number, fact in before.items() if fact[0].state == "completed"}
    assert len(finished) >= 2
    assert {number: after[number] for number in finished} == finished  # neither lost nor trained again
    assert [trial.state for trial, _ in after.values()] == ["completed"] * 6
