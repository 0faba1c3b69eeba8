"""Augmentation: batched moves equal a loop over images, are drawn evenly, and only from their generator."""

from __future__ import annotations

import torch
from resnext_search.trainers.data.augment import Moves, draw_moves, move, normalise, padding_of
from torch.nn import functional


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def moved_one_by_one(images: torch.Tensor, moves: Moves) -> torch.Tensor:
    side, padding = images.shape[-1], padding_of(images.shape[-1])
    out = []
    for image, top, left, mirrored in zip(images, *(column.tolist() for column in moves), strict=True):
        crop = functional.pad(image, (padding,) * 4)[:, top : top + side, left : left + side]
        out.append(crop.flip(-1) if mirrored else crop)
    return torch.stack(out)


def test_a_moved_batch_equals_images_moved_one_by_one() -> None:
    for channels, side in ((1, 8), (3, 32), (2, 5)):
        images = torch.randn(64, channels, side, side, generator=seeded(0))
        moves = draw_moves(64, side, True, seeded(1))
        assert torch.equal(move(images, moves), moved_one_by_one(images, moves))


def test_a_crop_up_and_left_brings_in_zeros_there() -> None:
    image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    corner = Moves(torch.tensor([0]), torch.tensor([0]), torch.tensor([False]))
    assert move(image, corner).tolist() == [[[[0, 0], [0, 1]]]]


def test_a_crop_in_the_middle_leaves_the_image_or_its_mirror_image() -> None:
    image = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]]).expand(2, 1, 2, 2)
    middle = torch.tensor([1, 1])
    found = move(image, Moves(middle, middle, torch.tensor([False, True])))
    assert found.tolist() == [[[[1, 2], [3, 4]]], [[[2, 1], [4, 3]]]]


def test_every_crop_is_drawn_about_equally_often_and_half_are_mirrored() -> None:
    moves = draw_moves(9_000, 8, True, seeded(2))
    counts = torch.bincount(3 * moves.top + moves.left, minlength=9)
    assert counts.shape == (9,)
    assert 850 < counts.min() <= counts.max() < 1_150  # 1,000 each, within five standard deviations
    assert 4_260 < moves.mirrored.sum() < 4_740


def test_nothing_is_mirrored_where_the_data_do_not_allow_it() -> None:
    assert not draw_moves(100, 8, False, seeded(3)).mirrored.any()


def test_moves_come_from_their_generator_alone() -> None:
    before = torch.get_rng_state()
    first, same, other = (draw_moves(50, 8, True, seeded(s)) for s in (4, 4, 5))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first, same, strict=True))
    assert not torch.equal(first.top, other.top)


def test_normalising_subtracts_the_mean_of_each_channel_and_divides_by_its_deviation() -> None:
    images = torch.tensor([[[[10]], [[200]]]], dtype=torch.uint8)
    found = normalise(images, torch.tensor([0.0, 100.0]), torch.tensor([10.0, 50.0]))
    assert found.flatten().tolist() == [1.0, 2.0]
