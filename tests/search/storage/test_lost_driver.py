"""The driver and its disk are lost: another machine goes on with the copy, and with the states of the trials."""

from __future__ import annotations

import shutil
import signal
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.search import run_study
from resnext_search.search.storage.place import Place

from tests.faults.watching import reached
from tests.support.helpers import TINY_STUDY, finish, running, tiny_study, wait_for

pytestmark = pytest.mark.slow

TRIALS, EPOCHS = 2, 40
OVERRIDES = (f"search={{trials: {TRIALS}, parallel: 1}}", f"trainer.epochs={EPOCHS}", "resources.gpu=0")


def epochs(folder: StudyFolder) -> list[list[tuple[Any, ...]]]:
    """What the epochs of every trial gave, with what time they took as the last value."""
    with Journal(folder.journal, read_only=True) as journal:
        return [[astuple(row) for row in journal.epochs(trial.trial_id)] for trial in journal.trials()]


def without_time(rows: list[list[tuple[Any, ...]]]) -> list[list[tuple[Any, ...]]]:
    return [[row[:-1] for row in trial] for trial in rows]


def test_a_study_whose_driver_and_disk_are_lost_goes_on_elsewhere_and_every_epoch_is_that_of_a_quiet_run(
    tmp_path: Path, bucket: str, no_ray: None, capsys: pytest.CaptureFixture[str]
) -> None:
    states = f"resources.checkpoints={bucket}/states"
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    begun, words = StudyFolder(tmp_path / "run"), tmp_path / "words.txt"
    command = ["run", "study.yaml", "--no-calibrate", *OVERRIDES, states, "--mirror", f"{bucket}/copy", "--out", "run"]
    with running(command, tmp_path) as driver:
        wait_for(lambda: reached(begun.journal, EPOCHS + 10) and "[1/2]" in words.read_text(), driver, seconds=400)
        driver.send_signal(signal.SIGKILL)
        driver.wait()
    before = epochs(begun)
    assert [len(trial) for trial in before] == [EPOCHS, len(before[1])]
    assert 10 <= len(before[1]) < EPOCHS
    shutil.rmtree(begun.path)

    again = ["resume", f"{bucket}/copy", "--out", "elsewhere"]
    done = finish(again, tmp_path, seconds=500)
    assert f"elsewhere: goes on with the copy in {bucket}/copy" in done.stdout
    if "Ray did not start" in done.stderr:  # a machine that is too busy for it; the same command goes on
        done = finish(again, tmp_path, seconds=500)
    assert done.returncode == 0, done.stderr + done.stdout

    moved = StudyFolder(tmp_path / "elsewhere")
    after, quiet = epochs(moved), run_study(tiny_study(*OVERRIDES), tmp_path / "quiet", cpus=1, gpus=0)
    assert without_time(after) == without_time(epochs(quiet))
    # an epoch that was trained again took another time
    twice = sum(old != new for was, now in zip(before, after, strict=True) for old, new in zip(was, now, strict=False))
    with capsys.disabled():
        print(f"\ndriver and disk lost: {TRIALS * EPOCHS} epochs, {twice} trained twice")
    assert after[0] == before[0], "what had ended is not trained again"
    assert twice <= 1

    place = Place(bucket, "--mirror")
    assert not place.has("copy/owner.json")
    with Journal(moved.journal, read_only=True) as journal:
        assert not place.has(f"states/tiny-{journal.birth()}/proof"), "no state of a study that has ended is left"
    assert place.has("copy/journal.sqlite")
