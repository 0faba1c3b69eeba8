"""What sections of a study have to agree on: the view of images in folders and the augmentation."""

from __future__ import annotations

import pytest
from resnext_search.spaces.errors import StudyError
from resnext_search.spaces.study.file import parse_study

from tests.support.helpers import TINY_STUDY, tiny_study

FOLDER = "data={name: image_folder, resolution: 8, classes: 10}"


def test_whole_images_are_cropped_after_padding_or_not_at_all() -> None:
    for augment in ("crop", "none"):
        study = tiny_study(FOLDER, "data.view=whole", "data.memory=2G", f"trainer.augment={augment}")
        assert (study.data.view, study.data.memory, study.trainer.augment) == ("whole", 2 * 10**9, augment)
    for augment in ("standard", "none"):
        assert tiny_study(FOLDER, f"trainer.augment={augment}").data.view == "middle"
    assert tiny_study("trainer.augment=crop").trainer.augment == "crop"  # of what is no folder


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["trainer.augment=crop"],
            'trainer.augment: found "crop"; allowed: standard or none with data.view: middle. Set data.view: whole.',
        ),
        (
            ["data.view=whole"],
            'data.view: found "whole"; allowed: middle with trainer.augment: standard. Set trainer.augment: crop, or '
            "data.view: middle.",
        ),
    ],
)
def test_a_view_that_does_not_go_with_the_augmentation_is_refused(overrides: list[str], message: str) -> None:
    with pytest.raises(StudyError) as caught:
        parse_study(TINY_STUDY, "tiny.yaml", [FOLDER, *overrides])
    assert str(caught.value) == f"command line: {message}"


def test_a_network_that_no_gpu_trains_to_the_same_bits_is_not_asked_for_them() -> None:
    assert tiny_study("trainer.deterministic=true").trainer.deterministic
    with pytest.raises(StudyError) as caught:
        parse_study(TINY_STUDY, "tiny.yaml", ["trainer.deterministic=true", "template={stem: imagenet, stride: 1}"])
    assert "trainer.deterministic: found true; allowed: only with template.stem: cifar. Remove it: the max-pool" in str(
        caught.value
    )
