"""`kill -9` of the driver: nothing finished is lost or trained again, and the proposals are those of a quiet run."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pandas as pd
import pytest
from resnext_search.results import Journal

from tests.helpers import TINY_STUDY, finish, start

pytestmark = pytest.mark.slow

TRIALS, EPOCHS = 9, 6
OVERRIDES = [f"search.trials={TRIALS}", f"trainer.epochs={EPOCHS}", "search.parallel=1"]


def _epochs(journal: Path) -> int:
    if not journal.exists():
        return 0
    try:
        with Journal(journal, read_only=True) as opened:
            return sum(trial.epochs for trial in opened.trials())
    except Exception:  # the file is there before its tables are
        return 0


def test_a_study_killed_three_times_equals_an_undisturbed_one(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    arguments = ["run", "study.yaml", *OVERRIDES, "--out"]
    quiet = finish([*arguments, "quiet"], tmp_path)
    assert quiet.returncode == 0, quiet.stderr
    moments = sorted(random.Random(7).sample(range(4, TRIALS * EPOCHS - 4), 3))

    snapshots = []
    for moment in moments:
        driver = start([*arguments, "killed"], tmp_path)
        journal = tmp_path / "killed" / "journal.sqlite"
        patience = time.monotonic() + 120
        while _epochs(journal) < moment and driver.poll() is None and time.monotonic() < patience:
            time.sleep(0.01)
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
        with Journal(journal, read_only=True) as opened:
            snapshots.append({trial.trial_id: trial for trial in opened.trials()})
        assert max(trial.epochs for trial in snapshots[-1].values()) > 0
    last = finish([*arguments, "killed"], tmp_path)

    assert last.returncode == 0, last.stderr
    with Journal(tmp_path / "killed" / "journal.sqlite", read_only=True) as opened:
        final = {trial.trial_id: trial for trial in opened.trials()}
        for snapshot in snapshots:
            for number, trial in snapshot.items():
                if trial.state == "completed":  # finished: the row has not been touched since
                    assert final[number] == trial
                else:  # interrupted: continued in place, its epochs kept
                    assert final[number].attempts > trial.attempts - (trial.state == "queued")
                    assert final[number].epochs == EPOCHS
        assert all(trial.epochs == EPOCHS and trial.state == "completed" for trial in final.values())
        assert sum(trial.attempts for trial in final.values()) <= TRIALS + 3
    same = [
        "trial",
        "seed",
        "architecture",
        "group_widths",
        "blocks",
        "learning_rate",
        "validation_error",
        "proposed_by",
    ]
    undisturbed = pd.read_csv(tmp_path / "quiet" / "trials.csv")
    disturbed = pd.read_csv(tmp_path / "killed" / "trials.csv")
    pd.testing.assert_frame_equal(disturbed[same], undisturbed[same])


def test_an_interrupted_trial_goes_on_from_its_last_epoch(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    arguments = ["run", "study.yaml", "search.trials=1", "trainer.epochs=400", "--out", "run"]
    driver = start(arguments, tmp_path)
    journal = tmp_path / "run" / "journal.sqlite"
    while _epochs(journal) < 10 and driver.poll() is None:
        time.sleep(0.02)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    with Journal(journal, read_only=True) as opened:
        before = opened.epochs(0)
    assert 10 <= len(before) < 400

    assert finish(arguments, tmp_path).returncode == 0

    with Journal(journal, read_only=True) as opened:
        after = opened.epochs(0)
    assert after[: len(before)] == before  # to the last bit, wall times included: they were not trained again
    assert [row.epoch for row in after] == list(range(1, 401))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_study_saves_its_state_and_says_how_to_continue(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    arguments = ["run", "study.yaml", "search.trials=40", "trainer.epochs=20", "--out", "run"]
    driver = start(arguments, tmp_path)
    while _epochs(tmp_path / "run" / "journal.sqlite") < 25 and driver.poll() is None:
        time.sleep(0.02)

    second = finish(arguments, tmp_path)
    os.kill(driver.pid, number)

    assert driver.wait(timeout=60) == 130
    words = (tmp_path / "words.txt").read_text()
    assert "Continue with: resnext-search resume run" in words
    assert "Traceback" not in words
    assert (second.returncode, "another run works on this folder (process" in second.stderr) == (6, True)
    with Journal(tmp_path / "run" / "journal.sqlite", read_only=True) as opened:
        states = {trial.state for trial in opened.trials()}
    assert "running" not in states
    assert "interrupted" in states
    assert (tmp_path / "run" / "trials.csv").exists()


def test_a_killed_worker_is_replaced_and_its_trial_goes_on(tmp_path: Path) -> None:
    import psutil

    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    driver = start(["run", "study.yaml", "search.trials=2", "trainer.epochs=300", "--out", "run"], tmp_path)
    journal = tmp_path / "run" / "journal.sqlite"
    while _epochs(journal) < 20 and driver.poll() is None:
        time.sleep(0.02)
    workers = [
        process
        for process in psutil.Process(driver.pid).children(recursive=True)
        if process.name().startswith("ray::") and "RunningTrial" not in " ".join(process.cmdline())
    ]
    victims = [process for process in workers if "IDLE" not in " ".join(process.cmdline())]
    assert victims
    victims[0].kill()

    assert driver.wait(timeout=240) == 0, (tmp_path / "words.txt").read_text()
    with Journal(journal, read_only=True) as opened:
        assert [(trial.state, trial.epochs) for trial in opened.trials()] == [("completed", 300)] * 2
