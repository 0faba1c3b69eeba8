"""A tree of images that fits into memory: trained bit by bit as a data set that was never in files."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces import datasets as plugins
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers import Epoch, load_dataset, train
from resnext_search.trainers.calibration import images_of
from resnext_search.trainers.data import image_folder
from resnext_search.trainers.data.dataset import Batch, CountedDataset, Look
from resnext_search.trainers.data.image_batches import FolderBatches
from resnext_search.trainers.data.image_folder import FolderDataset, read_image_folder
from resnext_search.trainers.data.in_memory import MemoryBatches
from resnext_search.trainers.data.splits import splits_of
from resnext_search.trainers.training_run import TrainingRun
from torch import Tensor

from tests.support.plugin_packages import install

# Prints by how much a process grows that keeps a folder of images.
GROWTH = """
import sys, psutil, torch
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.dataset import Look
from resnext_search.trainers.data.image_folder import read_image_folder
data = DataConfig(name="image_folder", root=sys.argv[1], resolution=96, classes=2, view="whole")
look = Look(torch.ones(3), torch.ones(3), "crop", True)
read_image_folder(data.model_copy(update={"memory": 1})).pixel_statistics(torch.arange(8))
before = psutil.Process().memory_info().rss
folder = read_image_folder(data)
batches = folder.batches(look, torch.device("cpu"), 1)
folder.pixel_statistics(torch.arange(1_000))
print(psutil.Process().memory_info().rss - before)
"""
CPU = torch.device("cpu")
CONFIGURATION = Configuration(Architecture.paper(2, 2, (1, 1)))
TRAIN, TEST, CLASSES, SIDE = 240, 60, 5, 12
# Brought by a package that has the images in memory from the start.
PACKAGE = """
from pathlib import Path
import numpy as np, torch
from resnext_search.spaces.datasets import DatasetFacts
from resnext_search.trainers import MemoryDataset
facts = DatasetFacts(12, 3, 5, 240, 60, True)
def read(data):
    arrays = np.load(Path(data.root) / "images.npz")
    return MemoryDataset(torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["labels"]), 240)
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Coloured noise, brighter from class to class, as PNG and as arrays of the same numbering; not to be changed."""
    root, random = tmp_path_factory.mktemp("tree"), np.random.default_rng(0)
    labels = np.concatenate([np.repeat(np.arange(CLASSES), count // CLASSES) for count in (TRAIN, TEST)])
    images = random.integers(0, 130, (TRAIN + TEST, 3, SIDE, SIDE)) + 30 * labels[:, None, None, None]
    np.savez(root / "images.npz", images=images.astype(np.uint8), labels=labels)
    for number, (image, label) in enumerate(zip(images.astype(np.uint8), labels, strict=True)):
        folder = root / ("train" if number < TRAIN else "test") / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image.transpose(1, 2, 0)).save(folder / f"{number:04}.png")
    return root


def config(root: Path, **given: Any) -> DataConfig:
    folder = {"name": "image_folder", "root": str(root), "resolution": SIDE, "classes": CLASSES, "view": "whole"}
    return DataConfig.model_validate(folder | given)


def study_of(data: DataConfig, augment: str = "crop") -> Study:
    return Study.model_validate(
        {
            "name": "tiny-folder",
            "data": data.model_dump() | {"train_images": 200, "validation_images": 40},
            "template": {"planes": 4, "stages": 2},
            "budget": {"multiply_adds": 200_000},
            "axes": {"cardinality": [2], "width": [2], "blocks": [1]},
            "trainer": {"epochs": 2, "batch_size": 30, "learning_rate": 0.1, "augment": augment},
        }
    )


def trained(study: Study, *, confirm: bool) -> list[Epoch]:
    """All but the time."""
    epochs = list(train(study, CONFIGURATION, 3, confirm=confirm))
    return [epoch._replace(seconds=0.0) for epoch in epochs]


def joined(batches: Iterator[Batch]) -> tuple[Tensor, Tensor]:
    images, labels = zip(*batches, strict=True)
    return torch.cat(images), torch.cat(labels)


def look_of(augment: str) -> Look:
    return Look(torch.tensor([10.0, 20.0, 30.0]), torch.tensor([1.0, 2.0, 4.0]), augment, True)


# ------------------------------------------------------------------ the same bits


@pytest.mark.parametrize("augment", ["crop", "none"])
def test_losses_and_answers_are_those_of_the_same_images_without_files(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, augment: str
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    install(tmp_path, "noise", PACKAGE, {"resnext_search.datasets": {"noise": "noise"}})
    for kept in (plugins._found, plugins.dataset_plugin):
        kept.cache_clear()
    try:
        built_in = study_of(DataConfig(name="noise", root=str(tree)), augment)
        folder = study_of(config(tree), augment)
        for confirm in (False, True):
            expected, found = trained(built_in, confirm=confirm), trained(folder, confirm=confirm)
            assert found == expected
            assert found[1].train_loss < found[0].train_loss
            assert (found[1].test_correct is not None) is confirm
    finally:
        for kept in (plugins._found, plugins.dataset_plugin):
            kept.cache_clear()


@pytest.mark.parametrize(("view", "augment"), [("whole", "crop"), ("whole", "none"), ("middle", "none")])
def test_files_that_are_read_as_they_are_needed_give_the_same_batches(tree: Path, view: str, augment: str) -> None:
    order = torch.arange(0, TRAIN, 3)  # 80 images
    seen = []
    for memory in (10**6, 1):
        batches = read_image_folder(config(tree, view=view, memory=memory)).batches(look_of(augment), CPU, 1)
        assert isinstance(batches, MemoryBatches if memory > 1 else FolderBatches)
        generator = torch.Generator().manual_seed(5)
        seen.append((joined(batches.training(order, 30, generator)), joined(batches.plain(order, 30))))
    for (images, labels), (theirs, their_labels) in zip(*seen, strict=True):
        assert torch.equal(images, theirs)
        assert torch.equal(labels, their_labels)
    (moved, _), (plain, _) = seen[0]
    assert torch.equal(moved, plain[:60]) is (augment == "none")


def test_a_middle_without_augmentation_is_trained_as_it_ever_was(tree: Path) -> None:
    """In memory or not, and normalised by a sample."""
    kept, read = (trained(study_of(config(tree, view="middle", memory=m), "none"), confirm=False) for m in (10**6, 1))
    assert kept == read


def test_images_of_any_kind_are_decoded_as_they_are_read(tree: Path, tmp_path: Path) -> None:
    """Transparent, of 16 bits, turned, larger, and not square."""
    levels = np.arange(20 * 16).reshape(20, 16)
    turned = Image.Exif()
    turned[0x0112] = 6
    for part in ("train", "test"):
        for label in ("0", "1"):
            (tmp_path / part / label).mkdir(parents=True)
        Image.fromarray(np.dstack([levels % 256] * 4).astype(np.uint8)).save(tmp_path / part / "0/transparent.png")
        Image.fromarray((levels * 200).astype(np.uint16)).save(tmp_path / part / "0/deep.png")
        Image.fromarray((levels % 256).astype(np.uint8)).save(tmp_path / part / "1/turned.jpg", exif=turned)
    data = config(tmp_path, classes=2)
    kept, read = (read_image_folder(data.model_copy(update={"memory": memory})) for memory in (10**6, 1))
    found, expected = (joined(one.batches(look_of("none"), CPU, 1).plain(torch.arange(6), 6)) for one in (kept, read))
    assert torch.equal(found[0], expected[0])
    assert kept.findings.traits == read.findings.traits
    assert {trait for traits in kept.findings.traits.values() for trait in traits} == {
        *("transparent", "16 bits", "turned")
    }


def test_a_file_that_cannot_be_read_is_named_and_one_that_is_left_out_is_no_image(tree: Path, tmp_path: Path) -> None:
    for part, label in itertools.product(("train", "test"), "01"):
        (tmp_path / part / label).mkdir(parents=True)
        Image.new("RGB", (SIDE, SIDE)).save(tmp_path / part / label / "a.png")
    (tmp_path / "train/1/b.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"train/1/b.png cannot be read: no image that Pillow knows"):
        read_image_folder(config(tmp_path, classes=2)).batches(look_of("none"), CPU, 1)
    skipping = read_image_folder(config(tmp_path, classes=2, unreadable="skip"))
    assert len(joined(skipping.batches(look_of("none"), CPU, 1).plain(torch.arange(4), 4))[1]) == 4


# ------------------------------------------------------------------ what is kept, and how often it is decoded


def test_images_are_decoded_once_in_a_process(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded, real = [], image_folder.decoded

    def counted(*what: Any) -> Tensor:
        decoded.append(what)
        return real(*what)

    monkeypatch.setattr(image_folder, "decoded", counted)
    study = study_of(config(tree))
    trials = [TrainingRun(study, CONFIGURATION, seed, device=CPU, threads=1, confirm=True) for seed in (1, 2)]
    assert len(decoded) == 1
    assert trials[0].batches.images is trials[1].batches.images  # type: ignore[attr-defined]
    assert trials[0].splits.train.tolist() != trials[1].splits.train.tolist()


def test_pixel_statistics_of_whole_images_that_are_kept_are_exact(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resnext_search.trainers.data.image_folder.SAMPLE", 4)
    study = study_of(config(tree))
    splits = splits_of(load_dataset(study.data), study, 1, confirm=True)
    pixels = torch.from_numpy(np.load(tree / "images.npz")["images"])[splits.train].double()
    torch.testing.assert_close(splits.mean, pixels.mean(dim=(0, 2, 3)).float())
    sampled, _ = read_image_folder(config(tree, memory=1)).pixel_statistics(torch.arange(TRAIN))
    assert not torch.equal(sampled, splits.mean)


def test_a_study_may_not_go_on_with_other_statistics(tree: Path) -> None:
    """With another `data.memory`, that is: whole images are normalised by all of them, or by a sample."""
    readings = [
        read_image_folder(config(tree, view=view, memory=memory)).reading
        for view, memory in (("whole", 10**6), ("whole", 1), ("middle", 10**6), ("middle", 1))
    ]
    assert readings == ["", "sampled", "", ""]


def test_what_does_not_fit_or_is_cut_at_random_stays_in_its_files(tree: Path) -> None:
    decoded = (TRAIN + TEST) * 3 * SIDE * SIDE
    fits, exceeds = (read_image_folder(config(tree, memory=memory)) for memory in (decoded, decoded - 1))
    assert isinstance(fits, CountedDataset)
    assert (fits.bytes_decoded(), decoded) == (129_600, 129_600)
    assert [fits.is_kept(augment) for augment in ("crop", "none", "standard")] == [True, True, False]
    assert [exceeds.is_kept(augment) for augment in ("crop", "none", "standard")] == [False, False, False]
    assert isinstance(fits.batches(look_of("standard"), CPU, 1), FolderBatches)


def test_a_process_grows_by_what_a_plan_says(tmp_path: Path) -> None:
    for part, label, number in itertools.product(("train", "test"), "01", range(500)):
        folder = tmp_path / part / label
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (96, 96), (number % 256, 0, 0)).save(folder / f"{number}.bmp")
    study = study_of(config(tmp_path, classes=2, resolution=96))
    dataset = load_dataset(study.data)
    assert isinstance(dataset, FolderDataset)
    said = images_of(dataset, study)
    assert said == {"count": 2_000, "bytes": 55_296_000, "allowed": 10**9, "kept": True}
    # in a process of its own: one that has run other tests has room from them
    grown = subprocess.run([sys.executable, "-c", GROWTH, str(tmp_path)], capture_output=True, text=True, check=True)
    # what decodes grows too, by a dozen megabytes; a second copy would make it 2
    assert 0.95 < float(grown.stdout) / said["bytes"] < 1.6


# ------------------------------------------------------------------ what was begun before


def test_a_study_that_says_nothing_of_its_view_is_seen_as_it_was(tree: Path) -> None:
    stored = study_of(config(tree, view="middle"), "none").model_dump(mode="json")
    for name in ("view", "memory"):
        del stored["data"][name]
    begun = Study.model_validate_json(json.dumps(stored))
    assert begun.data.view == "middle"
    identity = json.loads(TrainingRun(begun, CONFIGURATION, 1, device=CPU, threads=1).identity)
    assert list(identity["data"]) == [
        *("name", "train_images", "validation_images", "resolution", "classes", "unreadable")
    ]
    whole = TrainingRun(study_of(config(tree)), CONFIGURATION, 1, device=CPU, threads=1).identity
    assert json.loads(whole)["data"]["view"] == "whole"
