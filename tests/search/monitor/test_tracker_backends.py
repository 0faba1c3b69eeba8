"""TensorBoard, MLflow and Weights & Biases, told of real journals and read back with their own means."""

from __future__ import annotations

import importlib.util
import sqlite3
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.results import EpochRow, Journal, StudyFolder
from resnext_search.search.monitor.tracker_backends import metrics, open_tracker
from resnext_search.search.monitor.trackers import Listener
from resnext_search.spaces.study.configuration import describe

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import ended_folder, epoch_row, new_folder, point, started

INSTALLED = {name: importlib.util.find_spec(name) is not None for name in ("mlflow", "wandb")}


def unless_installed(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not INSTALLED[name], reason=f"{name} is not installed: pip install '.[trackers]'")


def sitting(name: str, folder: StudyFolder) -> list[str]:
    """Tell a tracker all that the journal says; returns what it says itself."""
    said: list[str] = []
    folder.trackers.mkdir(exist_ok=True)
    with Journal(folder.journal, read_only=True) as journal:
        tracker = open_tracker(name, journal.study(), folder, said.append)
        Listener(tracker, folder.trackers / f"{name}.json").tell(journal)
        tracker.close()
    return said


def broken_off(path: Path) -> tuple[StudyFolder, Journal]:
    """The ended study, and a fifth trial after the first of its two epochs."""
    folder = ended_folder(path)
    journal = Journal(folder.journal)
    number = started(journal, point(4, 0.2))
    journal.record_epoch(number, epoch_row(1, 70.0), device="cpu", host="here", final=False)
    return folder, journal


def records(path: Path) -> Iterator[bytes]:
    """The records of an event file: a length, its checksum, the bytes, their checksum."""
    content = path.read_bytes()
    while content:
        [length] = struct.unpack("<Q", content[:8])
        yield content[12 : 12 + length]
        content = content[16 + length :]


def scalars(path: Path) -> dict[tuple[str, int], float]:
    """Scalars by tag and step, of all event files of a folder."""
    from tensorboardX.proto.event_pb2 import Event

    found = {}
    for file in sorted(path.iterdir()):
        for record in records(file):
            event = Event.FromString(record)
            for value in event.summary.value:
                if value.WhichOneof("value") == "simple_value":
                    found[value.tag, event.step] = round(value.simple_value, 5)
    return found


def test_what_is_not_known_or_no_number_is_no_metric() -> None:
    """A trial that confirms has no validation error."""
    assert metrics(EpochRow(1, 0.1, float("nan"), None, None, 0.25)) == {"learning_rate": 0.1, "seconds": 0.25}


def test_tensorboard_shows_every_epoch_and_goes_on_after_a_break(tmp_path: Path) -> None:
    folder, journal = broken_off(tmp_path)
    sitting("tensorboard", folder)
    with journal:
        journal.record_epoch(4, epoch_row(2, 5.0), device="cpu", host="here", final=True)
    assert sitting("tensorboard", folder) == []
    runs = folder.trackers / "tensorboard"
    assert sorted(run.name for run in runs.iterdir()) == [f"search-0000{number}" for number in range(5)]
    first = scalars(runs / "search-00000")
    assert (first["validation_error", 1], first["validation_error", 2]) == (90.0, 12.5)
    assert first["final_validation_error", 2] == 12.5
    last = scalars(runs / "search-00004")
    assert {step: value for (tag, step), value in last.items() if tag == "validation_error"} == {1: 70.0, 2: 5.0}
    assert len(list((runs / "search-00004").iterdir())) == 2  # a file of each sitting
    assert {tag for tag, _ in scalars(runs / "search-00003")} == set()  # failed before its first epoch


def test_tensorboard_shows_the_test_errors_of_the_confirmation(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study(TINY_CLAIM))
    with journal:
        number = started(journal, point(0), phase="confirm")
        for epoch in (1, 2):
            row = EpochRow(epoch, 0.1, 2.0 / epoch, None, None, 0.25)
            about = {"test_error": 8.5, "test_correct": "3:4A=="} if epoch == 2 else {}
            journal.record_epoch(number, row, device="cpu", host="here", final=epoch == 2, **about)
    sitting("tensorboard", folder)
    found = scalars(folder.trackers / "tensorboard" / "confirm-00000")
    assert (found["train_loss", 1], found["train_loss", 2], found["test_error", 2]) == (2.0, 1.0, 8.5)
    assert not any("validation" in tag for tag, _ in found)


@pytest.mark.slow
@unless_installed("mlflow")
@pytest.mark.filterwarnings("default")  # its own
def test_mlflow_keeps_runs_in_a_database_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder, journal = broken_off(tmp_path)
    sitting("mlflow", folder)
    with journal:
        journal.record_epoch(4, epoch_row(2, 5.0), device="cpu", host="here", final=True)
    sitting("mlflow", folder)
    database = sqlite3.connect(folder.trackers / "mlflow.db")
    runs = {
        name: (run, status)
        for run, name, status in database.execute("SELECT run_uuid, name, status FROM runs").fetchall()
    }
    assert list(database.execute("SELECT name FROM experiments WHERE name = 'tiny'")) == [("tiny",)]
    assert len(runs) == 5
    run, status = runs[describe(4, point(4, 0.2))]
    assert status == "FINISHED"
    assert runs[describe(3, point(3, 1.0))][1] == "FAILED"
    errors = "SELECT step, value FROM metrics WHERE run_uuid = ? AND key = 'validation_error' ORDER BY step"
    assert database.execute(errors, [run]).fetchall() == [(1, 70.0), (2, 5.0)]
    params = dict(database.execute("SELECT key, value FROM params WHERE run_uuid = ?", [run]).fetchall())
    assert (params["architecture"], params["learning_rate"], params["multiply_adds"]) == ("2x4d-8", "0.2", "21898")
    database.close()


@pytest.mark.slow
@unless_installed("wandb")
@pytest.mark.filterwarnings("default")  # its own
def test_wandb_logs_offline_where_nobody_is_logged_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))  # nobody's keys
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    folder, journal = broken_off(tmp_path / "run")
    journal.close()
    assert sitting("wandb", folder) == [
        f"wandb: nobody is logged in, so it logs to {folder.trackers / 'wandb'}; `wandb sync` sends that"
    ]
    files = sorted((folder.trackers / "wandb").glob("offline-run-*/run-*.wandb"))
    assert len(files) == 5
    content = b"".join(file.read_bytes() for file in files)
    for expected in (b"trial 0001 2x4d-8 (1-1) lr=0.2", b"validation_error", b"multiply_adds"):
        assert expected in content
