"""Views of an image: the middle as torchvision has it, random parts from a seed alone, files that are no images."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from resnext_search.trainers.data.decoding import View, Viewer, random_box
from sklearn.datasets import load_sample_image
from torchvision import transforms
from torchvision.transforms import v2

from tests.support.trees import damage, write_digits

# A photograph of 640x427 pixels.
FLOWER = Image.fromarray(load_sample_image("flower.jpg"))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return damage(write_digits(tmp_path_factory.mktemp("tree"), train=60, test=30))


def test_the_middle_is_seven_eighths_of_an_image_of_the_right_size() -> None:
    pixels = np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)
    assert np.array_equal(Viewer("", 28).pixels_of(Image.fromarray(pixels), None), pixels[2:30, 2:30])


@pytest.mark.parametrize("image", [FLOWER, FLOWER.rotate(90, expand=True)])
def test_the_middle_is_that_of_the_papers_evaluation(image: Image.Image) -> None:
    theirs = v2.Compose([v2.Resize(256), v2.CenterCrop(224)])(image)
    assert np.array_equal(Viewer("", 224).pixels_of(image, None), np.asarray(theirs))


def test_a_random_view_is_the_part_of_its_seed_resized() -> None:
    box = random_box(640, 427, random.Random(5))
    theirs = v2.functional.resized_crop(FLOWER, *box, [64, 64])
    assert np.array_equal(Viewer("", 64).pixels_of(FLOWER, 5), np.asarray(theirs))


def test_half_of_the_random_views_are_mirrored_if_they_may_be() -> None:
    kept, mirrored = 0, 0
    for seed in range(200):
        plain, flipped = (Viewer("", 8, flip).pixels_of(FLOWER, seed) for flip in (False, True))
        kept += np.array_equal(flipped, plain)
        mirrored += np.array_equal(flipped, plain[:, ::-1])
    assert kept + mirrored == 200
    assert 75 < mirrored < 125  # 100 with a deviation of 7


def test_random_parts_have_the_published_areas_and_ratios_and_lie_inside() -> None:
    boxes = [random_box(500, 400, random.Random(seed)) for seed in range(2_000)]
    for top, left, height, width in boxes:
        assert 0 <= top <= 400 - height
        assert 0 <= left <= 500 - width
    areas = np.array([height * width / 200_000 for _, _, height, width in boxes])
    ratios = np.array([width / height for _, _, height, width in boxes])
    assert 0.078 < areas.min() < 0.09  # the sides are whole numbers
    assert 0.95 < areas.max() <= 1
    assert 0.74 < ratios.min() < 0.76
    assert 1.32 < ratios.max() < 1.35


@pytest.mark.parametrize(
    ("width", "height", "box"),
    # the whole width of a tall image, 4/3 as high; the whole height of a wide one, 4/3 as wide
    [(30, 3_000, (1_480, 0, 40, 30)), (3_000, 30, (0, 1_480, 30, 40))],
)
def test_an_image_that_no_draw_fits_into_is_cut_in_its_middle(
    width: int, height: int, box: tuple[int, int, int, int]
) -> None:
    assert random_box(width, height, random.Random(0)) == box
    image = Image.new("L", (width, height))
    assert (
        transforms.RandomResizedCrop.get_params(image, [0.08, 1.0], [3 / 4, 4 / 3]) == box
    )  # the same as torchvision's


def test_no_generator_of_the_process_is_used_or_moved() -> None:
    states = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1])
    Viewer("", 16, flip=True).pixels_of(FLOWER, 1)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert np.array_equal(np.random.get_state()[1], states[2])


def test_a_batch_with_a_file_that_cannot_be_read_is_text_that_names_it(tree: Path) -> None:
    views = [View("train/0/0000.jpg"), View("train/0/aa-empty.png"), View("train/7/ae-missing.png")]
    assert Viewer(str(tree), 8).__getitems__(views) == f"{tree}/train/0/aa-empty.png cannot be read: empty"


def test_a_whole_view_of_an_image_of_the_right_size_is_the_image() -> None:
    pixels = np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3)
    assert np.array_equal(Viewer("", 32, whole=True).pixels_of(Image.fromarray(pixels), None), pixels)


def test_a_whole_view_of_any_other_is_all_of_it_squeezed_into_a_square() -> None:
    halves = np.zeros((40, 80, 3), np.uint8)
    halves[:, 40:] = 200
    shown = Viewer("", 8, whole=True).pixels_of(Image.fromarray(halves), None)
    # the fourth pixel's triangle is 20 wide around 35: an eighth of it lies right of 40
    assert shown[0, :, 0].tolist() == [0, 0, 0, 25, 175, 200, 200, 200]
    assert (shown == shown[0]).all()
