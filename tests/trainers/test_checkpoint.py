"""Checkpoints: whole and the right one, or ignored with a warning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from resnext_search.trainers.checkpoint import read_checkpoint, write_checkpoint

STATE: dict[str, Any] = {"weights": {"a": torch.arange(50.0)}, "epochs": [[1, 0.5], [2, 0.25]]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "trial.pt"
    write_checkpoint(path, "trial 7", STATE)
    return path


def test_a_state_comes_back_as_it_was_written(path: Path) -> None:
    state = read_checkpoint(path, "trial 7")
    assert state is not None
    assert torch.equal(state["weights"]["a"], STATE["weights"]["a"])
    assert state["epochs"] == STATE["epochs"]


def test_a_missing_file_is_no_state_and_no_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_checkpoint(tmp_path / "none.pt", "trial 7") is None
    assert not caplog.records


def test_every_flipped_bit_and_every_torn_end_is_noticed(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):
        damaged = bytearray(whole)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        assert read_checkpoint(path, "trial 7") is None
        path.write_bytes(whole[:place])
        assert read_checkpoint(path, "trial 7") is None
    assert caplog.messages[0] == f"checkpoint {path} is damaged; the trial starts over"


def test_the_state_of_another_trial_is_ignored(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_checkpoint(path, "trial 8") is None
    assert caplog.messages == [f"checkpoint {path} belongs to another trial; this one starts over"]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full_disk(_file: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="no space left"):
        write_checkpoint(path, "trial 7", {"epochs": []})
    monkeypatch.undo()
    state = read_checkpoint(path, "trial 7")
    assert state is not None
    assert state["epochs"] == STATE["epochs"]
    assert [file.name for file in path.parent.iterdir()] == ["trial.pt"]
