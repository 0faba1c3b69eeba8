"""What could be met instead: the architectures just outside a FLOP band in which there is none."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

import numpy as np
from resnext_search.spaces.architecture.architecture import Architecture, Template, dashed
from resnext_search.spaces.architecture.complexity import Integers
from resnext_search.spaces.errors import EmptyFeasibleSet
from resnext_search.spaces.search_space.axes import MOST_TOLERANCE, Axes, Band
from resnext_search.spaces.search_space.enumeration import (
    grids,
    is_capped,
    reaching,
    spread_multiply_adds,
    width_offsets,
)

Found = tuple[int, Architecture]


def empty_feasible_set(template: Template, axes: Axes, band: Band) -> EmptyFeasibleSet:
    """The error that says what was asked for, and what could be met instead."""
    below: Found | None = None
    above: Found | None = None
    distances = []  # from the target to what a wider tolerance would let in
    for cardinality in axes.cardinality:
        for group_widths, blocks, multiply_adds in _around(template, cardinality, axes, band):
            for found in _two_nearest(cardinality, group_widths, blocks, multiply_adds, band.target):
                distance = found[0] - band.target
                if distance <= 0 and (below is None or found[0] > below[0]):
                    below = found
                if distance > 0 and (above is None or found[0] < above[0]):
                    above = found
                if distance <= 0 or not is_capped(cardinality, axes):
                    distances.append(abs(distance))
    lines = [_line(side, found, band) for side, found in (("below", below), ("above", above)) if found is not None]
    capped = ", with C > 1 not above the budget" if axes.width_rule == "matched" else ""
    tolerance = ceil(10_000 * min(distances) / band.target) / 100 if distances else 100.0
    widen = f" or budget.tolerance={tolerance:g}%" if tolerance <= 100 * MOST_TOLERANCE else ""
    nearest = min((found[0] for found in (below, above) if found), key=lambda cost: abs(cost - band.target))
    budget = f"'budget={{multiply_adds: {nearest}, tolerance: {100 * band.tolerance:g}%}}'"
    return EmptyFeasibleSet(
        f"budget: none of {axes.combinations:,} candidates lies between {band.low:,} and {band.high:,} multiply-adds "
        f"({band.target:,} ± {100 * band.tolerance:g} %{capped}). Nearest:\n" + "\n".join(lines),
        hint=f"Give {budget}{widen}, or widen the axes.",
    )


def _line(side: str, found: Found, band: Band) -> str:
    multiply_adds, architecture = found
    share = 100 * (multiply_adds / band.target - 1)
    spread, widths = dashed(architecture.blocks), dashed(architecture.group_widths)
    return f"  {side}: {multiply_adds:,} ({share:+.2f} %), {architecture.name} with blocks {spread} and widths {widths}"


def _around(
    template: Template, cardinality: int, axes: Axes, band: Band
) -> Iterator[tuple[Integers, Integers, Integers]]:
    """Group widths, blocks and multiply-adds, in portions, among which are the nearest on either side of the target.

    Of a candidate all of whose spreads lie on one side, the narrowest or the widest is the nearest; of the others
    every spread is looked at.
    """
    offsets = width_offsets(template.stages, axes.width_rule)
    doubling = 2 ** np.arange(template.stages)
    for widths, blocks, fewest, most in grids(template, cardinality, axes, offsets):
        for moves, multiply_adds in ((offsets.min(axis=0), fewest), (offsets.max(axis=0), most)):
            yield (widths[:, None] * doubling + moves)[:, None, :], blocks[None, :, :], multiply_adds
    for doubled, blocks in reaching(template, cardinality, axes, offsets, band.target, band.target):
        multiply_adds = spread_multiply_adds(template, cardinality, doubled, blocks, offsets)
        yield doubled[:, None, :] + offsets, blocks[:, None, :], multiply_adds


def _two_nearest(
    cardinality: int, group_widths: Integers, blocks: Integers, multiply_adds: Integers, target: int
) -> Iterator[Found]:
    """Of a portion, the most that is not above the target, and the fewest that is."""
    far = np.iinfo(np.int64).max
    for beyond in (multiply_adds <= target, multiply_adds > target):
        if beyond.any():
            row, column = np.unravel_index(np.where(beyond, abs(multiply_adds - target), far).argmin(), beyond.shape)
            widths = np.broadcast_to(group_widths, (*beyond.shape, group_widths.shape[-1]))[row, column]
            spread = np.broadcast_to(blocks, (*beyond.shape, blocks.shape[-1]))[row, column]
            architecture = Architecture(cardinality, tuple(widths.tolist()), tuple(spread.tolist()))
            yield int(multiply_adds[row, column]), architecture
