"""The driver is killed or told to stop: what was done stays done, and the same command goes on from there.

`test_chaos.py` kills at random; here it is known when.
"""

from __future__ import annotations

import io
import os
import signal
import socket
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import torch
from resnext_search.results import Journal, StudyFolder
from resnext_search.search import run_study
from resnext_search.trainers.training import Epoch

from tests.faults.watching import reached
from tests.support.helpers import TINY_STUDY, running, tiny_study, wait_for

pytestmark = pytest.mark.slow

TRIALS, EPOCHS = 9, 6


def test_a_study_that_stops_early_and_is_killed_stops_the_same_trials(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], shared_ray: None
) -> None:
    """The rungs are rebuilt from the journal, and a trial that goes on counts once in them."""
    overrides = [
        *[f"search={{trials: {TRIALS}, parallel: 1, early_stopping: asha, audit: 0.3}}", f"trainer.epochs={EPOCHS}"],
        "resources.gpu=0",
    ]
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    folders = [StudyFolder(tmp_path / name) for name in ("quiet", "killed")]
    with running(["run", "study.yaml", "--no-calibrate", *overrides, "--out", "killed"], tmp_path) as driver:
        wait_for(partial(reached, folders[1].journal, 12), driver)
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()

    for folder in folders:
        run_study(tiny_study(*overrides), folder.path)

    found = []
    for folder in folders:
        with Journal(folder.journal, read_only=True) as opened:
            found.append(
                [(t.configuration, t.state, t.epochs, t.stop_epoch, t.validation_error) for t in opened.trials()]
            )
    assert found[1] == found[0]
    assert {"stopped", "completed"} == {state for _, state, *_ in found[0]}
    assert "Early stopping: " in capfd.readouterr().out


def epochs_in(checkpoint: Path) -> list[tuple[int, float]]:
    """Number and wall time of the epochs that a checkpoint holds: its SHA-256, then what torch has saved."""
    saved = torch.load(io.BytesIO(checkpoint.read_bytes()[32:]), weights_only=True)
    return [(epoch[0], epoch[Epoch._fields.index("seconds")]) for epoch in saved["state"]["epochs"]]


def test_an_interrupted_trial_goes_on_from_its_last_epoch_also_in_a_folder_that_was_moved(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(TINY_STUDY)
    with (
        running(
            ["run", "study.yaml", "--no-calibrate", "search.trials=1", "trainer.epochs=100", "--out", "run"], tmp_path
        ) as driver,
        socket.socket() as taken,
    ):
        with suppress(OSError):  # somebody else's dashboard has it
            taken.bind(("127.0.0.1", 8265))  # the port that Ray's dashboard takes when it is not told another
        wait_for(partial(reached, tmp_path / "run" / "journal.sqlite", 10), driver)
        os.kill(driver.pid, signal.SIGKILL)
        driver.wait()
    moved = StudyFolder(tmp_path / "elsewhere" / "moved")
    moved.path.parent.mkdir()
    (tmp_path / "run").rename(moved.path)
    with Journal(moved.journal, read_only=True) as opened:
        before = opened.epochs(0)
    assert 10 <= len(before) < 100

    with running(["resume", "elsewhere/moved"], tmp_path) as driver:
        wait_for(partial(reached, moved.journal, len(before) + 10), driver)
        kept = epochs_in(moved.checkpoint(0))
        assert driver.wait(120) == 0

    # wall times included: they came from the checkpoint, and were not trained again
    assert kept[: len(before)] == [(row.epoch, row.seconds) for row in before]
    with Journal(moved.journal, read_only=True) as opened:
        after = opened.epochs(0)
    assert after[: len(before)] == before
    assert [row.epoch for row in after] == list(range(1, 101))
