"""What must be alike on all machines of a study? Python, torch, this program and plug-ins, and the images.

Workers run this file by value, also where the program is not installed or is another version: at its top it imports the
standard library alone, and what it asks the program for is imported where it is asked.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

PROGRAM = "resnext-search"
# By what they are called in words: facts that are digits made of much, which nobody wants to read.
FILES, IMAGES = f"the files of {PROGRAM}", "the images"
ROOMS = ("spaces", "trainers", "results", "search")


def software(plugins: Mapping[str, str]) -> dict[str, str]:
    """Versions that trials depend on, by name, and digits made of the files of this program.

    Args:
        plugins: Those of the study, as `plugins_of` has them: groups of entry points, by name.

    Raises:
        ImportError: This program is not installed.
    """
    found = {"python": platform.python_version(), PROGRAM: _own_version()}
    with suppress(metadata.PackageNotFoundError):  # what a trainer of a plug-in may do without
        found["torch"] = metadata.version("torch").partition("+")[0]  # the same release, built for another device
    for name, group in plugins.items():
        points = metadata.entry_points(group=group, name=name)
        found[f"plug-in {name}"] = " and ".join(_version_of(point) for point in points) or "missing"
    return found | {FILES: _digits_of_files()}


def plugins_of(study: Any) -> dict[str, str]:
    """The plug-ins that a study uses: groups of entry points, by name."""
    from resnext_search.spaces.datasets import DATASET_GROUP, DATASETS, TRAINER_GROUP

    trainer = {} if study.trainer.plugin is None else {study.trainer.plugin: TRAINER_GROUP}
    return trainer | ({} if study.data.name in DATASETS else {study.data.name: DATASET_GROUP})


def images(study: Any) -> str:
    """Digits made of the images of a study; the same for the same images in the same numbering.

    Raises:
        DataError: They are missing, or are not what the study says.
    """
    from resnext_search.trainers.data.dataset import fingerprint_of
    from resnext_search.trainers.data.readers import load_dataset

    return fingerprint_of(load_dataset(study.data))


def look(expected: Mapping[str, str], study_json: str, plugins: Mapping[str, str]) -> str:
    """Why no trial is to be trained on this machine, in words; empty if it is as expected.

    Args:
        expected: What the driver has of `software` and `images`; what is not in it is not compared.
        study_json: The study.
        plugins: As of `software`.
    """
    try:
        if expected.keys() - {IMAGES}:
            different = differences(expected, software(plugins))
            if different:
                return different
        from resnext_search.spaces.study.study import Study

        study = Study.model_validate_json(study_json)
        return differences(expected, {IMAGES: images(study)})
    except Exception as error:  # of any kind: a trial could not be trained here either
        return _in_words(error)


def differences(expected: Mapping[str, str], found: Mapping[str, str]) -> str:
    """What of these facts is not as expected, in words; what only one of both has is not compared.

    The version of this program is said where its files differ: that of a checkout names a commit, too.

    >>> differences({"python": "3.11.2", "torch": "2.9.0", FILES: "1"}, {"python": "3.11.2", "torch": "2.8.0"})
    'torch 2.8.0 (the driver has 2.9.0)'
    >>> differences({FILES: "1", PROGRAM: "1.0", IMAGES: "2"}, {FILES: "3", PROGRAM: "1.0", IMAGES: "2"})
    'the files of resnext-search are not those of the driver'
    """
    different = [name for name in expected if name in found and found[name] != expected[name]]
    if PROGRAM in different and FILES not in different:
        different.remove(PROGRAM)  # a checkout and an installation of the same version
    elif PROGRAM in different:
        different.remove(FILES)
    return "; ".join(
        f"{name} are not those of the driver"
        if name in (FILES, IMAGES)
        else f"{name} {found[name]} (the driver has {expected[name]})"
        for name in different
    )


def _in_words(error: Exception) -> str:
    if isinstance(error, ModuleNotFoundError) and (error.name or "").startswith("resnext_search"):
        return f"{PROGRAM} is not installed there ({error})"
    if isinstance(error, ImportError):
        return f"{PROGRAM} cannot be imported there: {error}"
    if type(error).__module__.startswith("resnext_search."):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _own_version() -> str:
    """With the commit of a checkout."""
    return str(importlib.import_module("resnext_search.spaces.versions").versions().get(PROGRAM, "unknown"))


def _version_of(point: metadata.EntryPoint) -> str:
    return point.dist.version if point.dist is not None else "unknown"


def _digits_of_files() -> str:
    """The same for the same modules, whichever way they were installed."""
    digits = hashlib.sha256()
    for room in ROOMS:
        spec = importlib.util.find_spec(f"resnext_search.{room}")
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"No module named 'resnext_search.{room}'", name=f"resnext_search.{room}")
        folder = Path(spec.origin).parent
        for path in sorted(folder.rglob("*.py")):
            digits.update(f"{room}/{path.relative_to(folder).as_posix()}\0".encode())
            digits.update(hashlib.sha256(path.read_bytes()).digest())
    return digits.hexdigest()
