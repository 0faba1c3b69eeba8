"""What bounds a feasible set: the values of its axes, and the FLOP band."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Literal

from resnext_search.spaces.errors import UsageError

WidthRule = Literal["paper", "matched"]

# Half width of a band at most, in a study file: beyond it, architectures no longer cost the same.
MOST_TOLERANCE = 0.5


@dataclass(frozen=True)
class Band:
    """The fixed-FLOP constraint: multiply-adds within `tolerance` (a fraction) of `target`.

    >>> Band(8_000_000, 0.02).low, Band(8_000_000, 0.02).high
    (7840000, 8160000)
    """

    target: int
    tolerance: float

    def __post_init__(self) -> None:
        if self.target < 1 or not 0 <= self.tolerance < 1:
            raise UsageError(f"band: {self} is none; the target starts at 1 and the tolerance lies in [0, 1)")

    @property
    def low(self) -> int:
        """Fewest multiply-adds inside the band."""
        return ceil(self.target * (1 - self._share))

    @property
    def high(self) -> int:
        """Most multiply-adds inside the band."""
        return floor(self.target * (1 + self._share))

    @property
    def _share(self) -> Fraction:
        """The tolerance as it was written: as a float, 10 % of 110 would end at 120.99999999999999."""
        return Fraction(str(self.tolerance))


@dataclass(frozen=True)
class Axes:
    """The values that cardinality, width and blocks may take (sorted, each once), and how width grows over the stages.

    Args:
        cardinality: Values of C.
        width: Values of d, the group width of the first stage.
        blocks: Blocks per stage; each element is one way to spread them.
        width_rule: `paper` doubles d every stage. `matched` starts there and moves the later stages' group widths, by
            at most half a doubling of one channel (so 1, 2, 4 channels in stages 2, 3, 4), to come as near the budget
            as possible; with C > 1 it never goes above the budget, so that cardinality never wins by extra FLOPs.
    """

    cardinality: tuple[int, ...]
    width: tuple[int, ...]
    blocks: tuple[tuple[int, ...], ...]
    width_rule: WidthRule = "matched"

    def __post_init__(self) -> None:
        for name in ("cardinality", "width", "blocks"):
            object.__setattr__(self, name, tuple(sorted(set(getattr(self, name)))))
        stages = {len(spread) for spread in self.blocks}
        if not (self.cardinality and self.width) or len(stages) != 1 or 0 in stages:
            raise UsageError(f"axes: {self} lack values, or have spreads of blocks for unlike numbers of stages")
        if min(self.cardinality[0], self.width[0], *map(min, self.blocks)) < 1:
            raise UsageError(f"axes: {self} have a number below 1; cardinality, width and blocks start at 1")

    @property
    def combinations(self) -> int:
        """Candidates (C, d, blocks), in the band or not."""
        return len(self.cardinality) * len(self.width) * len(self.blocks)
