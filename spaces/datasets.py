"""Which data sets there are: those built in, with the facts that a plan needs before any image is read, and those of
other packages.

A package brings data sets and trainers by entry points. Only names that are installed are looked up; nothing is
imported by a path of a study file.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple, Protocol

from resnext_search.spaces.errors import PluginError, shown


class DatasetFacts(NamedTuple):
    """Shape and size of a data set, as published; 0 where it is the user's own, and the study has to say it.

    Args:
        resolution: Height and width, in pixels.
        channels: Channels of an image.
        classes: Classes.
        train_images: Images that may be trained or validated on.
        test_images: Images that are kept for the end.
        flip: Whether a mirrored image still shows the same thing.
        published_test: Whether those kept for the end are a split that everybody has; without it a claim is tested in
            folds of all images.
    """

    resolution: int
    channels: int
    classes: int
    train_images: int
    test_images: int
    flip: bool
    published_test: bool = True

    @property
    def of_the_study(self) -> bool:
        """Whether a study says resolution and classes, and the files alone how many images there are."""
        return not self.resolution


# digits: scikit-learn's copy of the UCI optical digits has no test split of its own; 397 of its 1,797 images are
# kept apart by the study's seed, or a fold of them where a claim is tested. A mirrored digit is not that digit, so
# digits are never flipped.
DATASETS = {
    "digits": DatasetFacts(8, 1, 10, 1_400, 397, False, published_test=False),
    "fashion_mnist": DatasetFacts(28, 1, 10, 60_000, 10_000, True),
    "cifar10": DatasetFacts(32, 3, 10, 50_000, 10_000, True),
    "cifar100": DatasetFacts(32, 3, 100, 50_000, 10_000, True),
    "image_folder": DatasetFacts(0, 3, 0, 0, 0, True),
}


class DatasetSource(NamedTuple):
    """Where a data set comes from.

    Args:
        images: What they are, who made them, and where they are published.
        licence: Under which terms, as its publishers state them.
        files: Where a study finds them.
    """

    images: str
    licence: str
    files: str


_CIFAR = (
    "{} of the 80 Million Tiny Images: A. Krizhevsky, Learning Multiple Layers of Features from Tiny Images, technical "
    "report, University of Toronto, 2009; https://www.cs.toronto.edu/~kriz/cifar.html"
)
_NO_LICENCE = (
    "none is stated; the authors ask that the report be cited. Those of the 80 Million Tiny Images, from the web, "
    "withdrew them in 2020"
)
# Of those built in; a plug-in's package speaks for its own.
SOURCES = {
    "digits": DatasetSource(
        "Handwritten digits, the test part of: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, "
        "UCI Machine Learning Repository, 1998; https://doi.org/10.24432/C50P49",
        "CC BY 4.0; scikit-learn, which carries this copy, is under BSD-3-Clause",
        "in scikit-learn: nothing to download",
    ),
    "fashion_mnist": DatasetSource(
        "Articles of clothing: H. Xiao, K. Rasul and R. Vollgraf, Fashion-MNIST: a Novel Image Dataset for "
        "Benchmarking Machine Learning Algorithms, 2017, arXiv:1708.07747; "
        "https://github.com/zalandoresearch/fashion-mnist",
        "MIT, copyright 2017 Zalando SE",
        "Debian's package dataset-fashion-mnist, or torchvision's copy below `data.root`",
    ),
    "cifar10": DatasetSource(_CIFAR.format("Ten classes"), _NO_LICENCE, "torchvision's copy below `data.root`"),
    "cifar100": DatasetSource(
        _CIFAR.format("A hundred other classes"), _NO_LICENCE, "torchvision's copy below `data.root`"
    ),
    "image_folder": DatasetSource(
        "Your own", "the one that your images have", "`train/<class>/*` and `test/<class>/*` below `data.root`"
    ),
}

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
    return (*DATASETS, *(name for name in _found(DATASET_GROUP) if name not in DATASETS))


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
    counts = facts[:5] if isinstance(facts, DatasetFacts) else ()
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
