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

    Args:
        path: The file; its folder exists.
        identity: What the state belongs to; `read_checkpoint` asks for the same.
        state: Tensors, numbers and text in dictionaries and lists.
    """
    buffer = io.BytesIO()
    torch.save({"identity": identity, "state": state}, buffer)
    content = buffer.getvalue()
    write_whole(path, hashlib.sha256(content).digest() + content)


def read_checkpoint(path: Path, identity: str) -> dict[str, Any] | None:
    """Read the state of a trial, onto the CPU.

    Returns:
        The state; None if there is no file, or, with a warning in the log, if the file is damaged or belongs to
        another trial.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    digest, content = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        _log.warning("checkpoint %s is damaged; the trial starts over", path)
        return None
    saved: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    if saved["identity"] != identity:
        _log.warning("checkpoint %s belongs to another trial; this one starts over", path)
        return None
    state: dict[str, Any] = saved["state"]
    return state
