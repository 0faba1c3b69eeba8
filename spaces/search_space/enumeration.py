"""How are all candidates counted: every cardinality, width and spread of blocks, with all its ways to match the budget.

Vectorised, in portions of bounded memory. `feasible.py` keeps what lies in the band, `nearest_budgets.py` what lies
beside it. Imports numpy alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod

import numpy as np
from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.spaces.architecture.complexity import Integers, complexity, count, stage_convolutions
from resnext_search.spaces.search_space.axes import Axes, WidthRule

# Rows of (candidate, spread of widths) counted at once; bounds the memory of an enumeration to some 100 MB.
ROWS_AT_ONCE = 500_000
# What an enumeration takes on: beyond this it is a typing error, or would take minutes.
MOST_COMBINATIONS = 10_000_000
MOST_ROWS = 5_000_000_000
MOST_MULTIPLY_ADDS = 10**18  # int64 ends at 9.2e18


def excesses(template: Template, axes: Axes) -> Iterator[tuple[str, str]]:
    """What of the axes is too large to enumerate: what was found, and what is allowed."""
    if axes.combinations > MOST_COMBINATIONS:
        yield f"{axes.combinations:,} combinations of cardinality, width and blocks", f"at most {MOST_COMBINATIONS:,}"
        return
    reach = _reach(template.stages, axes.width_rule)
    rows = axes.combinations * prod(2 * most + 1 for most in reach)
    if rows > MOST_ROWS:
        yield f"{rows:,} combinations of cardinality, blocks and the stages' widths", f"at most {MOST_ROWS:,}"
    widest = tuple(axes.width[-1] * 2**stage + most for stage, most in enumerate(reach))
    largest = Architecture(axes.cardinality[-1], widest, tuple(map(max, zip(*axes.blocks, strict=True))))
    multiply_adds = complexity(template, largest).multiply_adds
    if multiply_adds > MOST_MULTIPLY_ADDS:
        yield f"networks of up to {multiply_adds:.1e} multiply-adds", f"at most {MOST_MULTIPLY_ADDS:.0e}"


def is_capped(cardinality: int, axes: Axes) -> bool:
    """Whether the target is a ceiling: matching is rounded against the claim that cardinality wins."""
    return axes.width_rule == "matched" and cardinality > 1


def _reach(stages: int, rule: WidthRule) -> list[int]:
    """How far each stage's group width may move from the doubled one."""
    return [2**stage // 2 if rule == "matched" else 0 for stage in range(stages)]


def width_offsets(stages: int, rule: WidthRule) -> Integers:
    """`(k, stages)` array: what may be added to the doubled widths; nearest to none first.

    >>> width_offsets(2, "matched").tolist()
    [[0, 0], [0, -1], [0, 1]]
    """
    moves = (range(-most, most + 1) for most in _reach(stages, rule))
    return np.array(sorted(product(*moves), key=lambda spread: (sum(map(abs, spread)), spread)), dtype=np.int64)


def _stage_multiply_adds(
    template: Template, cardinality: int, stage: int, widths: Integers, blocks: Integers
) -> Integers:
    layers = stage_convolutions(template, cardinality, stage, widths, blocks)
    return np.asarray(sum(layer.multiply_adds for layer in layers))


def _fixed_multiply_adds(template: Template) -> int:
    """Multiply-adds of what belongs to no stage: the stem and the classifier."""
    return int(count(template, 1, (), ()).multiply_adds)


def reaching(
    template: Template, cardinality: int, axes: Axes, offsets: Integers, low: int, ceiling: int
) -> Iterator[tuple[Integers, Integers]]:
    """Doubled widths and blocks of the candidates whose narrowest and widest spreads enclose a part of [low, ceiling].

    Multiply-adds grow with every width, so no other candidate has a member in there. Portions of bounded size, both
    `(n, stages)` arrays; `offsets` as `width_offsets` gives them.
    """
    for widths, blocks, fewest, most in grids(template, cardinality, axes, offsets):
        which_width, which_blocks = np.nonzero((fewest <= ceiling) & (most >= low))
        doubled = widths[:, None] * 2 ** np.arange(template.stages)
        portion = max(1, ROWS_AT_ONCE // len(offsets))
        for start in range(0, len(which_width), portion):
            here = slice(start, start + portion)
            yield doubled[which_width[here]], blocks[which_blocks[here]]


def grids(
    template: Template, cardinality: int, axes: Axes, offsets: Integers
) -> Iterator[tuple[Integers, Integers, Integers, Integers]]:
    """Widths `(w,)`, blocks `(b, stages)`, and the fewest and the most multiply-adds of each pair, `(w, b)`.

    A stage's multiply-adds depend on its own width and blocks alone, so a small table for each stage is enough.
    """
    blocks = np.array(axes.blocks, dtype=np.int64)
    stages = [np.unique(column, return_inverse=True) for column in blocks.T]
    portion = max(1, ROWS_AT_ONCE // len(blocks))
    for start in range(0, len(axes.width), portion):
        widths = np.array(axes.width[start : start + portion], dtype=np.int64)
        totals = []
        for moves in (offsets.min(axis=0), offsets.max(axis=0)):
            total = np.full((len(widths), len(blocks)), _fixed_multiply_adds(template))
            for stage, (values, which) in enumerate(stages):
                moved = widths[:, None] * 2**stage + moves[stage]
                total += _stage_multiply_adds(template, cardinality, stage, moved, values)[:, which]
            totals.append(total)
        yield widths, blocks, totals[0], totals[1]


def spread_multiply_adds(
    template: Template, cardinality: int, doubled: Integers, blocks: Integers, offsets: Integers
) -> Integers:
    """`(n, k)` array: multiply-adds of n candidates under each of k `offsets` of their widths."""
    total = np.full((len(doubled), len(offsets)), _fixed_multiply_adds(template))
    for stage, column in enumerate(offsets.T):
        moves, which = np.unique(column, return_inverse=True)
        widths = doubled[:, stage, None] + moves
        total += _stage_multiply_adds(template, cardinality, stage, widths, blocks[:, stage, None])[:, which]
    return total
