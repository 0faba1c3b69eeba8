"""Images in memory: prepared by the batch, and moved alike on every device."""

from __future__ import annotations

import pytest
import torch
from resnext_search.trainers.data import in_memory
from resnext_search.trainers.data.augment import draw_moves, move, normalise
from resnext_search.trainers.data.dataset import Look
from resnext_search.trainers.data.in_memory import MemoryDataset, batches_ahead
from torch import Tensor

CPU = torch.device("cpu")
PICTURES = torch.arange(6 * 3 * 4 * 4).remainder(251).to(torch.uint8).view(6, 3, 4, 4)
DATASET = MemoryDataset(PICTURES, torch.tensor([0, 1, 2, 0, 1, 2]), 4)
LOOK = Look(torch.tensor([10.0, 20.0, 30.0]), torch.tensor([1.0, 2.0, 4.0]), "none", False)


def test_plain_batches_are_the_normalised_images_in_the_order_asked_for() -> None:
    first, last = DATASET.batches(LOOK, CPU, 1).plain(torch.tensor([5, 0, 3]), 2)
    assert first.labels.tolist() == [2, 0]
    assert last.labels.tolist() == [0]
    assert first.images[1, :, 0, 0].tolist() == [-10.0, (16 - 20) / 2, (32 - 30) / 4]
    assert torch.equal(last.images, normalise(PICTURES[3:4], LOOK.mean, LOOK.std))
    assert first.images.is_contiguous(memory_format=torch.channels_last)


def test_training_batches_are_moved_by_the_generator_alone() -> None:
    batches = DATASET.batches(LOOK._replace(augment="standard", flip=True), CPU, 1)
    order = torch.tensor([4, 1, 2, 0, 3])
    seeded = torch.Generator().manual_seed
    first, second = batches.training(order, 2, seeded(7))  # the fifth makes no whole batch
    moves = draw_moves(5, 4, True, seeded(7)).at(slice(4))
    expected = move(normalise(PICTURES[order[:4]], LOOK.mean, LOOK.std), moves)
    assert torch.equal(torch.cat([first.images, second.images]), expected)
    assert torch.cat([first.labels, second.labels]).tolist() == [1, 1, 2, 0]
    assert first.images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("augment", ["standard", "none"])
def test_batches_that_are_prepared_ahead_are_the_same(monkeypatch: pytest.MonkeyPatch, augment: str) -> None:
    """Five batches, two at a time: the last time there is one."""
    batches, order = DATASET.batches(LOOK._replace(augment=augment, flip=True), CPU, 1), torch.tensor([4, 1, 2, 0, 3])
    one_by_one = list(batches.training(order, 1, torch.Generator().manual_seed(7)))
    monkeypatch.setattr(in_memory, "batches_ahead", lambda *_: 2)
    ahead = list(batches.training(order, 1, torch.Generator().manual_seed(7)))
    assert len(ahead) == len(one_by_one) == 5
    for one, other in zip(one_by_one, ahead, strict=True):
        assert torch.equal(one.images, other.images)
        assert torch.equal(one.labels, other.labels)
        assert other.images.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("side", "channels", "ahead"), [(28, 1, 32), (64, 3, 10), (224, 3, 1)])
def test_a_gpu_prepares_as_many_ahead_as_64_mib_hold(side: int, channels: int, ahead: int) -> None:
    """128 images of 64x64 in three channels are 6.3 million bytes in 32 bits."""
    images = torch.zeros(1, channels, side, side, dtype=torch.uint8)
    assert batches_ahead(images, 128) == 1
    assert batches_ahead(OnGpu(images), 128) == ahead


class OnGpu(Tensor):
    """Says that it lies on a GPU."""

    is_cuda = True  # type: ignore[assignment]

    @staticmethod
    def __new__(cls, images: Tensor) -> OnGpu:
        return Tensor._make_subclass(cls, images)


def test_without_augmentation_training_batches_are_plain() -> None:
    batches, order = DATASET.batches(LOOK, CPU, 1), torch.tensor([1, 0])
    [trained] = batches.training(order, 2, torch.Generator().manual_seed(0))
    [plain] = batches.plain(order, 2)
    assert torch.equal(trained.images, plain.images)


def of_all(images: Tensor) -> tuple[Tensor, Tensor]:
    """Pixel statistics of all of them."""
    return MemoryDataset(images, torch.zeros(len(images)), 1).pixel_statistics(torch.arange(len(images)))


def test_pixel_statistics_are_those_of_each_channel() -> None:
    images = torch.randint(256, (1_020, 3, 4, 4), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    mean, std = of_all(images)
    torch.testing.assert_close(mean, images.float().mean(dim=(0, 2, 3)))
    torch.testing.assert_close(std, images.float().std(dim=(0, 2, 3), correction=0))
    assert of_all(torch.full((2, 1, 2, 2), 7, dtype=torch.uint8))[1].item() == 1.0
