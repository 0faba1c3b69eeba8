"""`kill -9` of the driver: nothing finished is lost or trained again, and the proposals are those of a quiet run."""

from __future__ import annotations

import os
import random
import signal
from functools import partial
from pathlib import Path

import pandas as pd
import pytest
from resnext_search.results import Journal
from resnext_search.spaces.errors import ResnextSearchError

from tests.helpers import TINY_STUDY, finish, running, wait_for

pytestmark = pytest.mark.slow

TRIALS, EPOCHS = 9, 6
OVERRIDES = [f"search.trials={TRIALS}", f"trainer.epochs={EPOCHS}", "search.parallel=1"]


def _reached(journal: Path, epochs: int) -> bool:
    """Whether so many epochs stand in the journal, over all trials."""
    try:
        with Journal(journal, read_only=True) as opened:
            return sum(trial.epochs for trial in opened.trials()) >= epochs
    except ResnextSearchError:  # the file is not there yet, or its tables are not
        return False


def test_a_study_killed_three_times_equals_an_undisturbed_one(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    arguments = ["run", "study.yaml", *OVERRIDES, "--out"]
    quiet = finish([*arguments, "quiet"], tmp_path)
    assert quiet.returncode == 0, quiet.stderr
    moments = sorted(random.Random(7).sample(range(4, TRIALS * EPOCHS - 4), 3))

    snapshots = []
    journal = tmp_path / "killed" / "journal.sqlite"
    for moment in moments:
        with running([*arguments, "killed"], tmp_path) as driver:
            wait_for(partial(_reached, journal, moment), driver)
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


def test_a_study_that_stops_early_killed_twice_stops_the_same_trials(tmp_path: Path) -> None:
    """The rungs are rebuilt from the journal, and a trial that goes on counts once in them."""
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    arguments = ["run", "study.yaml", *OVERRIDES, "search.early_stopping=asha", "search.audit=0.3", "--out"]
    quiet = finish([*arguments, "quiet"], tmp_path)
    assert quiet.returncode == 0, quiet.stderr
    journals = [tmp_path / name / "journal.sqlite" for name in ("quiet", "killed")]
    for moment in (8, 16):
        with running([*arguments, "killed"], tmp_path) as driver:
            wait_for(partial(_reached, journals[1], moment), driver)
            os.kill(driver.pid, signal.SIGKILL)
            driver.wait()
    last = finish([*arguments, "killed"], tmp_path)

    assert last.returncode == 0, last.stderr
    found = []
    for path in journals:
        with Journal(path, read_only=True) as opened:
            found.append(
                [(t.configuration, t.state, t.epochs, t.stop_epoch, t.validation_error) for t in opened.trials()]
            )
    assert found[1] == found[0]
    assert {"stopped", "completed"} == {state for _, state, *_ in found[0]}
    assert "Early stopping: " in quiet.stdout


def test_an_interrupted_trial_goes_on_from_its_last_epoch(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    arguments = ["run", "study.yaml", "search.trials=1", "trainer.epochs=150", "--out", "run"]
    journal = tmp_path / "run" / "journal.sqlite"
    with running(arguments, tmp_path) as driver:
        wait_for(partial(_reached, journal, 10), driver)
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
    with Journal(journal, read_only=True) as opened:
        before = opened.epochs(0)
    assert 10 <= len(before) < 150

    assert finish(arguments, tmp_path).returncode == 0

    with Journal(journal, read_only=True) as opened:
        after = opened.epochs(0)
    assert after[: len(before)] == before  # to the last bit, wall times included: they were not trained again
    assert [row.epoch for row in after] == list(range(1, 151))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_study_saves_its_state_and_says_how_to_continue(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    arguments = ["run", "study.yaml", "search.trials=40", "trainer.epochs=20", "--out", "run"]
    journal = tmp_path / "run" / "journal.sqlite"

    with running(arguments, tmp_path) as driver:
        wait_for(partial(_reached, journal, 25), driver)
        second = finish(arguments, tmp_path)
        os.kill(driver.pid, number)
        assert driver.wait(timeout=60) == 130

    words = (tmp_path / "words.txt").read_text()
    assert "Continue with: resnext-search resume run" in words
    assert "Traceback" not in words
    assert (second.returncode, "another run works on this folder (process" in second.stderr) == (6, True)
    with Journal(journal, read_only=True) as opened:
        states = {trial.state for trial in opened.trials()}
    assert "running" not in states
    assert "interrupted" in states
    assert (tmp_path / "run" / "trials.csv").exists()


def test_a_killed_worker_is_replaced_and_its_trial_goes_on(tmp_path: Path) -> None:
    import psutil

    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    journal = tmp_path / "run" / "journal.sqlite"

    with running(["run", "study.yaml", "search.trials=2", "trainer.epochs=150", "--out", "run"], tmp_path) as driver:
        wait_for(partial(_reached, journal, 20), driver)
        children = psutil.Process(driver.pid).children(recursive=True)
        workers = [child for child in children if "ImplicitFunc" in " ".join(child.cmdline())]
        workers[0].kill()
        code = driver.wait(timeout=240)

    assert code == 0, (tmp_path / "words.txt").read_text()
    with Journal(journal, read_only=True) as opened:
        assert [(trial.state, trial.epochs) for trial in opened.trials()] == [("completed", 150)] * 2
