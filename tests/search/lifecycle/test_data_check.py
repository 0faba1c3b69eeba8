"""The images of a study: looked at before a run, and the same ones in every worker and every sitting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import StudyFolder
from resnext_search.search.lifecycle.data_check import expect_images
from resnext_search.spaces import Study
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.readers import load_dataset

from tests.support.helpers import tiny_study
from tests.support.trees import copy_of, damage, write_digits


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


def echo(study: Study, configuration: Any, seed: int, **where: Any) -> Iterator[Any]:
    """A trainer that says what it was given."""
    yield study.data.root, configuration, seed, where


def study_on(root: Path) -> Study:
    return tiny_study("trainer.batch_size=16").model_copy(update={"data": skipping(root)})


def test_what_is_left_out_is_said_with_the_first_few_names(tree: Path) -> None:
    [words] = expect_images(study_on(tree)).words
    assert words == (
        f"6 of 126 images cannot be read and are left out: {tree}/train/0/aa-empty.png (empty), "
        f"{tree}/train/0/ab-text.jpg (no image that Pillow knows), "
        f"{tree}/train/3/ac-truncated.png (image file is truncated) and 3 more"
    )


def test_a_published_data_set_needs_no_words_and_no_wrapping(tmp_path: Path) -> None:
    images = expect_images(tiny_study())
    assert (images.words, images.fingerprint, images.reading) == ((), "", "")
    assert images.expected_by(echo) is echo
    images.keep(StudyFolder(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_worker_with_a_copy_of_the_images_trains_and_one_with_other_images_does_not(
    tree: Path, tmp_path: Path
) -> None:
    train = expect_images(study_on(tree)).expected_by(echo)
    copy = copy_of(tree, tmp_path / "copy")
    assert list(train(study_on(copy), None, 3, threads=2)) == [(str(copy), None, 3, {"threads": 2})]
    worse = copy_of(tree, tmp_path / "worse")
    (worse / "train/5/0005.png").write_bytes(b"lost on this disk")
    with pytest.raises(DataError) as caught:
        train(study_on(worse), None, 3)
    assert str(caught.value) == (
        f"data: image_folder: the images in {worse} are not those that the driver of the study found"
    )


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
