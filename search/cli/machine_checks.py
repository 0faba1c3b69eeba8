"""Is this machine ready for a study? What `doctor` looks at, and what to do about what it finds."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import psutil
from resnext_search.search.machines.addresses import cluster_of, is_on_a_cluster
from resnext_search.spaces.datasets import DATASETS, dataset_names, dataset_plugin, trainer_names, trainer_plugin
from resnext_search.spaces.errors import DataError, PluginError, ResnextSearchError, UsageError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.versions import said_by

PACKAGES = ("torch", "torchvision", "ax-platform", "botorch", "ray", "pandas", "numpy", "scipy", "pydantic")
LEAST_MEMORY_BYTES = 2 * 2**30  # one worker with torch takes about 0.9 GiB, the driver with Ax and Ray as much
LEAST_DISK_BYTES = 2**30


class Check(NamedTuple):
    """One thing that was looked at."""

    what: str
    found: str
    ok: bool
    advice: str = ""
    stops: bool = False  # whether a study would not start, or not go on, because of it

    def __str__(self) -> str:
        """As one line for people."""
        advice = f"  ({self.advice})" if self.advice else ""
        return f"{'STOP' if self.stops else 'ok  ' if self.ok else 'NOTE'} {self.what}: {self.found}{advice}"


def check_machine(study: Study | None = None) -> list[Check]:
    """Look at everything, and at every image of a study; nothing is changed and nothing is downloaded."""
    enough = sys.version_info >= (3, 11)
    python = Check("python", sys.version.split()[0], enough, "" if enough else "install 3.11 or newer", not enough)
    checks = [python, *_packages(), *_hardware(), _open_files(), _machines(study), *_data_sets(), *_trainers()]
    return checks if study is None else [*checks, *_needs_of(study), *_data_of(study)]


def _packages() -> list[Check]:
    checks = []
    for name in PACKAGES:
        try:
            checks.append(Check(name, version(name), True))
        except PackageNotFoundError:
            checks.append(Check(name, "not installed", False, "pip install -e . -c constraints.txt", True))
    return checks


def _hardware() -> list[Check]:
    import torch

    memory = psutil.virtual_memory().available
    disk = shutil.disk_usage(Path.cwd()).free
    checks = [
        Check("cores", str(os.cpu_count()), True),
        _gpus([torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]),
        Check("free memory", f"{memory / 2**30:.1f} GiB", memory >= LEAST_MEMORY_BYTES, "a trial takes about 1 GiB"),
        Check(
            "free disk here", f"{disk / 2**30:.1f} GiB", disk >= LEAST_DISK_BYTES, "checkpoints lie in the study folder"
        ),
    ]
    shared = Path("/dev/shm")
    if shared.exists():
        free = shutil.disk_usage(shared).free
        checks.append(Check("/dev/shm", f"{free / 2**30:.1f} GiB free", free >= 2**28, "Ray keeps its objects there"))
    return checks


def _gpus(seen: list[str]) -> Check:
    """Those that torch sees, beside those that the driver has, which are the ones that Ray finds."""
    from resnext_search.search.machines.gpus import HINT, gpu_trouble

    hidden = "CUDA_VISIBLE_DEVICES" in os.environ  # from Ray too
    there = [] if hidden else said_by("nvidia-smi", "--query-gpu=count", "--format=csv,noheader").split()
    if not seen and not there:
        return Check("GPUs", "none", True, "trials run on the processor")
    trouble = gpu_trouble()
    if not trouble and there and len(seen) < int(there[0]):
        trouble = "torch sees no more; trials on the others would fail"
    found = f"{', '.join(seen) or 'none that torch sees'}{f'; the driver has {there[0]}' if trouble and there else ''}"
    return Check("GPUs", f"{found}: {trouble}" if trouble else found, not trouble, HINT if trouble else "")


def _open_files() -> Check:
    from resnext_search.search.machines.open_files import (
        ROOMY,
        expect_open_files,
        how_to_allow_more,
        most_open_files,
    )

    most = most_open_files()
    try:
        expect_open_files()
    except UsageError as error:
        return Check("open files", str(error), False, error.hint, True)
    return Check("open files", f"{most:,} a process", most >= ROOMY, "" if most >= ROOMY else how_to_allow_more())


def _machines(study: Study | None) -> Check:
    """Where the trials of a study would run, by its own word or that of the environment."""
    try:
        cluster = cluster_of(None if study is None else study.resources.cluster)
    except UsageError as error:
        return Check("cluster", str(error), False, error.hint, True)
    return Check("cluster", "none: trials run on this machine" if cluster is None else str(cluster), True)


def _data_sets() -> Iterator[Check]:
    from resnext_search.trainers.data.readers import check_dataset, load_dataset

    for name in dataset_names():
        if name in DATASETS and DATASETS[name].of_the_study:  # which images, and of what shape, is said by a study
            continue
        try:
            if name not in DATASETS:
                dataset_plugin(name)
            check_dataset(DataConfig(name=name))
            load_dataset.cache_clear()
            yield Check(f"data set {name}", "readable", True)
        except PluginError as error:
            yield Check(f"data set {name}", str(error), False, "mend or remove the package that brings it")
        except DataError as error:
            yield Check(f"data set {name}", "not found", True, error.hint or str(error))


def _trainers() -> Iterator[Check]:
    for name in trainer_names():
        try:
            trainer_plugin(name)
            yield Check(f"trainer {name}", "can be imported", True)
        except PluginError as error:
            yield Check(f"trainer {name}", str(error), False, "mend or remove the package that brings it")


def _needs_of(study: Study) -> Iterator[Check]:
    """What else a run of the study asks for before its first trial."""
    from resnext_search.search.machines.cluster import Cluster
    from resnext_search.search.machines.room import Node
    from resnext_search.search.monitor.trackers import expect_installed
    from resnext_search.search.planning.limits import check_limits

    def expect_room() -> None:
        import torch

        here = Node(os.cpu_count() or 1, torch.cuda.device_count())
        if not is_on_a_cluster(study.resources.cluster):
            Cluster((here,), None).trials_at_once(study)

    needs: dict[str, Callable[[], object]] = {
        "architectures": study.feasible_set,
        "limits": lambda: check_limits(study),
        "trackers": lambda: expect_installed(study.trackers),
        "room for a trial": expect_room,
    }
    for what, expect in needs.items():
        try:
            expect()
        except ResnextSearchError as error:
            yield Check(f"{what} of {study.name}", str(error), False, error.hint, True)


def _data_of(study: Study) -> Iterator[Check]:
    import torch
    from resnext_search.search.lifecycle.data_check import expect_images
    from resnext_search.search.planning.calibration import workers_of
    from resnext_search.trainers.device import least_gpu_bytes

    try:
        images = expect_images(study)
    except ResnextSearchError as error:
        yield Check(f"images of {study.name}", str(error), False, error.hint, True)
        return
    yield Check(f"images of {study.name}", "readable", True, "; ".join(images.words))
    if images.memory_bytes and not is_on_a_cluster(study.resources.cluster):
        workers = workers_of(study, torch.cuda.device_count(), least_gpu_bytes())
        needed = workers * images.memory_bytes
        found = f"{images.memory_bytes / 2**30:.2f} GiB in every worker, {workers} at once"
        ok = needed + LEAST_MEMORY_BYTES <= psutil.virtual_memory().available
        advice = "" if ok else "lower search.parallel, or data.memory to read images from their files"
        yield Check(f"memory for images of {study.name}", found, ok, advice)
