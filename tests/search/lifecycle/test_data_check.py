"""The images of a study: looked at before a run, and the same ones in every sitting."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image
from resnext_search.results import StudyFolder
from resnext_search.search.lifecycle.data_check import Images, expect_images
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers import training
from resnext_search.trainers.data.dataset import fingerprint_of
from resnext_search.trainers.data.readers import load_dataset

from tests.support.helpers import tiny_study
from tests.support.trees import damage, write_digits

CONFIGURATION = Configuration(Architecture.paper(2, 4, (1, 1)), (("learning_rate", 0.1),))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield
    load_dataset.cache_clear()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return damage(write_digits(tmp_path / "tree", train=60, test=60))


def skipping(root: Path) -> DataConfig:
    return DataConfig(name="image_folder", root=str(root), resolution=8, classes=10, unreadable="skip")


def study_on(root: Path, augment: str = "standard", **data: Any) -> Study:
    study = tiny_study("trainer.batch_size=16", f"trainer.augment={augment}")
    return study.model_copy(update={"data": skipping(root).model_copy(update=data)})


def test_what_is_left_out_is_said_with_the_first_few_names(tree: Path) -> None:
    [words] = expect_images(study_on(tree)).words
    assert words == (
        f"6 of 126 images cannot be read and are left out: {tree}/train/0/aa-empty.png (empty), "
        f"{tree}/train/0/ab-text.jpg (no image that Pillow knows), "
        f"{tree}/train/3/ac-truncated.png (image file is truncated) and 3 more"
    )


def test_a_published_data_set_needs_no_words_and_no_file(tmp_path: Path) -> None:
    images = expect_images(tiny_study())
    assert (images.words, images.fingerprint, images.reading) == ((), "", "")
    assert images.content == fingerprint_of(load_dataset(tiny_study().data))
    images.keep(StudyFolder(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_study_goes_on_with_its_own_images_alone(tree: Path, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path)
    first = expect_images(study_on(tree))
    first.keep(folder)
    first.keep(folder)
    assert folder.images.read_text() == f"{first.fingerprint} every-class\n"  # six of 60 to validate on lack four
    (tree / "train/5/0005.png").unlink()
    with pytest.raises(
        DataError, match="are not those of the study's first trial, or are read in another way"
    ) as caught:
        expect_images(study_on(tree)).keep(folder)
    assert caught.value.hint.startswith("Bring back those that were there")


def test_a_study_goes_on_only_with_images_that_are_kept_as_they_were(tmp_path: Path) -> None:
    """60 + 60 RGB images of 8 x 8 pixels take 23,040 bytes; those that are kept are normalised exactly."""
    tree, folder = sound(tmp_path / "tree"), StudyFolder(tmp_path)

    def found(memory: int) -> Images:
        load_dataset.cache_clear()
        return expect_images(study_on(tree, "none", view="whole", memory=memory))

    found(23_040).keep(folder)
    found(1_000_000).keep(folder)
    with pytest.raises(DataError, match="were kept in memory at the study's first trial, and do not fit now") as caught:
        found(23_039).keep(folder)
    assert caught.value.hint.startswith("Give more, as then")


def sound(root: Path) -> Path:
    return write_digits(root, train=60, test=60)


def test_what_is_done_to_images_is_said_with_how_many_and_which(tmp_path: Path) -> None:
    tree = sound(tmp_path / "tree")
    Image.fromarray(np.full((8, 8), 40_000, dtype=np.uint16)).save(tree / "train/0/deep.png")
    Image.new("RGBA", (8, 8)).save(tree / "train/1/clear.png")
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    for name in "abcd":
        Image.new("RGB", (8, 16)).save(tree / f"test/2/turned-{name}.jpg", exif=exif)
    (tree / "train/3/.ipynb_checkpoints").mkdir()
    turned = ", ".join(f"{tree}/test/2/turned-{name}.jpg" for name in "abc")
    assert expect_images(study_on(tree)).words == (
        f"hidden or unused, and left out: 1, {tree}/train/3/.ipynb_checkpoints",
        "1 of 126 images have more than 8 bits a channel, of which the upper 8 are used (the brightest reaches 156 of "
        f"255): {tree}/train/0/deep.png",
        f"1 of 126 images are transparent and laid on white: {tree}/train/1/clear.png",
        f"4 of 126 images are turned as their EXIF orientation says: {turned} and 1 more",
    )


@pytest.mark.parametrize("unreadable", ["refuse", "skip"])
def test_16_bits_of_which_only_the_lowest_12_are_used_are_refused(tmp_path: Path, unreadable: str) -> None:
    tree = sound(tmp_path / "tree")
    deep = tree / "train/0/deep.png"
    Image.fromarray(np.full((8, 8), 4_095, dtype=np.uint16)).save(deep)
    study = study_on(tree)
    study = study.model_copy(update={"data": study.data.model_copy(update={"unreadable": unreadable})})
    with pytest.raises(DataError) as caught:
        expect_images(study)
    assert str(caught.value) == (
        "data: image_folder: 1 images have 16 bits a channel, and values in the lowest 12 of them alone: the upper 8, "
        f"which are used, are nearly black: {deep}"
    )
    assert caught.value.hint.startswith("Multiply all their values by one number")
    Image.fromarray(np.full((8, 8), 4_096, dtype=np.uint16)).save(deep)
    load_dataset.cache_clear()
    assert "(the brightest reaches 16 of 255)" in expect_images(study).words[0]


def test_a_study_whose_images_are_read_in_another_way_than_before_does_not_go_on(tmp_path: Path) -> None:
    """As one that was begun when transparency was dropped: its folder holds the names alone."""
    tree, folder = sound(tmp_path / "tree"), StudyFolder(tmp_path)
    plain = expect_images(study_on(tree))
    Image.new("RGBA", (8, 8)).save(tree / "train/5/0005.png")
    load_dataset.cache_clear()
    clear = expect_images(study_on(tree))
    assert clear.fingerprint == plain.fingerprint
    plain.keep(folder)
    with pytest.raises(DataError, match="or are read in another way"):
        clear.keep(folder)


def test_files_whose_names_are_no_utf_8_are_looked_at_once_trained_on_and_spelt_out(tmp_path: Path) -> None:
    tree, strange = sound(tmp_path / "tree"), os.fsdecode(b"caf\xe9")
    for part in ("train", "test"):
        (tree / part / "5").rename(tree / part / strange)
    (tree / "train" / strange / f"{strange}.png").write_bytes(b"no image")
    Image.new("RGBA", (8, 8)).save(tree / "train" / strange / f"clear-{strange}.png")
    study = study_on(tree)
    for _ in range(2):  # the second time from what is kept of the first
        load_dataset.cache_clear()
        images = expect_images(study)
        assert images.words == (
            f"1 of 122 images cannot be read and are left out: {tree}/train/caf\\udce9/caf\\udce9.png (no image that "
            "Pillow knows)",
            f"1 of 121 images are transparent and laid on white: {tree}/train/caf\\udce9/clear-caf\\udce9.png",
        )
    images.keep(StudyFolder(tmp_path))
    epochs = list(training.train(study, CONFIGURATION, 1))
    assert [epoch.epoch for epoch in epochs] == [1, 2]


def test_files_of_other_endings_and_a_fifo_are_left_out_and_said(tmp_path: Path) -> None:
    tree = sound(tmp_path / "tree")
    os.mkfifo(tree / "train/3/f.png")
    for number in range(4):
        (tree / f"train/0/{number}.heic").touch()
    assert expect_images(study_on(tree)).words == (
        f"1 of 121 images cannot be read and are left out: {tree}/train/3/f.png (no regular file)",
        "left out: 4 files with other endings (.heic 4); images are .jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, "
        ".webp",
    )


def test_test_images_that_are_copies_of_training_images_are_said(tmp_path: Path) -> None:
    tree = sound(tmp_path / "tree")
    shutil.rmtree(tree / "test")
    shutil.copytree(tree / "train", tree / "test")
    names = sorted(path.name for path in (tree / "test/0").iterdir())[:3]
    named = ", ".join(f"{tree}/test/0/{name}" for name in names)
    assert expect_images(study_on(tree)).words == (
        f"of 60 test images that were compared, 60 are copies of images of that name in train: {named} and 57 more",
    )
