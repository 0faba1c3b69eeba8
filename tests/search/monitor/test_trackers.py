"""What trackers are told, across sittings and in spite of their faults."""

from __future__ import annotations

import importlib.util
import threading
import time
from pathlib import Path

import pytest
from resnext_search.results import EpochRow, Journal, StudyFolder, Trial
from resnext_search.search.monitor import tracker_backends as tracker_adapters
from resnext_search.search.monitor import trackers
from resnext_search.search.monitor.trackers import Listener, expect_installed, tracked
from resnext_search.spaces.errors import StudyError, UsageError

from tests.support.helpers import tiny_study
from tests.support.journals import completed, ended_folder, epoch_row, new_folder, point, started

STUDY = tiny_study("trackers=[tensorboard]")


class Recorder:
    """A tracker that remembers what it was told."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.closed = False

    def begin(self, trial: Trial, run: str | None) -> str:
        self.heard.append(f"{trial.trial_id} {'begins' if run is None else 'goes on'}")
        return f"run-{trial.trial_id}"

    def epoch(self, run: str, row: EpochRow) -> None:
        self.heard.append(f"{run} epoch {row.epoch}: {row.validation_error}")

    def end(self, run: str, trial: Trial) -> None:
        self.heard.append(f"{run} {trial.state}")

    def close(self) -> None:
        self.closed = True


def test_every_fact_is_told_once(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    listener = Listener(recorder := Recorder(), tmp_path / "told.json")
    with journal:
        journal.enqueue("search", point(1), 0, "ax")  # queued: nothing to tell
        completed(journal, point(0), 9.0)
        number = started(journal, point(4))
        journal.record_epoch(number, epoch_row(1, 70.0), device="cpu", host="here", final=False)
        listener.tell(journal)
        listener.tell(journal)
        journal.fail(number, "TrainingDiverged", "nan")
        listener.tell(journal)
    assert recorder.heard == [
        "1 begins",
        "run-1 epoch 1: 90.0",
        "run-1 epoch 2: 9.0",
        "run-1 completed",
        "2 begins",
        "run-2 epoch 1: 70.0",
        "run-2 failed",
    ]


def test_a_later_sitting_goes_on_where_the_one_before_it_ended(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        completed(journal, point(0), 9.0)
        number = started(journal, point(4))
        journal.record_epoch(number, epoch_row(1, 70.0), device="cpu", host="here", final=False)
        Listener(Recorder(), tmp_path / "told.json").tell(journal)
        journal.record_epoch(number, epoch_row(2, 5.0), device="cpu", host="here", final=True)
        Listener(recorder := Recorder(), tmp_path / "told.json").tell(journal)
    assert recorder.heard == ["1 goes on", "run-1 epoch 2: 5.0", "run-1 completed"]


@pytest.mark.parametrize("damage", ["", "[1]", '{"1": {"nonsense": 2}}', '{"x": {}}'])
def test_a_memory_that_cannot_be_read_tells_all_again(tmp_path: Path, damage: str) -> None:
    _, journal = new_folder(tmp_path)
    (tmp_path / "told.json").write_text(damage)
    with journal:
        completed(journal, point(0), 9.0)
        Listener(recorder := Recorder(), tmp_path / "told.json").tell(journal)
    assert recorder.heard[0] == "0 begins"
    assert recorder.heard[-1] == "run-0 completed"


def test_the_end_of_the_sitting_is_told_before_the_tracker_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However short the sitting: the last look comes after its end."""
    monkeypatch.setattr(tracker_adapters, "open_tracker", lambda *_: recorder)
    recorder, said = Recorder(), list[str]()
    folder, journal = new_folder(tmp_path, STUDY)
    with journal, tracked(STUDY, folder, said.append):
        completed(journal, point(0), 9.0)
    assert recorder.heard[-1] == "run-0 completed"
    assert recorder.closed
    assert said == []


class Broken(Recorder):
    """Loses its server after the first epoch that it hears."""

    def epoch(self, run: str, row: EpochRow) -> None:
        if self.heard[-1] != "0 begins":
            raise ConnectionError("the server is gone")
        super().epoch(run, row)


def test_a_tracker_that_fails_is_said_once_and_told_the_rest_by_the_next_sitting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, said, broken, whole = ended_folder(tmp_path), list[str](), Broken(), Recorder()
    monkeypatch.setattr(tracker_adapters, "open_tracker", lambda *_: broken)
    with tracked(STUDY, folder, said.append):
        pass
    assert said == [
        "tensorboard: ConnectionError: the server is gone\ntensorboard is told nothing more in this sitting. "
        f"The study goes on without it; `resume {tmp_path}` tells it the rest."
    ]
    monkeypatch.setattr(tracker_adapters, "open_tracker", lambda *_: whole)
    with tracked(STUDY, folder, said.append):
        pass
    assert len(said) == 1
    assert whole.heard[:2] == ["0 goes on", "run-0 epoch 2: 12.5"]
    assert whole.heard[-1] == "run-3 failed"


def test_a_tracker_that_hangs_keeps_nobody_waiting_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hangs, said = threading.Event(), list[str]()
    monkeypatch.setattr(tracker_adapters, "open_tracker", lambda *_: hangs.wait())
    monkeypatch.setattr(trackers, "PATIENCE_SECONDS", 0.05)
    begin = time.monotonic()
    with tracked(STUDY, StudyFolder(tmp_path), said.append):
        pass
    assert time.monotonic() - begin < 5
    assert said == ["tensorboard: has not heard everything after 0.05 s; `resume` tells it the rest"]
    hangs.set()


def test_without_trackers_nothing_is_made(tmp_path: Path) -> None:
    with tracked(tiny_study(), StudyFolder(tmp_path), print):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_missing_extra_is_said_with_its_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trackers, "find_spec", lambda name: None if name != "tensorboardX" else importlib.util)
    expect_installed(("tensorboard",))
    with pytest.raises(
        UsageError, match="trackers: mlflow, wandb cannot be used: not installed: mlflow, wandb"
    ) as error:
        expect_installed(("tensorboard", "mlflow", "wandb"))
    assert "pip install 'resnext-search[trackers]'" in str(error.value.hint)


def test_trackers_are_named_in_the_study_each_once() -> None:
    assert tiny_study("trackers=[mlflow, wandb]").trackers == ("mlflow", "wandb")
    assert tiny_study().trackers == ()
    with pytest.raises(StudyError, match="trackers"):
        tiny_study("trackers=[mlflow, mlflow]")
    with pytest.raises(StudyError, match="tensorboard"):
        tiny_study("trackers=[neptune]")


def test_a_journal_of_before_has_no_trackers(tmp_path: Path) -> None:
    """The key came later: a study without it is still read."""
    folder, journal = new_folder(tmp_path)
    with journal:
        text = tiny_study().model_dump(exclude={"trackers"})
        assert "trackers" not in text
        assert type(tiny_study()).model_validate(text) == journal.study()
    with Journal(folder.journal, read_only=True) as again:
        assert again.study().trackers == ()
