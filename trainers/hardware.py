"""What does this process train on? Facts about the machine, its processor and its GPU, in plain values.

The same seed gives other numbers on another kind of processor or GPU, since sums are made in another order there.
"""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import torch
from resnext_search.spaces.versions import said_by, versions

_CPUINFO = Path("/proc/cpuinfo")


@cache
def hardware(device: str) -> dict[str, Any]:
    """What a trial on this device (`cpu` or `cuda`) runs on; asked once by a process.

    Returns:
        `processor`, `cores` (logical ones, of the whole machine), `memory_gib`, `gpu` and `driver` (None on a
        processor, or where they are not known), `system`, and `versions` by name. Nothing names the machine: two of
        the same kind have the same facts.
    """
    gpu, more = _gpu(device)
    return {
        "processor": _processor(),
        "cores": psutil.cpu_count() or 1,
        # to a tenth: kernels keep some megabytes more or less for themselves
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpu": gpu,
        "driver": (said_by("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader") or None)
        if gpu
        else None,
        "system": _system(),
        "versions": versions() | {"torch": str(torch.__version__)} | more,
    }


def _gpu(device: str) -> tuple[str | None, dict[str, str]]:
    """The GPU that this process sees first, and the libraries that compute on it."""
    if device != "cuda" or not torch.cuda.is_available():  # the logical GPUs of a test are none
        return None, {}
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    libraries = {"cuda": torch.version.cuda, "rocm": torch.version.hip, "cudnn": cudnn}
    return torch.cuda.get_device_name(0), {name: str(found) for name, found in libraries.items() if found is not None}


def _processor() -> str:
    """Its model, and what tells those apart that virtual machines call by one name: family, model, vectors in use."""
    try:
        facts = cpu_facts(_CPUINFO.read_text(encoding="utf-8", errors="replace"))
    except OSError:  # not Linux
        facts = {}
    name = facts.get("model name") or said_by("sysctl", "-n", "machdep.cpu.brand_string")
    numbers = [f"{key} {facts[key]}" for key in ("cpu family", "model", "CPU implementer", "CPU part") if key in facts]
    vectors = torch.backends.cpu.get_cpu_capability()
    return f"{name or platform.processor() or platform.machine()} ({', '.join([*numbers, vectors])})"


def cpu_facts(text: str) -> dict[str, str]:
    """What `/proc/cpuinfo` says of the first processor, with single spaces.

    >>> cpu_facts("model name\\t: AMD EPYC  7B13   \\nmodel\\t\\t: 1\\n\\nmodel name\\t: another\\n")
    {'model name': 'AMD EPYC 7B13', 'model': '1'}
    """
    lines = (line.partition(":") for line in text.strip().partition("\n\n")[0].splitlines())
    return {key.strip(): " ".join(value.split()) for key, _, value in lines}


def _system() -> str:
    """The operating system, with its kernel."""
    try:
        name = platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):  # not Linux, or one that does not say
        return platform.platform()
    return f"{name}, {platform.platform()}"
