"""Which architectures may be tried: every one inside the FLOP band, and no other.

The set is enumerated exactly, not sampled: a million candidate combinations take about a second. Imports numpy alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import product
from typing import Literal, overload

import numpy as np
from resnext_search.spaces.architecture import Architecture, Template
from resnext_search.spaces.complexity import Complexity, Integers, count
from resnext_search.spaces.errors import EmptyFeasibleSet

WidthRule = Literal["paper", "matched"]

# Rows of (candidate, spread of widths) counted at once; bounds the memory of an enumeration to some 100 MB.
ROWS_AT_ONCE = 500_000


@dataclass(frozen=True)
class Band:
    """The fixed-FLOP constraint: multiply-adds within `tolerance` (a fraction) of `target`.

    >>> Band(8_000_000, 0.02).low, Band(8_000_000, 0.02).high
    (7840000, 8160000)
    """

    target: int
    tolerance: float

    @property
    def low(self) -> int:
        """Fewest multiply-adds inside the band."""
        return int(np.ceil(self.target * (1 - self.tolerance)))

    @property
    def high(self) -> int:
        """Most multiply-adds inside the band."""
        return int(np.floor(self.target * (1 + self.tolerance)))


@dataclass(frozen=True)
class Axes:
    """The values that cardinality, width and blocks may take, and how width grows from stage to stage.

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

    @property
    def combinations(self) -> int:
        """Candidates (C, d, blocks), in the band or not."""
        return len(self.cardinality) * len(self.width) * len(self.blocks)


@dataclass(frozen=True, eq=False)
class FeasibleSet(Sequence[Architecture]):
    """Every architecture inside the band, in a fixed order: by cardinality, then blocks, then width.

    Args:
        template: What all of them share.
        band: The band they lie in.
        cardinality: `(n,)` array of C.
        group_widths: `(n, stages)` array of channels a group.
        blocks: `(n, stages)` array of blocks.
        counts: Multiply-adds, parameters and activations, `(n,)` arrays.
    """

    template: Template
    band: Band
    cardinality: Integers
    group_widths: Integers
    blocks: Integers
    counts: Complexity = field(repr=False)

    @property
    def width(self) -> Integers:
        """`(n,)` array of d, the group width of the first stage."""
        return self.group_widths[:, 0]

    @property
    def depth(self) -> Integers:
        """`(n,)` array of weighted layers."""
        return np.asarray(3 * self.blocks.sum(axis=1) + 2)

    def __len__(self) -> int:
        return len(self.cardinality)

    @overload
    def __getitem__(self, index: int) -> Architecture: ...
    @overload
    def __getitem__(self, index: slice) -> list[Architecture]: ...
    def __getitem__(self, index: int | slice) -> Architecture | list[Architecture]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        return Architecture(
            int(self.cardinality[index]),
            tuple(self.group_widths[index].tolist()),
            tuple(self.blocks[index].tolist()),
        )

    def __iter__(self) -> Iterator[Architecture]:
        return (self[index] for index in range(len(self)))

    def __contains__(self, architecture: object) -> bool:
        """Whether an architecture lies in the band and is one of the enumerated."""
        return isinstance(architecture, Architecture) and architecture in self._positions

    @cached_property
    def _positions(self) -> dict[Architecture, int]:
        return {architecture: position for position, architecture in enumerate(self)}

    def index(self, architecture: Architecture, start: int = 0, stop: int | None = None) -> int:
        """Position of an architecture.

        Raises:
            ValueError: It is not in the set.
        """
        position = self._positions.get(architecture)
        if position is None:
            raise ValueError(f"{architecture} is not in the feasible set")
        return position


def enumerate_feasible(template: Template, axes: Axes, band: Band) -> FeasibleSet:
    """Find every architecture of the axes whose multiply-adds lie inside the band.

    Under `matched`, a candidate (C, d, blocks) is in the set if some spread of its later widths is in the band; of
    several the one nearest the budget is taken, of equally near ones the one nearest to doubling.

    Raises:
        EmptyFeasibleSet: Nothing lies in the band; the message names the nearest architectures on either side.

    >>> axes = Axes(cardinality=(1, 2), width=(1, 2, 4), blocks=((1, 1), (2, 2)))
    >>> found = enumerate_feasible(Template(planes=4, stages=2, resolution=8), axes, Band(95_000, 0.1))
    >>> [architecture.name for architecture in found]
    ['1x4d-14', '2x4d-8']
    """
    offsets = _width_offsets(template.stages, axes.width_rule)
    blocks = np.array(axes.blocks, dtype=np.int64)
    doubled = np.array(axes.width, dtype=np.int64)[:, None] * 2 ** np.arange(template.stages)
    rows: list[tuple[Integers, Integers, Integers]] = []
    nearest = _Nearest(template, band)
    for cardinality in axes.cardinality:
        ceiling = band.target if axes.width_rule == "matched" and cardinality > 1 else band.high
        for candidates_blocks, candidates_widths in _reaching(
            template, cardinality, blocks, doubled, offsets, band.low, ceiling, nearest
        ):
            widths = candidates_widths[:, None, :] + offsets
            multiply_adds = _multiply_adds(template, cardinality, widths, candidates_blocks[:, None, :])
            nearest.see(
                cardinality, widths, np.broadcast_to(candidates_blocks[:, None, :], widths.shape), multiply_adds
            )
            distance = np.abs(multiply_adds - band.target)
            distance[(multiply_adds < band.low) | (multiply_adds > ceiling)] = np.iinfo(np.int64).max
            choice = distance.argmin(axis=1)  # the first of equals: offsets are sorted by their distance to doubling
            picked = np.arange(len(choice))
            kept = distance[picked, choice] < np.iinfo(np.int64).max
            rows.append((np.full(kept.sum(), cardinality), widths[picked, choice][kept], candidates_blocks[kept]))
    cardinalities = np.concatenate([row[0] for row in rows]) if rows else np.empty(0, dtype=np.int64)
    if not len(cardinalities):
        raise nearest.error(axes)
    group_widths = np.concatenate([row[1] for row in rows])
    all_blocks = np.concatenate([row[2] for row in rows])
    order = np.lexsort((group_widths[:, 0], *all_blocks.T[::-1], cardinalities))
    cardinalities, group_widths, all_blocks = cardinalities[order], group_widths[order], all_blocks[order]
    return FeasibleSet(
        template,
        band,
        cardinalities,
        group_widths,
        all_blocks,
        _counts(template, cardinalities, group_widths, all_blocks),
    )


def _width_offsets(stages: int, rule: WidthRule) -> Integers:
    """`(k, stages)` array: what may be added to the doubled widths; nearest to none first."""
    if rule == "paper":
        return np.zeros((1, stages), dtype=np.int64)
    reach = [2**stage // 2 for stage in range(stages)]
    spreads = sorted(
        product(*(range(-most, most + 1) for most in reach)), key=lambda spread: (sum(map(abs, spread)), spread)
    )
    return np.array(spreads, dtype=np.int64)


def _multiply_adds(template: Template, cardinality: int, group_widths: Integers, blocks: Integers) -> Integers:
    """Multiply-adds over the last axis, which is the stages."""
    stages = range(template.stages)
    return np.asarray(
        count(
            template, cardinality, [group_widths[..., s] for s in stages], [blocks[..., s] for s in stages]
        ).multiply_adds
    )


def _reaching(
    template: Template,
    cardinality: int,
    blocks: Integers,
    doubled: Integers,
    offsets: Integers,
    low: int,
    ceiling: int,
    nearest: _Nearest,
) -> Iterator[tuple[Integers, Integers]]:
    """Candidates whose narrowest and widest spread enclose a part of the band, in portions of bounded size.

    Multiply-adds grow with every width, so a candidate outside this enclosure has no member in the band.
    """
    grid_widths = np.broadcast_to(doubled[:, None, :], (len(doubled), len(blocks), template.stages))
    grid_blocks = np.broadcast_to(blocks[None, :, :], grid_widths.shape)
    fewest = _multiply_adds(template, cardinality, grid_widths + offsets.min(axis=0), grid_blocks)
    most = _multiply_adds(template, cardinality, grid_widths + offsets.max(axis=0), grid_blocks)
    nearest.see(cardinality, grid_widths + offsets.min(axis=0), grid_blocks, fewest)
    nearest.see(cardinality, grid_widths + offsets.max(axis=0), grid_blocks, most)
    reaching = (fewest <= ceiling) & (most >= low)
    portion = max(1, ROWS_AT_ONCE // len(offsets))
    candidate_blocks, candidate_widths = grid_blocks[reaching], grid_widths[reaching]
    for start in range(0, len(candidate_blocks), portion):
        yield candidate_blocks[start : start + portion], candidate_widths[start : start + portion]


def _counts(template: Template, cardinality: Integers, group_widths: Integers, blocks: Integers) -> Complexity:
    """`Complexity` of `(n,)` arrays, for networks that may differ in cardinality."""
    totals = [np.empty(len(cardinality), dtype=np.int64) for _ in Complexity._fields]
    for value in np.unique(cardinality):
        rows = cardinality == value
        counted = count(template, int(value), list(group_widths[rows].T), list(blocks[rows].T))
        for total, column in zip(totals, counted, strict=True):
            total[rows] = column
    return Complexity(*totals)


class _Nearest:
    """The architectures just below and just above the band, for the message of an empty one."""

    def __init__(self, template: Template, band: Band) -> None:
        self.template, self.band = template, band
        self.below: tuple[int, Architecture] | None = None
        self.above: tuple[int, Architecture] | None = None

    def see(self, cardinality: int, group_widths: Integers, blocks: Integers, multiply_adds: Integers) -> None:
        """Remember the nearest of these on either side of the target."""
        for side in ("below", "above"):
            beyond = multiply_adds <= self.band.target if side == "below" else multiply_adds > self.band.target
            if not beyond.any():
                continue
            distance = np.where(beyond, np.abs(multiply_adds - self.band.target), np.iinfo(np.int64).max)
            place = np.unravel_index(distance.argmin(), distance.shape)
            found = int(multiply_adds[place])
            known: tuple[int, Architecture] | None = getattr(self, side)
            if known is None or abs(found - self.band.target) < abs(known[0] - self.band.target):
                architecture = Architecture(
                    cardinality, tuple(group_widths[place].tolist()), tuple(blocks[place].tolist())
                )
                setattr(self, side, (found, architecture))

    def error(self, axes: Axes) -> EmptyFeasibleSet:
        """The error that says what was asked for and what could be met instead."""
        lines, shares = [], []
        for side, known in (("below", self.below), ("above", self.above)):
            if known is not None:
                share = 100 * (known[0] / self.band.target - 1)
                shares.append(abs(share))
                blocks = "-".join(map(str, known[1].blocks))
                lines.append(f"  {side}: {known[0]:,} ({share:+.2f} %), {known[1].name} with blocks {blocks}")
        capped = " (with C > 1 not above the budget)" if axes.width_rule == "matched" else ""
        return EmptyFeasibleSet(
            f"budget: none of {axes.combinations:,} candidates lies between {self.band.low:,} and {self.band.high:,} "
            f"multiply-adds ({self.band.target:,} ± {100 * self.band.tolerance:g} %{capped}). Nearest:\n"
            + "\n".join(lines),
            hint="Set budget.multiply_adds to one of these numbers, or budget.tolerance to at least "
            f"{np.ceil(100 * min(shares)) / 100:g} %, or widen the axes.",
        )
