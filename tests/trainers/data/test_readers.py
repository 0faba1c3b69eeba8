"""Data: readers on real or hand-made files, messages that say how to get a data set."""

from __future__ import annotations

import gzip
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from resnext_search.spaces.datasets import DATASETS, DatasetFacts
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study import sections as study_sections
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data import readers as data_module
from resnext_search.trainers.data.in_memory import MemoryDataset
from resnext_search.trainers.data.readers import DEBIAN_FASHION_MNIST
from resnext_search.trainers.data.readers import load_dataset as read
from resnext_search.trainers.data.splits import split
from torchvision import datasets

DIGITS = DataConfig(name="digits")
needs_fashion = pytest.mark.skipif(
    not (DEBIAN_FASHION_MNIST / "train-images-idx3-ubyte.gz").exists(),
    reason="Fashion-MNIST is not installed (package dataset-fashion-mnist)",
)


def load_dataset(config: DataConfig) -> MemoryDataset:
    """These data sets are kept in memory."""
    dataset = read(config)
    assert isinstance(dataset, MemoryDataset)
    return dataset


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, on a machine without Debian's package."""
    monkeypatch.setattr(data_module, "DEBIAN_FASHION_MNIST", tmp_path / "debian")
    return tmp_path


# ------------------------------------------------------------------ readers


def test_digits_are_bytes_from_black_to_white() -> None:
    dataset = load_dataset(DIGITS)
    assert dataset.images.shape == (1_797, 1, 8, 8)
    assert dataset.images.dtype == torch.uint8
    # the first row of scikit-learn's first digit, a zero: 0 0 5 13 9 1 0 0 of 16
    assert dataset.images[0, 0, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]
    assert (dataset.labels[0].item(), dataset.labels.dtype) == (0, torch.int64)
    assert dataset.labels.bincount().min() > 170


def test_a_data_set_is_read_once_in_a_process() -> None:
    assert load_dataset(DataConfig(name="digits")) is load_dataset(DataConfig(name="digits"))


@needs_fashion
def test_fashion_mnist_is_read_from_debians_package(tmp_path: Path) -> None:
    config = DataConfig(name="fashion_mnist", root=str(tmp_path))
    dataset = load_dataset(config)
    assert dataset.images.shape == (70_000, 1, 28, 28)
    assert dataset.labels.bincount().tolist() == [7_000] * 10
    assert dataset.labels[:5].tolist() == [9, 0, 0, 3, 0]
    splits = split(dataset, config, 0)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (54_000, 6_000, 10_000)
    assert splits.mean.item() / 255 == pytest.approx(0.286, abs=5e-4)  # as published everywhere
    assert splits.std.item() / 255 == pytest.approx(0.353, abs=5e-4)


@needs_fashion
def test_fashion_mnist_in_torchvisions_folder_is_the_same_as_torchvisions(tmp_path: Path) -> None:
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for packed in DEBIAN_FASHION_MNIST.glob("*.gz"):
        (raw / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    dataset = load_dataset(DataConfig(name="fashion_mnist", root=str(tmp_path)))
    theirs = datasets.FashionMNIST(tmp_path, train=False)
    assert torch.equal(dataset.images[60_000:, 0], theirs.data)
    assert torch.equal(dataset.labels[60_000:], theirs.targets)


def test_a_missing_fashion_mnist_says_where_it_was_looked_for_and_how_to_get_it(nowhere: Path) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(DataConfig(name="fashion_mnist", root=str(nowhere)))
    assert str(caught.value) == (
        f"data: fashion_mnist: train-images-idx3-ubyte is neither in {nowhere}/FashionMNIST/raw nor in {nowhere}/debian"
    )
    assert caught.value.hint == (
        "On Debian and Ubuntu: apt-get install dataset-fashion-mnist. Elsewhere: python -c "
        f"\"import torchvision; torchvision.datasets.FashionMNIST('{nowhere}', download=True)\""
    )


@pytest.mark.parametrize("root", ["~/images", "$IMAGES/images", "${IMAGES}/images"])
def test_a_home_and_a_variable_in_the_root_are_those_of_the_machine_that_reads(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    data = DataConfig(name="fashion_mnist", root=root)
    for user in ("one", "other"):
        monkeypatch.setenv("HOME", str(nowhere / user))
        monkeypatch.setenv("IMAGES", str(nowhere / user))
        with pytest.raises(DataError, match=f"neither in {nowhere}/{user}/images/FashionMNIST/raw nor in"):
            load_dataset(data)
    assert data.root == root  # as it goes into the journal


@pytest.mark.parametrize(
    ("root", "what"),
    [
        ("$NOWHERE_SET/images", "$NOWHERE_SET: no variable of this name in the environment"),
        ("/a/${NOWHERE_SET}", "${NOWHERE_SET}: no variable of this name in the environment"),
        ("~nobody-of-this-name/images", "~nobody-of-this-name: no user of this name"),
    ],
)
def test_a_root_that_stands_for_no_folder_here_is_said(root: str, what: str) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(DataConfig(name="fashion_mnist", root=root))
    assert str(caught.value) == f"data.root: found {root}: {what}"
    assert caught.value.hint == "Set it, or give the path in full: data.root=/..."


def test_a_folder_whose_name_has_a_dollar_in_it_is_that_folder(nowhere: Path) -> None:
    (nowhere / "$NOWHERE_SET").mkdir()
    with pytest.raises(DataError, match=r"neither in .*/\$NOWHERE_SET/FashionMNIST/raw nor in"):
        load_dataset(DataConfig(name="fashion_mnist", root=str(nowhere / "$NOWHERE_SET")))


def _idx(array: np.ndarray[Any, Any]) -> bytes:
    return struct.pack(f">4B{array.ndim}i", 0, 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


@pytest.mark.parametrize(
    "damage", [b"", b"\x00", gzip.compress(_idx(np.zeros((5, 2, 2))), mtime=0)[:-9], b"not gzip at all"]
)
def test_a_damaged_fashion_mnist_is_named(nowhere: Path, damage: bytes) -> None:
    raw = nowhere / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte.gz").write_bytes(damage)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz is damaged: "):
        load_dataset(DataConfig(name="fashion_mnist", root=str(nowhere)))


def test_another_data_set_under_the_name_of_fashion_mnist_is_refused(nowhere: Path) -> None:
    raw = nowhere / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        (raw / f"{part}-images-idx3-ubyte").write_bytes(_idx(np.zeros((3, 28, 28))))
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(_idx(np.zeros(3)))
    with pytest.raises(DataError) as caught:
        load_dataset(DataConfig(name="fashion_mnist", root=str(nowhere)))
    assert str(caught.value) == (
        "data: fashion_mnist: found images of shape (3, 1, 28, 28) with 3 labels; published are (60000, 1, 28, 28) in "
        "10 classes"
    )


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_a_missing_cifar_says_where_it_was_looked_for_and_how_to_get_it(nowhere: Path, name: str) -> None:
    kind = {"cifar10": datasets.CIFAR10, "cifar100": datasets.CIFAR100}[name]
    with pytest.raises(DataError) as caught:
        load_dataset(DataConfig(name=name, root=str(nowhere)))
    assert str(caught.value) == f"data: {name}: no intact copy in {nowhere}/{kind.base_folder}"
    assert caught.value.hint == (
        'Get it with: python -c "import torchvision; '
        f"torchvision.datasets.{name.upper()}('{nowhere}', download=True)\""
    )


def test_cifar10_is_read_from_its_pickles_of_2009(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = nowhere / datasets.CIFAR10.base_folder
    folder.mkdir()
    names = [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]
    for number, name in enumerate(names):
        rows = np.zeros((10_000, 3_072), dtype=np.uint8)
        rows[:, 1_024] = number  # first pixel of the green channel
        (folder / name).write_bytes(_OldPickler.dump({"data": rows, "labels": [number] * 10_000}))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": list("abcdefghij")}))
    monkeypatch.setattr(datasets.CIFAR10, "_check_integrity", lambda _self: True)
    monkeypatch.setattr(datasets.cifar, "check_integrity", lambda *_: True)
    dataset = load_dataset(DataConfig(name="cifar10", root=str(nowhere)))
    assert dataset.images.shape == (60_000, 3, 32, 32)
    assert dataset.published_train == 50_000
    assert dataset.images[[0, 10_000, 59_999], 1, 0, 0].tolist() == [0, 1, 5]
    assert dataset.images[:, [0, 2]].sum() == 0
    assert dataset.labels[[0, 10_000, 59_999]].tolist() == [0, 1, 5]


class _OldPickler(pickle._Pickler):  # the Python one: its methods can be replaced
    """Spells a dtype the way NumPy did when CIFAR was published, with `align` as a number; NumPy 2.4.0 warns of it."""

    def save(self, obj: Any, save_persistent_id: bool = True) -> Any:
        if isinstance(obj, np.dtype):
            return self.save_reduce(  # type: ignore[attr-defined]
                np.dtype, ("u1", 0, 1), (3, "|", None, None, None, -1, -1, 0), obj=obj
            )
        return super().save(obj, save_persistent_id)  # type: ignore[misc]

    @classmethod
    def dump(cls, obj: Any) -> bytes:  # type: ignore[override]
        import io

        file = io.BytesIO()
        pickle._Pickler.dump(cls(file, protocol=2), obj)
        return file.getvalue()


def test_the_facts_of_a_plan_are_those_of_the_images() -> None:
    facts, dataset = DATASETS["digits"], load_dataset(DIGITS)
    assert dataset.images.shape == (facts.train_images + facts.test_images, facts.channels, 8, 8)
    assert int(dataset.labels.max()) + 1 == facts.classes


# ------------------------------------------------------------------ plug-ins


class Shapes:
    """A plug-in whose images are given: ten to train on and four to test on, in three classes."""

    facts = DatasetFacts(4, 1, 3, 10, 4, False)

    def __init__(self, given: Any) -> None:
        self.given = given

    def read(self, data: DataConfig) -> Any:
        if isinstance(self.given, Exception):
            raise self.given
        return self.given


def memory(images: int, published_train: int, highest: int = 2) -> MemoryDataset:
    labels = torch.arange(images) % (highest + 1)
    return MemoryDataset(torch.zeros(images, 1, 4, 4, dtype=torch.uint8), labels, published_train)


@pytest.fixture
def read_plugin(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], Any]:
    """Reads a plug-in named shapes, which gives what is given."""

    def read_plugin(given: Any) -> Any:
        for module in (study_sections, data_module):
            monkeypatch.setattr(module, "dataset_plugin", lambda _: Shapes(given))
        read.cache_clear()
        return read(DataConfig.model_construct(name="shapes"))

    return read_plugin


@pytest.mark.parametrize("published_train", [10, 14])  # 14: four are to be kept apart by the study's seed
def test_a_plug_in_is_read_as_it_is(read_plugin: Callable[[Any], Any], published_train: int) -> None:
    given = memory(14, published_train)
    assert read_plugin(given) is given


def test_the_test_images_of_a_plug_in_without_a_split_are_as_many_as_its_facts_say(
    read_plugin: Callable[[Any], Any],
) -> None:
    splits = split(read_plugin(memory(14, 14)), DataConfig.model_construct(name="shapes", validation_images=2), 0)
    assert (len(splits.train), len(splits.validation), len(splits.test)) == (8, 2, 4)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (None, "read NoneType; allowed: a Dataset, such as resnext_search.trainers.MemoryDataset"),
        (ValueError("no such shape"), "failed with ValueError: no such shape"),
        (DataError("data: shapes: get them first"), "data: shapes: get them first"),
        (memory(13, 10), "read 10 images to train on of 13, with labels 0 to 2; its facts are DatasetFacts("),
        (memory(14, 10, highest=3), "read 10 images to train on of 14, with labels 0 to 3; its facts are "),
    ],
)
def test_a_plug_in_that_reads_something_else_is_refused(
    read_plugin: Callable[[Any], Any], given: Any, reason: str
) -> None:
    with pytest.raises(DataError) as caught:
        read_plugin(given)
    assert str(caught.value).startswith("data: shapes: ")
    assert reason in str(caught.value)
