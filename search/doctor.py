"""Is this machine ready? What `resnext-search doctor` looks at, and what to do about what it finds."""

from __future__ import annotations

import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import psutil
from resnext_search.spaces.datasets import DATASETS
from resnext_search.spaces.errors import DataError

PACKAGES = ("torch", "torchvision", "ax-platform", "botorch", "ray", "pandas", "numpy", "scipy", "pydantic")
LEAST_MEMORY_BYTES = 2 * 2**30  # one worker with torch takes about 0.9 GiB, the driver with Ax and Ray as much
LEAST_DISK_BYTES = 2**30


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    found: str
    ok: bool
    advice: str = ""


def examine() -> list[Finding]:
    """Look at everything; nothing is changed and nothing is downloaded."""
    return [_python(), *_packages(), *_hardware(), *_data()]


def _python() -> Finding:
    return Finding("python", sys.version.split()[0], sys.version_info >= (3, 11))


def _packages() -> list[Finding]:
    findings = []
    for name in PACKAGES:
        try:
            findings.append(Finding(name, version(name), True))
        except PackageNotFoundError:
            findings.append(Finding(name, "not installed", False, "pip install -e . -c constraints.txt"))
    return findings


def _hardware() -> list[Finding]:
    import torch

    memory = psutil.virtual_memory().available
    disk = shutil.disk_usage(Path.cwd()).free
    gpus = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    findings = [
        Finding("cores", str(os.cpu_count()), True),
        Finding("GPUs", ", ".join(gpus) or "none", True, "" if gpus else "trials run on the processor"),
        Finding("free memory", f"{memory / 2**30:.1f} GiB", memory >= LEAST_MEMORY_BYTES, "a trial takes about 1 GiB"),
        Finding(
            "free disk here", f"{disk / 2**30:.1f} GiB", disk >= LEAST_DISK_BYTES, "checkpoints lie in the study folder"
        ),
    ]
    shared = Path("/dev/shm")
    if shared.exists():
        free = shutil.disk_usage(shared).free
        findings.append(
            Finding("/dev/shm", f"{free / 2**30:.1f} GiB free", free >= 2**28, "Ray keeps its objects there")
        )
    return findings


def _data() -> list[Finding]:
    from resnext_search.spaces.study import DataConfig
    from resnext_search.trainers.data import load_dataset

    findings = []
    for name in DATASETS:
        try:
            load_dataset(DataConfig.model_validate({"name": name}))
            findings.append(Finding(f"data set {name}", "readable", True))
        except DataError as error:
            findings.append(Finding(f"data set {name}", "not found", True, error.hint))
    return findings
