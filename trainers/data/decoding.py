"""What does a network see of an image file? A part at random, the middle or all of it, in the study's size: bytes.

Runs in the processes of a DataLoader as in the thread that trains, and draws from no generator but its own, so that the
bytes of an image depend on its file and its seed alone.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from resnext_search.spaces.errors import escaped
from resnext_search.trainers.data.pixels import UnreadableImage, read_picture
from torch import Tensor
from torchvision.transforms.v2 import functional

# The crop takes this share of an image whose shorter side was brought to size: 224 of 256 pixels in the paper.
CENTER_SHARE = 224 / 256
# Random crops: share of the image's area, and width to height.
AREAS = (0.08, 1.0)
RATIOS = (3 / 4, 4 / 3)
ATTEMPTS = 10


class View(NamedTuple):
    """An image that is wanted, and how.

    Args:
        path: Its file, relative to the root.
        seed: Of the random crop and mirroring; None for the image without chance.
    """

    path: str
    seed: int | None = None


@dataclass(frozen=True)
class Viewer:
    """Makes views of images; a map-style data set to torch's DataLoader, whose indices are views.

    Args:
        root: Where the files lie.
        resolution: Height and width of what comes out.
        flip: Whether random views are mirrored, with probability one half.
        whole: Whether those without chance show all of the image, and not its middle.
    """

    root: str
    resolution: int
    flip: bool = False
    whole: bool = False

    def __getitems__(self, views: list[View]) -> Tensor | str:
        """A batch, `(images, height, width, 3)` uint8; or, as text that crosses processes, what cannot be read.

        An exception would come out of another process with that process's traceback as its message.
        """
        pixels = []
        for view in views:
            try:
                image = read_picture(Path(self.root, view.path)).rgb
            except UnreadableImage as error:
                return escaped(f"{Path(self.root, view.path)} cannot be read: {error}")
            pixels.append(self.pixels_of(image, view.seed))
        return torch.from_numpy(np.stack(pixels))

    def pixels_of(self, image: Image.Image, seed: int | None) -> NDArray[np.uint8]:
        """`(height, width, 3)`: the image or its middle, or a random part of it."""
        size = [self.resolution, self.resolution]
        shown: Any
        if seed is None and self.whole:
            shown = functional.resize(image, size)  # one that has this size comes back as it is
        elif seed is None:
            shorter = round(self.resolution / CENTER_SHARE)
            shown = functional.center_crop(functional.resize(image, [shorter]), size)
        else:
            chance = random.Random(seed)
            shown = functional.resized_crop(image, *random_box(*image.size, chance), size)
            if self.flip and chance.random() < 0.5:
                shown = functional.horizontal_flip(shown)
        return np.asarray(shown)


def random_box(width: int, height: int, chance: random.Random) -> tuple[int, int, int, int]:
    """A part of an image of this size in pixels, whose area and aspect ratio are drawn at random.

    Returns:
        Top, left, height and width of the part. If none of ten draws fits into the image, the largest part in its
        middle whose ratio is allowed.

    Source:
        Szegedy et al. 2015, arXiv:1409.4842, section 6: 8 to 100 % of the area, ratios from 3/4 to 4/3; ten draws and
        what comes after them as in fb.resnet.torch, which the ResNeXt paper trained with, and in torchvision.

    >>> top, left, height, width = random_box(200, 100, random.Random(0))
    >>> 0 <= top <= 100 - height and 0 <= left <= 200 - width and 3 / 4 < width / height < 4 / 3
    True
    >>> random_box(400, 3, random.Random(0))  # a part of 8 % would be higher than the image
    (0, 198, 3, 4)
    """
    for _ in range(ATTEMPTS):
        area = width * height * chance.uniform(*AREAS)
        ratio = math.exp(chance.uniform(math.log(RATIOS[0]), math.log(RATIOS[1])))
        wide, high = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if 0 < wide <= width and 0 < high <= height:
            return chance.randint(0, height - high), chance.randint(0, width - wide), high, wide
    wide, high = width, height
    if width / height < RATIOS[0]:
        high = round(width / RATIOS[0])
    elif width / height > RATIOS[1]:
        wide = round(height * RATIOS[1])
    return (height - high) // 2, (width - wide) // 2, high, wide
