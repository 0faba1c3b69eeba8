"""Is this machine ready? What `resnext-search doctor` looks at, and what to do about what it finds."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
from resnext_search.search.finding import LEAST_DISK_BYTES, Finding
from resnext_search.spaces import Study
from resnext_search.spaces.datasets import DATASETS
from resnext_search.spaces.errors import DataError, PluginError
from resnext_search.spaces.plugins import dataset_names, dataset_plugin, trainer_names, trainer_plugin
from resnext_search.spaces.study import DataConfig

PACKAGES = ("torch", "torchvision", "ax-platform", "botorch", "ray", "pandas", "numpy", "scipy", "pydantic")
LEAST_MEMORY_BYTES = 2 * 2**30  # one worker with torch takes about 0.9 GiB, the driver with Ax and Ray as much


def examine(study: Study | None = None) -> list[Finding]:
    """Look at everything, and at every image of a study; nothing is changed and nothing is downloaded."""
    findings = [_python(), *_packages(), *_hardware(), *_data_sets(), *_trainers()]
    return findings if study is None else [*findings, _data_of(study)]


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


def _data_sets() -> Iterator[Finding]:
    from resnext_search.search.images import expect_images

    for name in dataset_names():
        if name == "image_folder":  # which one, and of what shape, is said by a study
            continue
        try:
            if name not in DATASETS:
                dataset_plugin(name)
            expect_images(DataConfig(name=name))
            yield Finding(f"data set {name}", "readable", True)
        except PluginError as error:
            yield Finding(f"data set {name}", str(error), False, "mend or remove the package that brings it")
        except DataError as error:
            yield Finding(f"data set {name}", "not found", True, error.hint or str(error))


def _trainers() -> Iterator[Finding]:
    for name in trainer_names():
        try:
            trainer_plugin(name)
            yield Finding(f"trainer {name}", "can be imported", True)
        except PluginError as error:
            yield Finding(f"trainer {name}", str(error), False, "mend or remove the package that brings it")


def _data_of(study: Study) -> Finding:
    from resnext_search.search.images import expect_images

    try:
        return Finding(f"images of {study.name}", "readable", True, expect_images(study.data).words)
    except DataError as error:
        return Finding(f"images of {study.name}", str(error), False, error.hint)
