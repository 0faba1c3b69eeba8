"""Which widths and blocks make every stage of a network cost what it costs in another network?

Small networks have few widths to choose from, so each stage has a group width of its own. Stages are looked at one by
one first, since what a stage costs depends on no other; then every combination of what they may be is compared.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.spaces.architecture.complexity import Integers, stage_convolutions
from resnext_search.spaces.search_space.axes import Band

# Group widths looked at on either side of a stage's exact solution. The best match has nearly always the next lower or
# the next higher width in every stage; the others are for small networks, where a channel of an early stage is a large
# step. Of 230 matches that exist for random networks of 4 to 12 planes, 3 on either side miss 31, 5 miss 12, 8 miss 1.
REACH = 8
# Combinations of the stages' options at most; a million are compared in a tenth of a second.
MOST_COMBINATIONS = 1_000_000


class Option(NamedTuple):
    """What one stage may be: so many blocks of a group width, and multiply-adds more than in the reference's stage."""

    blocks: int
    width: int
    difference: int


class Match(NamedTuple):
    """An architecture, and how many multiply-adds it has more than the budget."""

    architecture: Architecture
    difference: int


def allowed_differences(budget: Band, *, dearer: bool) -> range:
    """By how many multiply-adds a match may differ from the budget's target: all on one side of it.

    >>> allowed_differences(Band(1000, 0.02), dearer=True), allowed_differences(Band(1000, 0.02), dearer=False)
    (range(0, 21), range(-20, 1))
    """
    return range(budget.high - budget.target + 1) if dearer else range(budget.low - budget.target, 1)


def width_options(template: Template, cardinality: int, reference: Architecture) -> list[list[Option]]:
    """For every stage, group widths around the one that costs what the reference's stage does with as many blocks.

    >>> width_options(Template(planes=32, stride=2), 2, Architecture.paper(1, 32, (2, 2, 2)))[0][7:9]
    [Option(blocks=2, width=20, difference=-180224), Option(blocks=2, width=21, difference=410624)]
    """
    options = []
    for stage, (reference_width, blocks) in enumerate(zip(reference.group_widths, reference.blocks, strict=True)):
        cost = _stage_cost(template, reference.cardinality, stage, reference_width, blocks)
        # at C * d channels a group, any number of groups costs at least as much as C groups of d channels
        most = reference.cardinality * reference_width
        exact = _first_as_dear(template, cardinality, stage, blocks, cost, most)
        widths = range(max(1, exact - REACH), exact + REACH)
        costs = [_stage_cost(template, cardinality, stage, width, blocks) for width in widths]
        options.append([Option(blocks, width, found - cost) for width, found in zip(widths, costs, strict=True)])
    return options


def depth_options(template: Template, base: Architecture, reference: Architecture, move: int) -> list[list[Option]]:
    """For every stage, at least the base's blocks, at group widths up to `move` channels off the base's.

    For every width the numbers of blocks are those around what the reference's stage costs. Of very many options,
    those that cost nearly what the reference's stage does are kept.
    """
    most = int(MOST_COMBINATIONS ** (1 / template.stages))
    options = []
    for stage, (width, fewest) in enumerate(zip(base.group_widths, base.blocks, strict=True)):
        reference_width, reference_blocks = reference.group_widths[stage], reference.blocks[stage]
        cost = _stage_cost(template, reference.cardinality, stage, reference_width, reference_blocks)
        of_stage = []
        for moved in range(max(1, width - move), width + move + 1):
            one, two = (_stage_cost(template, base.cardinality, stage, moved, blocks) for blocks in (1, 2))
            near = 1 + (cost - one) // (two - one)  # at most as dear as the reference's stage
            of_stage += [
                Option(blocks, moved, one + (blocks - 1) * (two - one) - cost)
                for blocks in sorted({max(fewest, near + more) for more in (-1, 0, 1, 2)})
            ]
        options.append(sorted(sorted(of_stage, key=lambda option: abs(option.difference))[:most]))
    return options


def best_match(
    cardinality: int, options: Sequence[Sequence[Option]], budget: Band, *, dearer: bool, more_blocks_than: int = 0
) -> Match:
    """The choice of one option a stage that matches best, on the side of the budget that is allowed.

    Inside the tolerance that is the one whose stages differ least from the reference's, all differences added up; of
    equal ones the one nearest the budget, of those the one with fewer blocks and channels in the early stages. With
    none inside, it is the nearest one on the allowed side, and with none there the nearest of all.

    Args:
        cardinality: Groups of the match.
        options: For each stage what it may be; differences of stages add up to that of the network.
        budget: What the reference costs, and the tolerance.
        dearer: Whether the match may cost no less than the budget; otherwise it may cost no more.
        more_blocks_than: Blocks that the match must exceed, all stages together; some combination does.
    """
    total = _sums([option.difference for option in stage] for stage in options)
    spread = _sums([abs(option.difference) for option in stage] for stage in options)
    deeper = _sums([option.blocks for option in stage] for stage in options) > more_blocks_than
    allowed = allowed_differences(budget, dearer=dearer)
    inside = np.flatnonzero(deeper & (total >= allowed[0]) & (total <= allowed[-1]))
    if len(inside) > 0:
        chosen = inside[np.lexsort((np.abs(total[inside]), spread[inside]))[0]]
    else:
        candidates = np.flatnonzero(deeper)
        off_side = total[candidates] < 0 if dearer else total[candidates] > 0
        chosen = candidates[np.lexsort((np.abs(total[candidates]), off_side))[0]]
    places = np.unravel_index(chosen, tuple(len(stage) for stage in options))
    picked = [stage[int(place)] for stage, place in zip(options, places, strict=True)]
    widths, blocks = tuple(option.width for option in picked), tuple(option.blocks for option in picked)
    return Match(Architecture(cardinality, widths, blocks), int(total[chosen]))


def _stage_cost(template: Template, cardinality: int, stage: int, width: int, blocks: int) -> int:
    return int(sum(layer.multiply_adds for layer in stage_convolutions(template, cardinality, stage, width, blocks)))


def _first_as_dear(template: Template, cardinality: int, stage: int, blocks: int, cost: int, most: int) -> int:
    """The narrowest group width, up to `most`, with which a stage costs at least `cost`."""
    return bisect_left(
        range(most), cost, lo=1, key=lambda width: _stage_cost(template, cardinality, stage, width, blocks)
    )


def _sums(numbers: Iterable[Sequence[int]]) -> Integers:
    """Sums of one number a stage, for every combination, the first stage varying slowest."""
    sums = np.zeros(1, dtype=np.int64)
    for of_stage in numbers:
        sums = (sums[:, None] + np.array(of_stage, dtype=np.int64)).ravel()
    return sums
