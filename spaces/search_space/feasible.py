"""Which architectures may be tried: every one inside the FLOP band, and no other.

The set is enumerated exactly, not sampled: a million candidate combinations take a fraction of a second
(`benchmarks/search/enumeration.py`). Imports numpy alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import overload

import numpy as np
from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.spaces.architecture.complexity import Complexity, Integers, count
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.search_space.axes import Axes, Band
from resnext_search.spaces.search_space.enumeration import (
    excesses,
    is_capped,
    reaching,
    spread_multiply_adds,
    width_offsets,
)
from resnext_search.spaces.search_space.nearest_budgets import empty_feasible_set


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
        group_widths, blocks = self.group_widths[index].tolist(), self.blocks[index].tolist()
        return Architecture(int(self.cardinality[index]), tuple(group_widths), tuple(blocks))

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
            ValueError: It is not in the set, or not between `start` and `stop`.
        """
        position = self._positions.get(architecture)
        if position is None or position not in range(*slice(start, stop).indices(len(self))):
            raise ValueError(f"{architecture} is not in the feasible set")
        return position


def enumerate_feasible(template: Template, axes: Axes, band: Band) -> FeasibleSet:
    """Find every architecture of the axes whose multiply-adds lie inside the band.

    Under `matched`, a candidate (C, d, blocks) is in the set if some spread of its later widths is in the band; of
    several the one nearest the budget is taken, of equally near ones the one nearest to doubling, of equally near
    to doubling the one with the narrower early stages.

    Raises:
        EmptyFeasibleSet: Nothing lies in the band; the message names the nearest architectures on either side.
        UsageError: The axes are too large to enumerate, or their blocks are not for the template's stages.

    >>> axes = Axes(cardinality=(1, 2), width=(1, 2, 4), blocks=((1, 1), (2, 2)))
    >>> found = enumerate_feasible(Template(planes=4, stages=2, resolution=8), axes, Band(95_000, 0.1))
    >>> [architecture.name for architecture in found]
    ['1x4d-14', '2x4d-8']
    """
    if len(axes.blocks[0]) != template.stages:
        raise UsageError(f"axes: blocks {list(axes.blocks[0])} are not one number for each of {template.stages} stages")
    for found, allowed in excesses(template, axes):
        raise UsageError(f"axes: {found}; allowed: {allowed}", hint="Narrow cardinality, width or blocks.")
    offsets = width_offsets(template.stages, axes.width_rule)
    columns: list[tuple[Integers, Integers, Integers]] = []
    for cardinality in axes.cardinality:
        ceiling = band.target if is_capped(cardinality, axes) else band.high
        for doubled, blocks in reaching(template, cardinality, axes, offsets, band.low, ceiling):
            multiply_adds = spread_multiply_adds(template, cardinality, doubled, blocks, offsets)
            distance = np.abs(multiply_adds - band.target)
            distance[(multiply_adds < band.low) | (multiply_adds > ceiling)] = np.iinfo(np.int64).max
            choice = distance.argmin(axis=1)  # the first of equals: offsets are sorted by their distance to doubling
            kept = np.take_along_axis(distance, choice[:, None], axis=1)[:, 0] < np.iinfo(np.int64).max
            group_widths = doubled[kept] + offsets[choice[kept]]
            columns.append((np.full(len(group_widths), cardinality), group_widths, blocks[kept]))
    if not sum(len(column[0]) for column in columns):
        raise empty_feasible_set(template, axes, band)
    cardinalities, group_widths, blocks = (np.concatenate(parts) for parts in zip(*columns, strict=True))
    order = np.lexsort((group_widths[:, 0], *blocks.T[::-1], cardinalities))
    cardinalities, group_widths, blocks = cardinalities[order], group_widths[order], blocks[order]
    counts = _counts(template, cardinalities, group_widths, blocks)
    return FeasibleSet(template, band, cardinalities, group_widths, blocks, counts)


def _counts(template: Template, cardinality: Integers, group_widths: Integers, blocks: Integers) -> Complexity:
    """`Complexity` of `(n,)` arrays, for networks that may differ in cardinality."""
    totals = [np.empty(len(cardinality), dtype=np.int64) for _ in Complexity._fields]
    for value in np.unique(cardinality):
        rows = cardinality == value
        counted = count(template, int(value), list(group_widths[rows].T), list(blocks[rows].T))
        for total, column in zip(totals, counted, strict=True):
            total[rows] = column
    return Complexity(*totals)
