"""How does a trial survive the death of its process: by its state, which is either whole and the right one, or ignored.

The state is a file, or bytes that somebody else carries away and brings back; what they are is the same for both.

torch's own format does not notice a flipped bit, so the file carries a SHA-256 of its content. And it takes some 20 µs
for each tensor, of which a network has hundreds: the numbers of a network and its optimizer are written in one piece of
each kind, in a third of the time, and a trial of the digits study writes them every 0.4 s.
"""

from __future__ import annotations

import hashlib
import io
import logging
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

import torch
from resnext_search.spaces.whole_file import write_whole
from torch import Tensor, nn
from torch.optim import SGD

_DIGEST_BYTES = hashlib.sha256().digest_size
_log = logging.getLogger(__name__)


def write_checkpoint(path: Path, identity: str, state: dict[str, Any]) -> None:
    """Replace the file at once: a reader, and a machine that loses power, sees the old file or the new one.

    Where it cannot be written (a full disk, say) the old file stays, with a warning in the log: training goes on, and
    would only have to be repeated if its process died. The state is tensors, numbers and text in dictionaries and
    lists; `identity` is what it belongs to, and `read_checkpoint` asks for the same.
    """
    try:
        write_whole(path, encoded(identity, state))
    except OSError as error:
        _log.warning("checkpoint %s cannot be written: %s; the trial goes on without", path, error.strerror or error)


def read_checkpoint(path: Path, identity: str) -> dict[str, Any] | None:
    """Read the state of a trial, onto the CPU.

    Returns:
        The state; None if there is no file, or, with a warning in the log, if the file cannot be read, is damaged, is
        none of ours, or belongs to another trial.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("checkpoint %s cannot be read: %s; the trial starts over", path, error.strerror)
        return None
    return decoded(raw, identity, path)


def encoded(identity: str, state: dict[str, Any]) -> memoryview:
    """What is written of a state: its digest, then what torch makes of it; in one piece of memory, never copied."""
    buffer = io.BytesIO(bytes(_DIGEST_BYTES))
    buffer.seek(_DIGEST_BYTES)
    torch.save({"identity": identity, "state": state}, buffer)
    content = buffer.getbuffer()
    content[:_DIGEST_BYTES] = hashlib.sha256(content[_DIGEST_BYTES:]).digest()
    return content


def decoded(raw: bytes | memoryview, identity: str, name: object) -> dict[str, Any] | None:
    """The state in what `encoded` made, onto the CPU; None as of `read_checkpoint`. The log calls it by this name."""
    content = memoryview(raw)[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != raw[:_DIGEST_BYTES]:
        _log.warning("checkpoint %s is damaged; the trial starts over", name)
        return None
    try:
        # weights only: a pickle that would run code is refused, whoever has put it there
        saved: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        owner, state = saved["identity"], dict(saved["state"])
    except Exception as error:  # what a forged file makes torch raise is anyone's guess
        _log.warning("checkpoint %s is none of ours (%s); the trial starts over", name, type(error).__name__)
        return None
    if owner != identity:
        _log.warning("checkpoint %s belongs to another trial; this one starts over", name)
        return None
    return state


def most_bytes(parameters: int) -> int:
    """More than the state of a trial ever has, of a network with so many parameters.

    A number of four bytes and its momentum for each parameter, twice that for trainers that keep more, and a megabyte
    for everything else: statistics of the norms, and the epochs.

    >>> most_bytes(1_000_000)
    17000000
    """
    return 2 * 2 * 4 * parameters + 10**6


class Carrier(Protocol):
    """Keeps the state of a trial somewhere else than in a file: it travels with the report of an epoch."""

    def begin(self) -> bytes | memoryview | None:
        """What the trial goes on from, as of `encoded`; None if there is nothing."""

    def keep(self, content: memoryview, epoch: int) -> None:
        """The state after an epoch, before that is yielded."""


MOMENTUM = "momentum_buffer"


def state_of(network: nn.Module, optimizer: SGD) -> dict[str, Any]:
    """Weights, statistics of the norms and momenta, on the CPU."""
    momenta = [state[MOMENTUM] for parameter in _parameters(optimizer) if (state := optimizer.state.get(parameter))]
    return {"network": pack(network.state_dict().values()), "momenta": pack(momenta)}


def restore(state: dict[str, Any], network: nn.Module, optimizer: SGD) -> None:
    """Bring a network and an optimizer that were just made to where `state_of` found such ones."""
    unpack(state["network"], network.state_dict().values())
    if state["momenta"]:  # none without momentum
        for parameter in _parameters(optimizer):
            optimizer.state[parameter][MOMENTUM] = torch.zeros_like(parameter, requires_grad=False)
        unpack(state["momenta"], [optimizer.state[parameter][MOMENTUM] for parameter in _parameters(optimizer)])


def pack(tensors: Iterable[Tensor]) -> dict[str, Tensor]:
    """All numbers of a kind in one row on the CPU, `(numbers,)`, in the order of the tensors, which have any shapes.

    >>> pack([torch.ones(2), torch.tensor(3), torch.zeros(1, 2)])
    {'torch.float32': tensor([1., 1., 0., 0.]), 'torch.int64': tensor([3])}
    """
    rows = defaultdict(list)
    for tensor in tensors:
        rows[str(tensor.dtype)].append(tensor.detach().reshape(-1))
    return {kind: torch.cat(parts).cpu() for kind, parts in rows.items()}


@torch.no_grad()
def unpack(packed: dict[str, Tensor], tensors: Iterable[Tensor]) -> None:
    """Fill tensors, wherever they are and however they lie in memory, with what `pack` made of such ones.

    They have the shapes, kinds and order of those that were packed: of each kind `(numbers,)`.
    """
    begin = dict.fromkeys(packed, 0)
    for tensor in tensors:
        kind, start = str(tensor.dtype), begin[str(tensor.dtype)]
        begin[kind] = start + tensor.numel()
        tensor.copy_(packed[kind][start : begin[kind]].view(tensor.shape))


def _parameters(optimizer: SGD) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]
