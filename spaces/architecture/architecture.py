"""What is a ResNeXt, as data: what a study keeps fixed, and one point of its search space.

Imports no torch: a plan must be made without it. The network itself is built in `trainers/resnext.py`; how a name is
read, in `names.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from resnext_search.spaces.errors import UsageError

Stem = Literal["cifar", "imagenet"]
Shortcut = Literal["projection", "identity", "none"]


@dataclass(frozen=True)
class Template:
    """What every architecture of a study shares.

    Args:
        stem: `cifar` is one 3x3 convolution with `stride`; `imagenet` is a 7x7 convolution with stride 2 and a
            max-pool, and takes no other stride.
        stride: Stride of the `cifar` stem: 1 in the paper, 2 or 4 to make small studies affordable.
        planes: Channels of the stem; a block of stage s (from 0) puts out `expansion * planes * 2**s` channels.
        stages: Stages; each but the first halves the map.
        shortcut: `projection` (a 1x1 convolution where the shape changes, the paper's type B), `identity`
            (zero-padded, free of parameters, type A) or `none` (the paper's ablation).
        resolution: Height and width of an image, in pixels.
        channels: Channels of an image.
        classes: Classes to tell apart.

    Source:
        Xie et al. 2017, arXiv:1611.05431, Table 1 and appendix A.
    """

    stem: Stem = "cifar"
    stride: int = 1
    planes: int = 64
    stages: int = 3
    shortcut: Shortcut = "projection"
    resolution: int = 32
    channels: int = 3
    classes: int = 10
    expansion: int = 4

    def stem_side(self) -> int:
        """Side of the map, in pixels, that the stem hands to the first stage.

        >>> Template(stem="imagenet", resolution=224).stem_side()
        56
        """
        if self.stem == "imagenet":
            return halved(halved(self.resolution))
        return -(-self.resolution // self.stride)

    def stage_sides(self, stage: int) -> tuple[int, int]:
        """Sides of the maps, in pixels, that go into a stage (from 0) and come out of it.

        >>> Template(resolution=32).stage_sides(0), Template(resolution=32).stage_sides(1)
        ((32, 32), (32, 16))
        """
        side_in = side = self.stem_side()
        for _ in range(stage):
            side_in, side = side, halved(side)
        return side_in, side

    def output_channels(self, stage: int) -> int:
        """Channels that every block of a stage puts out.

        >>> Template(planes=64).output_channels(0)
        256
        """
        return self.expansion * self.planes << stage


def halved(side: int) -> int:
    """Side of a map after a layer with stride 2 and "same" padding: half, rounded up."""
    return -(-side // 2)


@dataclass(frozen=True)
class Architecture:
    """One ResNeXt of a template: cardinality, widths and blocks.

    Args:
        cardinality: Groups C of the 3x3 convolution.
        group_widths: Channels of one group, one number a stage. The first is the paper's d.
        blocks: Bottleneck blocks, one number a stage.
    """

    cardinality: int
    group_widths: tuple[int, ...]
    blocks: tuple[int, ...]

    def __post_init__(self) -> None:
        widths, blocks = self.group_widths, self.blocks
        if len(widths) != len(blocks):
            found = f"{len(widths)} group widths for {len(blocks)} stages"
            raise UsageError(f"architecture: {found}; one of each a stage is needed")
        if min(self.cardinality, *widths, *blocks) < 1:
            found = f"cardinality {self.cardinality}, group widths {list(widths)} and blocks {list(blocks)}"
            raise UsageError(f"architecture: {found} have a number below 1; each starts at 1")

    @classmethod
    def paper(cls, cardinality: int, width: int, blocks: Sequence[int]) -> Architecture:
        """The architecture whose width doubles from stage to stage, as in the paper.

        >>> Architecture.paper(32, 4, (3, 4, 6, 3)).group_widths
        (4, 8, 16, 32)
        """
        return cls(cardinality, tuple(width * 2**stage for stage in range(len(blocks))), tuple(blocks))

    @property
    def width(self) -> int:
        """Bottleneck width d: channels of one group in the first stage."""
        return self.group_widths[0]

    @property
    def depth(self) -> int:
        """Weighted layers: three a block, the stem and the classifier."""
        return 3 * sum(self.blocks) + 2

    @property
    def name(self) -> str:
        """The paper's name. Architectures that differ only in how blocks or later widths are spread share it.

        >>> Architecture.paper(8, 14, (3, 3, 3)).name
        '8x14d-29'
        """
        return f"{self.cardinality}x{self.width}d-{self.depth}"


def dashed(numbers: Iterable[int]) -> str:
    """Blocks or group widths of every stage, as they are written everywhere: in words, tables and errors.

    >>> dashed((3, 4, 23, 3))
    '3-4-23-3'
    """
    return "-".join(map(str, numbers))
