"""Can torch train on the GPUs that Ray has found, and what memory have they? Ray knows nothing of either."""

from __future__ import annotations

import json
import subprocess
import sys

from resnext_search.results.journal.rows import last_line
from resnext_search.spaces.errors import UsageError

_PROGRAM = "import json; from resnext_search.trainers.device import try_gpus; print(json.dumps(try_gpus()))"
# It imports torch and makes one convolution: some 4 s, and more on a machine that is busy.
_MOST_SECONDS = 120.0

HINT = "Install a torch that is built for this GPU and its driver, or train on the processor: resources.gpu=0"


def gpu_trouble() -> str:
    """What keeps torch from training on a GPU of this machine, as a process of its own finds out; empty if nothing."""
    return _tried()[0]


def expect_usable_gpus(seen: float) -> int:
    """Try out a GPU of this machine before the first trial, where Ray has seen so many.

    Returns:
        Memory in bytes of the smallest of them.

    Raises:
        UsageError: Torch cannot train on it: every trial would fail.
    """
    trouble, memory = _tried()
    if trouble:
        raise UsageError(f"Ray sees {seen:g} GPUs, but torch cannot train on them: {trouble}", hint=HINT)
    return memory


def _tried() -> tuple[str, int]:
    """What `trainers.device.try_gpus` says in a process of its own, or what became of that."""
    try:
        found = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=_MOST_SECONDS)
    except subprocess.TimeoutExpired:
        return f"a convolution had not ended after {_MOST_SECONDS:g} s", 0
    if found.returncode:
        return last_line(found.stderr) or f"a convolution ended its process with {found.returncode}", 0
    trouble, memory = json.loads(found.stdout)
    return trouble, memory
