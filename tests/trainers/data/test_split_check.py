"""Too few images for what a study does with them: said before a run, with the split and the classes that lack them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from resnext_search.spaces import Study
from resnext_search.spaces.errors import DataError
from resnext_search.trainers.data.image_folder import read_image_folder
from resnext_search.trainers.data.in_memory import MemoryDataset
from resnext_search.trainers.data.split_check import expect_enough

from tests.support.helpers import TINY_CLAIM, tiny_study


def folder(root: Path, **broken: int) -> Path:
    """Six images of cats and of dogs to train on, and as many to test on; of some, so many are web pages."""
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            (root / part / name).mkdir(parents=True)
            for number in range(6):
                path = root / part / name / f"{number}.png"
                if number < broken.get(f"{part}_{name}", 0):
                    path.write_text("<!DOCTYPE html><title>404</title>")
                else:
                    Image.new("RGB", (8, 8), (40 * number, 0, 0)).save(path)
    return root


def study_of(root: Path, **data: Any) -> Study:
    given = {"name": "image_folder", "root": str(root), "resolution": 8, "classes": 2, "unreadable": "skip"} | data
    study = tiny_study("trainer.batch_size=4")
    return Study.model_validate(study.model_dump() | {"data": given})


def complaint(study: Study) -> DataError:
    with pytest.raises(DataError) as caught:
        expect_enough(read_image_folder(study.data), study)
    return caught.value


@pytest.mark.parametrize("broken", [{}, {"train_cat": 4}, {"train_cat": 1, "train_dog": 2, "test_dog": 5}])
def test_a_folder_that_keeps_images_of_every_class_for_every_split_will_do(
    tmp_path: Path, broken: dict[str, int]
) -> None:
    study = study_of(folder(tmp_path / "tree", **broken))
    expect_enough(read_image_folder(study.data), study)


@pytest.mark.parametrize(
    ("broken", "left_out", "lacking"),
    [
        ({"train_cat": 6}, 6, "of 4 to train on none is of cat; of 2 to validate on none is of cat"),
        ({"train_dog": 5}, 5, "of 5 to train on none is of dog"),
        ({"test_dog": 6}, 6, "of 6 to test on none is of dog"),
        ({"train_cat": 6, "test_cat": 6}, 12, "of 4 to train on none is of cat; of 2 to validate on none is of cat; "
         "of 6 to test on none is of cat"),
    ],
)  # fmt: skip
def test_a_class_that_lacks_images_in_a_split_after_leaving_some_out_is_refused(
    tmp_path: Path, broken: dict[str, int], left_out: int, lacking: str
) -> None:
    error = complaint(study_of(folder(tmp_path / "tree", **broken)))
    assert str(error) == (
        f"data: image_folder: too few images after {left_out} that cannot be read were left out: {lacking}"
    )
    assert error.exit_code == 2
    assert "mend those that cannot be read" in error.hint


def test_a_validation_split_that_is_smaller_than_the_number_of_classes_is_refused(tmp_path: Path) -> None:
    error = complaint(study_of(folder(tmp_path / "tree"), validation_images=1))
    assert "too few images: of 1 to validate on none is of " in str(error)


def test_fewer_images_than_the_splits_or_a_batch_need_are_refused(tmp_path: Path) -> None:
    root = folder(tmp_path / "tree")
    assert str(complaint(study_of(root, train_images=11))) == (
        "data: image_folder has 12 training images; 11 to train on and 2 to validate on were asked for"
    )
    study = study_of(root)
    searched = Study.model_validate(study.model_dump() | {"axes": study.axes.model_dump() | {"batch_size": [4, 11]}})
    assert str(complaint(searched)) == "data: 10 images to train on are fewer than one batch of 11"


def memory(images: int, published_train: int) -> MemoryDataset:
    """What a plug-in may give."""
    labels = torch.arange(images) % 10
    return MemoryDataset(torch.zeros(images, 1, 8, 8, dtype=torch.uint8), labels, published_train)


def test_a_plug_in_that_gives_too_few_images_is_refused() -> None:
    study = tiny_study()  # 256 to train on, 200 to validate on
    expect_enough(memory(460, 456), study)
    for dataset, reason in (
        (memory(460, 455), "has 455 training images"),
        (memory(456, 456), "has 59 training images"),
    ):
        with pytest.raises(DataError, match=reason):
            expect_enough(dataset, study)


def test_five_folds_need_five_images_and_a_batch_outside_of_each() -> None:
    study = tiny_study(TINY_CLAIM)
    assert study.has_folds
    expect_enough(memory(80, 80), study)  # 64 outside of a fold of 16
    for images, reason in (
        (4, "has 4 images; 5 folds need more"),
        (79, "63 images to train on are fewer than one batch"),
    ):
        with pytest.raises(DataError, match=reason):
            expect_enough(memory(images, images), study)
