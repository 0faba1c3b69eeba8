"""The time of a training step, by hand: epochs of 250 ms in steps that can be counted."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from resnext_search.results import Trial
from resnext_search.results.tables.trials import training_step_ms
from resnext_search.spaces import Study

from tests.support.helpers import tiny_study
from tests.support.journals import completed, epoch_row, new_folder, point


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    _, journal = new_folder(tmp_path)
    with journal:
        return journal.trial(completed(journal, point(0), 12.5))


def folder_study(**data: int) -> Study:
    raw = tiny_study().model_dump()
    return Study.model_validate(raw | {"data": {"name": "image_folder", "resolution": 8, "classes": 10, **data}})


def test_an_epoch_of_256_images_has_four_steps_of_64(trial: Trial) -> None:
    assert training_step_ms(tiny_study(), trial, [epoch_row(1, 50.0)]) == 250 / 4


def test_of_several_epochs_the_median_counts(trial: Trial) -> None:
    rows = [dataclasses.replace(epoch_row(n, 50.0), seconds=seconds) for n, seconds in enumerate((9.0, 0.4, 0.2), 1)]
    assert training_step_ms(tiny_study(), trial, rows) == 400 / 4


def test_a_trial_that_confirms_trains_on_the_validation_images_too(trial: Trial) -> None:
    confirming = dataclasses.replace(trial, phase="confirm")
    assert training_step_ms(tiny_study(), confirming, [epoch_row(1, 50.0)]) == pytest.approx(250 / 7)  # 456 images


def test_before_the_first_epoch_nothing_is_known(trial: Trial) -> None:
    assert training_step_ms(tiny_study(), trial, []) is None


def test_of_an_image_folder_it_is_known_if_the_study_says_how_many_images_there_are(trial: Trial) -> None:
    rows, confirming = [epoch_row(1, 50.0)], dataclasses.replace(trial, phase="confirm")
    assert training_step_ms(folder_study(), trial, rows) is None
    assert training_step_ms(folder_study(train_images=128), trial, rows) == 250 / 2
    assert training_step_ms(folder_study(train_images=128), confirming, rows) is None
    assert training_step_ms(folder_study(train_images=128, validation_images=64), confirming, rows) == 250 / 3
