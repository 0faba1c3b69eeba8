"""How does a trial survive the death of its process: a file that is either whole and the right one, or ignored.

torch's own format does not notice a flipped bit, so the file carries a SHA-256 of its content.
"""

from __future__ import annotations

import hashlib
import io
import logging
from pathlib import Path
from typing import Any

import torch
from resnext_search.spaces.whole_file import write_whole

_DIGEST_BYTES = hashlib.sha256().digest_size
_log = logging.getLogger(__name__)


def write_checkpoint(path: Path, identity: str, state: dict[str, Any]) -> None:
    """Replace the file at once: a reader, and a machine that loses power, sees the old file or the new one.

    Where it cannot be written (a full disk, say) the old file stays, with a warning in the log: training goes on, and
    would only have to be repeated if its process died.

    Args:
        path: The file; its folder exists.
        identity: What the state belongs to; `read_checkpoint` asks for the same.
        state: Tensors, numbers and text in dictionaries and lists.
    """
    buffer = io.BytesIO()
    torch.save({"identity": identity, "state": state}, buffer)
    content = buffer.getvalue()
    try:
        write_whole(path, hashlib.sha256(content).digest() + content)
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
    digest, content = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        _log.warning("checkpoint %s is damaged; the trial starts over", path)
        return None
    try:
        # weights only: a pickle that would run code is refused, whoever has put it there
        saved: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        owner, state = saved["identity"], dict(saved["state"])
    except Exception as error:  # what a forged file makes torch raise is anyone's guess
        _log.warning("checkpoint %s is none of ours (%s); the trial starts over", path, type(error).__name__)
        return None
    if owner != identity:
        _log.warning("checkpoint %s belongs to another trial; this one starts over", path)
        return None
    return state
