"""What is done to a batch before the network sees it: normalisation, a random crop after padding, a mirror image.

Whole batches are moved by indexing, on the device that trains; no image is handled alone. The random numbers of an
epoch are drawn at once, on the CPU, so that every device sees the same augmentation and no step waits for them.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Moves(NamedTuple):
    """How each image is moved.

    Args:
        top: `(images,)` int64: rows of the padded image above the crop; `padding` leaves the image where it was.
        left: `(images,)` int64: columns left of the crop.
        mirrored: `(images,)` bool: whether left and right are exchanged.
    """

    top: Tensor
    left: Tensor
    mirrored: Tensor

    def to(self, device: torch.device) -> Moves:
        """The same moves on another device."""
        return Moves(*(column.to(device) for column in self))

    def at(self, positions: slice) -> Moves:
        """The moves of a batch."""
        return Moves(*(column[positions] for column in self))


def padding_of(resolution: int) -> int:
    """Pixels of zeros put around an image before the crop: the paper's 4 for 32, and in proportion for others.

    >>> padding_of(32), padding_of(28), padding_of(8), padding_of(4)
    (4, 3, 1, 1)
    """
    return max(1, resolution // 8)


def draw_moves(images: int, resolution: int, flip: bool, generator: torch.Generator) -> Moves:
    """Draw the moves of so many images; each crop equally likely, mirrored (if `flip`) with probability one half."""
    ways = 2 * padding_of(resolution) + 1
    top = torch.randint(ways, (images,), generator=generator)
    left = torch.randint(ways, (images,), generator=generator)
    mirrored = torch.rand(images, generator=generator) < 0.5
    return Moves(top, left, mirrored & flip)


def normalise(images: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Bytes to floats with mean 0 and standard deviation 1 in every channel.

    Args:
        images: `(images, channels, side, side)` uint8; float32 of the same shape is returned.
        mean: `(channels,)` float32, on the scale 0 to 255.
        std: `(channels,)` float32; none is 0.

    >>> normalise(torch.full((1, 1, 1, 1), 30, dtype=torch.uint8), torch.tensor([10.0]), torch.tensor([5.0])).item()
    4.0
    """
    return (images.float() - mean[:, None, None]) / std[:, None, None]


def move(images: Tensor, moves: Moves) -> Tensor:
    """Crop each image out of its zero-padded self, then mirror the ones that are to be.

    Images are `(images, channels, side, side)`, normalised, so that the zeros are the mean colour, as in the paper's
    code; what is returned has the same shape, channels last in memory.
    """
    side = images.shape[-1]
    padding = padding_of(side)
    padded = torch.nn.functional.pad(images, (padding,) * 4)
    along = torch.arange(side, device=images.device)
    columns = torch.where(moves.mirrored[:, None], side - 1 - along, along) + moves.left[:, None]
    rows = along + moves.top[:, None]
    image = torch.arange(len(images), device=images.device)[:, None, None]
    return padded.permute(0, 2, 3, 1)[image, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
