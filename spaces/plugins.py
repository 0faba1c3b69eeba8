"""What do other packages bring along? Data sets and trainers, found by their entry points.

An entry point is imported when its name is asked for, a trainer's not before a run. Names that are built in stay what
they are. Imports nothing heavy itself; what a plug-in imports is its own business.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol

from resnext_search.spaces.datasets import DATASETS, DatasetFacts
from resnext_search.spaces.errors import PluginError
from resnext_search.spaces.study_problems import Problem, shown

DATASET_GROUP = "resnext_search.datasets"
TRAINER_GROUP = "resnext_search.trainers"


class DatasetPlugin(Protocol):
    """What an entry point of the group `resnext_search.datasets` names: a module, a class or another object."""

    @property
    def facts(self) -> DatasetFacts:
        """Shape and size of the data set. Reading them should import nothing heavy: `plan` needs them."""
        ...

    def read(self, data: Any) -> Any:
        """The images, as a `resnext_search.trainers.Dataset`, for the `data` section of a study."""
        ...


def dataset_names() -> tuple[str, ...]:
    """Data sets that a study may name: those that are built in, then those of plug-ins."""
    built_in = (*DATASETS, "image_folder")
    return (*built_in, *(name for name in _found(DATASET_GROUP) if name not in built_in))


def trainer_names() -> tuple[str, ...]:
    """Trainers that a study may name."""
    return tuple(_found(TRAINER_GROUP))


@functools.cache
def dataset_plugin(name: str) -> DatasetPlugin:
    """The data set of another package.

    Raises:
        PluginError: It is not installed, cannot be imported, or is no data set.
    """
    plugin: DatasetPlugin = _load(DATASET_GROUP, name)
    facts = getattr(plugin, "facts", None)
    counts = facts[:-1] if isinstance(facts, DatasetFacts) else ()
    if not counts or not all(isinstance(count, int) and count > 0 for count in counts):
        raise PluginError(f"plug-in {name}: found facts {shown(facts)}; allowed: DatasetFacts with numbers above 0")
    if not callable(getattr(plugin, "read", None)):
        raise PluginError(f"plug-in {name}: it has no function read(data)")
    return plugin


def trainer_plugin(name: str) -> Callable[..., Iterator[Any]]:
    """The trainer of another package: called as `resnext_search.trainers.train` is.

    Raises:
        PluginError: It is not installed, cannot be imported, or cannot be called.
    """
    train: Callable[..., Iterator[Any]] = _load(TRAINER_GROUP, name)
    if not callable(train):
        raise PluginError(f"plug-in {name}: found {type(train).__name__}; allowed: a function such as trainers.train")
    return train


def plugin_problems(name: Any, names: Sequence[str], load: Callable[[str], object] | None = None) -> Iterator[Problem]:
    """What is wrong with a name in a study file.

    Args:
        name: What stands there.
        names: What may stand there.
        load: Loads the plug-in of that name; without it only the name is looked at.
    """
    if name not in names:
        *most, last = names or ("nothing, since no package that is installed brings one",)
        yield Problem((), shown(name), f"{', '.join(most)} or {last}" if most else last)
    elif load is not None and name not in DATASETS and name != "image_folder":
        try:
            load(name)
        except PluginError as error:
            yield Problem((), shown(name), "a plug-in that works", f"{error}.")


@functools.cache
def _found(group: str) -> dict[str, list[EntryPoint]]:
    """Entry points by name, looked for once in a process."""
    found: dict[str, list[EntryPoint]] = {}
    for point in sorted(entry_points(group=group)):
        found.setdefault(point.name, []).append(point)
    return found


def _load(group: str, name: str) -> Any:
    points = _found(group).get(name, [])
    if len(points) != 1:
        found = " and ".join(point.value for point in points) or "nothing"
        raise PluginError(f"plug-in {name}: found {found} in the group {group}; allowed: one entry point of that name")
    try:
        return points[0].load()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(f"plug-in {name} ({points[0].value}) cannot be imported: {reason}") from error
