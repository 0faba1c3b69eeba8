"""A study that is stopped, by signals and from another process, or whose Ray is taken away: saved, said, continued."""

from __future__ import annotations

import os
import signal
from functools import partial
from itertools import pairwise
from pathlib import Path

import psutil
import pytest
from resnext_search.results import Journal
from resnext_search.results.journal.rows import Trial

from tests.faults.watching import reached
from tests.support.helpers import TINY_STUDY, finish, running, wait_for

pytestmark = pytest.mark.slow

ARGUMENTS = ["run", "study.yaml", "--no-calibrate", "search.trials=40", "trainer.epochs=20", "--out", "run"]


def trials(folder: Path) -> dict[int, Trial]:
    with Journal(folder / "run" / "journal.sqlite", read_only=True) as journal:
        return {trial.trial_id: trial for trial in journal.trials()}


def words(folder: Path) -> str:
    """What the run has said since this was asked last."""
    said = (folder / "words.txt").read_text()
    (folder / "words.txt").unlink()
    return said


def test_a_study_stopped_in_every_way_goes_on_where_it_was(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    journal = tmp_path / "run" / "journal.sqlite"
    snapshots = []

    with running(ARGUMENTS, tmp_path) as driver:  # asked to end what it has begun
        wait_for(partial(reached, journal, 25), driver)
        second = finish(ARGUMENTS, tmp_path)
        stop = finish(["stop", "run"], tmp_path)
        assert driver.wait(timeout=60) == 130
    assert (second.returncode, "another run works on this folder (process" in second.stderr) == (6, True)
    assert f"the run there (process {driver.pid} on" in stop.stdout
    assert (stop.returncode, "starts no new trial and ends when those that run have ended" in stop.stdout) == (0, True)
    said = words(tmp_path)
    assert "of 40 trials of the search phase ended; everything is saved" in said
    assert "Continue with: resnext-search resume run" in said
    snapshots.append(trials(tmp_path))
    assert {trial.state for trial in snapshots[-1].values()} == {"completed"}
    assert len(snapshots[-1]) < 40

    epochs = sum(trial.epochs for trial in snapshots[-1].values())
    for signals in ([signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]):
        with running(ARGUMENTS, tmp_path) as driver:
            wait_for(partial(reached, journal, epochs + 25), driver)
            os.kill(driver.pid, signals[0])
            for again in signals[1:]:
                wait_for(lambda: "Once more ends at once" in (tmp_path / "words.txt").read_text(), driver)
                os.kill(driver.pid, again)
            assert driver.wait(timeout=60) == (130 if len(signals) == 1 else -signal.SIGTERM)
        said = words(tmp_path)
        assert "resnext-search resume run" in said
        assert "Traceback" not in said
        snapshots.append(trials(tmp_path))
        states = {trial.state for trial in snapshots[-1].values()}
        assert states == {"completed", "interrupted" if len(signals) == 1 else "running"}
        epochs = sum(trial.epochs for trial in snapshots[-1].values())
    assert (tmp_path / "run" / "trials.csv").exists()
    assert not (tmp_path / "run" / "STOP").exists()

    for before, after in pairwise(snapshots):
        for number, trial in before.items():
            if trial.state == "completed":
                assert after[number] == trial
            else:
                assert after[number].epochs >= trial.epochs


def test_a_run_whose_ray_is_gone_ends_and_can_be_continued(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    journal = tmp_path / "run" / "journal.sqlite"
    few = [*ARGUMENTS, "search.trials=3", "trainer.epochs=60"]
    with running(few, tmp_path) as driver:
        wait_for(partial(reached, journal, 20), driver)
        [raylet] = [child for child in psutil.Process(driver.pid).children(recursive=True) if child.name() == "raylet"]
        raylet.kill()
        assert driver.wait(timeout=60) == 1
    said = words(tmp_path)
    assert "run: Ray's own process on this machine (raylet) is gone; everything is saved" in said
    assert "Continue with: resnext-search resume run" in said
    assert "Traceback" not in said
    before = trials(tmp_path)
    assert "running" not in {trial.state for trial in before.values()}

    assert finish(["resume", "run"], tmp_path).returncode == 0
    after = trials(tmp_path)
    assert [trial.epochs for trial in after.values()] == [60] * 3
    assert all(
        after[number].attempts == trial.attempts + (trial.state != "completed") for number, trial in before.items()
    )
