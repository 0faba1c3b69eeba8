"""Checkpoints: whole and the right one, or ignored with a warning; what is in them comes back in a few pieces."""

from __future__ import annotations

import hashlib
import io
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from resnext_search.spaces import Architecture, Template
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.trainers.checkpoint import (
    decoded,
    encoded,
    most_bytes,
    pack,
    read_checkpoint,
    restore,
    state_of,
    unpack,
    write_checkpoint,
)
from resnext_search.trainers.resnext import build_network
from torch import nn

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


def test_bytes_that_are_carried_are_those_of_the_file(path: Path) -> None:
    """Its SHA-256, then what torch saves; both ways back give the same."""
    content = encoded("trial 7", STATE)
    assert bytes(content) == path.read_bytes()
    assert content[:32] == hashlib.sha256(saved({"identity": "trial 7", "state": STATE})).digest()
    for raw in (content, bytes(content)):
        state = decoded(raw, "trial 7", "of nobody")
        assert state is not None
        assert torch.equal(state["weights"]["a"], STATE["weights"]["a"])


def test_bytes_are_called_by_the_name_that_they_are_given(caplog: pytest.LogCaptureFixture) -> None:
    assert decoded(encoded("trial 7", STATE), "trial 8", "trial-00008.pt") is None
    assert decoded(b"", "trial 8", "trial-00008.pt") is None
    assert caplog.messages == [
        "checkpoint trial-00008.pt belongs to another trial; this one starts over",
        "checkpoint trial-00008.pt is damaged; the trial starts over",
    ]


@pytest.mark.parametrize("epochs", [1, 10_000])
def test_no_state_of_a_network_is_as_large_as_a_state_may_be(epochs: int) -> None:
    template, architecture = Template(planes=16, stages=3, resolution=32), Architecture.paper(8, 4, (2, 2, 2))
    network = build_network(template, architecture)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    torch.autograd.backward(network(torch.randn(2, 3, 32, 32)).square().mean())
    optimizer.step()
    rows = [[epoch, 0.1, 1 / epoch, 2 / epoch, 30 / epoch, 0.3, None, None] for epoch in range(1, epochs + 1)]
    parameters = int(complexity(template, architecture).parameters)
    content = encoded("x" * 2_000, {**state_of(network, optimizer), "epochs": rows})
    assert 2 * 4 * parameters < len(content) <= most_bytes(parameters)


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


# ------------------------------------------------------------------ a network and its optimizer


def trained(seed: int, momentum: float) -> tuple[nn.Module, torch.optim.SGD]:
    """A small network, channels last, after two steps."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=momentum)
    for _ in range(2):
        optimizer.zero_grad()
        torch.autograd.backward(network(torch.randn(2, 3, 8, 8)).square().mean())
        optimizer.step()
    return network, optimizer


def test_numbers_of_a_kind_lie_in_one_row_and_come_back_to_their_shapes_and_layouts() -> None:
    first = torch.arange(24.0).reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    packed = pack([first, torch.tensor([7, 8]), torch.tensor([[24.0], [25.0]])])

    assert packed["torch.float32"].tolist() == list(range(26))  # in the order of the numbers, not of the memory
    assert packed["torch.int64"].tolist() == [7, 8]

    places = [torch.zeros_like(first), torch.zeros(2, dtype=torch.int64), torch.zeros(2, 1)]
    unpack(packed, places)
    assert torch.equal(places[0], first)
    assert places[0].is_contiguous(memory_format=torch.channels_last)
    assert places[1].tolist() == [7, 8]
    assert places[2].tolist() == [[24.0], [25.0]]


@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_the_next_step_is_the_one_that_would_have_come(momentum: float) -> None:
    network, optimizer = trained(0, momentum)
    other, its_optimizer = trained(1, momentum)
    its_optimizer = torch.optim.SGD(other.parameters(), lr=0.1, momentum=momentum)  # one that has made no step

    restore(state_of(network, optimizer), other, its_optimizer)

    images = torch.randn(2, 3, 8, 8)
    for one, steps in ((network, optimizer), (other, its_optimizer)):
        steps.zero_grad()
        torch.autograd.backward(one(images).square().mean())
        steps.step()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_a_state_does_not_change_with_the_network_that_it_was_taken_of() -> None:
    network, optimizer = trained(0, 0.9)
    state = state_of(network, optimizer)
    before = state["network"]["torch.float32"].clone()
    with torch.no_grad():
        network[0].weight.zero_()
    assert torch.equal(state["network"]["torch.float32"], before)
