"""Listing a tree: as torchvision does, sorted, with what is missing in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.image_files import IMAGE_SUFFIXES, find_files
from torchvision import datasets


def config(root: Path, classes: int = 2) -> DataConfig:
    return DataConfig(name="image_folder", root=str(root), resolution=8, classes=classes)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three images to train on and two to test on; names are all that counts."""
    for path in ("train/cat/b.png", "train/cat/a.JPEG", "train/dog/x.webp", "test/cat/c.png", "test/dog/d.bmp"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    return tmp_path


def test_training_images_come_first_then_test_images_each_by_class_and_name(tree: Path) -> None:
    files = find_files(config(tree))
    assert files.paths == (
        "train/cat/a.JPEG",
        "train/cat/b.png",
        "train/dog/x.webp",
        "test/cat/c.png",
        "test/dog/d.bmp",
    )
    assert files.labels == (0, 0, 1, 0, 1)
    assert (files.root, files.published_train) == (str(tree), 3)


def test_a_tree_is_listed_as_torchvision_lists_it(tree: Path) -> None:
    assert IMAGE_SUFFIXES == datasets.folder.IMG_EXTENSIONS
    theirs = datasets.ImageFolder(tree / "train").samples + datasets.ImageFolder(tree / "test").samples
    files = find_files(config(tree))
    assert [(f"{tree}/{path}", label) for path, label in zip(files.paths, files.labels, strict=True)] == theirs


def test_folders_in_a_class_are_searched_and_other_files_passed_over(tree: Path) -> None:
    (tree / "train/cat/more").mkdir()
    (tree / "train/cat/more/c.png").touch()
    (tree / "train/cat/notes.txt").touch()
    (tree / "train/notes.png").touch()  # in no class
    (tree / "train/dog/y.png").symlink_to("nowhere.png")  # a link to nothing is an image that is missing
    assert find_files(config(tree)).paths[:5] == (
        "train/cat/a.JPEG",
        "train/cat/b.png",
        "train/cat/more/c.png",
        "train/dog/x.webp",
        "train/dog/y.png",
    )


def test_images_that_are_left_out_leave_no_gap_in_the_numbers(tree: Path) -> None:
    files = find_files(config(tree)).without({"train/cat/b.png", "test/cat/c.png"})
    assert files.paths == ("train/cat/a.JPEG", "train/dog/x.webp", "test/dog/d.bmp")
    assert (files.labels, files.published_train) == ((0, 1, 1), 2)


def test_another_number_of_classes_is_refused(tree: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_files(config(tree, classes=3))
    assert str(caught.value) == (
        f"data: image_folder: {tree} has 2 classes to train and 2 to test on; data.classes says 3, the same for both"
    )
    assert caught.value.hint == "Correct data.classes, or the folders."


def test_classes_that_one_side_lacks_are_named(tree: Path) -> None:
    (tree / "test/dog").rename(tree / "test/wolf")
    with pytest.raises(DataError, match="has 2 classes to train and 2 to test on") as caught:
        find_files(config(tree))
    assert caught.value.hint == "Missing: test/dog, train/wolf."


def test_a_missing_or_empty_folder_says_how_to_lay_the_images_out(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{tmp_path}/train has no folders of images: No such file") as caught:
        find_files(config(tmp_path))
    assert caught.value.hint == f"Lay the images out as {tmp_path}/train/<class>/* and {tmp_path}/test/<class>/*."
    (tmp_path / "train").mkdir()
    with pytest.raises(DataError, match=f"{tmp_path}/train has no folders of images: it is empty"):
        find_files(config(tmp_path))


def test_a_class_without_images_is_refused(tree: Path) -> None:
    (tree / "test/dog/d.bmp").unlink()
    with pytest.raises(DataError, match=rf"{tree}/test/dog has no images \(\.jpg, \.jpeg, "):
        find_files(config(tree))
