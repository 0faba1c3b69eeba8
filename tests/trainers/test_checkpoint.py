"""Checkpoints: whole and the right one, or ignored with a warning."""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from resnext_search.trainers.checkpoint import read_checkpoint, write_checkpoint

from tests.support.limits import files_end_at

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


class Harm:
    """Unpickled, it would make a file: what a checkpoint from elsewhere might do, and worse."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.mark,))


def forged(path: Path, content: bytes) -> None:
    """A file with the digest of its content, as ours have."""
    path.write_bytes(hashlib.sha256(content).digest() + content)


def saved(value: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol:UserWarning")  # torch, of the plain pickle
@pytest.mark.parametrize("how", ["torch", "pickle"])
def test_a_checkpoint_that_would_run_code_runs_none_and_the_trial_starts_over(
    path: Path, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    mark = path.with_name("harm")
    harmful = {"identity": "trial 7", "state": {"epochs": Harm(mark)}}
    content = saved(harmful) if how == "torch" else pickle.dumps(harmful)
    forged(path, content)
    assert read_checkpoint(path, "trial 7") is None
    assert not mark.exists()
    assert caplog.messages == [f"checkpoint {path} is none of ours (UnpicklingError); the trial starts over"]
    pickle.loads(pickle.dumps(Harm(mark)))  # it does harm where it is let
    assert mark.exists()


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"PK", b"\x80\x02.", saved([]), saved({}), saved({"identity": "trial 7"})),
        *(saved({"identity": "trial 7", "state": state}) for state in (None, 1, [1, 2], "epochs")),
    ],
)
def test_whatever_a_forged_checkpoint_holds_the_trial_starts_over(path: Path, content: bytes) -> None:
    forged(path, content)
    assert read_checkpoint(path, "trial 7") is None


def test_a_checkpoint_that_cannot_be_read_is_no_state(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_checkpoint(tmp_path, "trial 7") is None
    assert caplog.messages == [f"checkpoint {tmp_path} cannot be read: Is a directory; the trial starts over"]


def test_on_a_full_disk_the_old_checkpoint_stays_and_training_goes_on(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with files_end_at(4_096):
        write_checkpoint(path, "trial 7", {"weights": torch.zeros(10_000)})
    assert caplog.messages == [f"checkpoint {path} cannot be written: File too large; the trial goes on without"]
    state = read_checkpoint(path, "trial 7")
    assert state is not None
    assert state["epochs"] == STATE["epochs"]
    assert [file.name for file in path.parent.iterdir()] == ["trial.pt"]
