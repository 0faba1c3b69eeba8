"""Matches by hand, and against every network there is."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from resnext_search.spaces import Architecture, Band, Template
from resnext_search.spaces.architecture.complexity import Integers, complexity, stage_convolutions
from resnext_search.spaces.claim.matching import (
    Match,
    Option,
    allowed_differences,
    best_match,
    depth_options,
    width_options,
)

# ------------------------------------------------------------------ by hand


def test_of_three_options_a_stage_the_right_combination_is_chosen() -> None:
    """The sums are -30, -12, 10 and -5, 13, 35, the spreads 30, 12, 30 and 35, 17, 35."""
    stages = [[Option(1, 1, -10), Option(1, 2, 15)], [Option(1, 1, -20), Option(1, 2, -2), Option(1, 3, 20)]]
    band = Band(1000, 0.02)
    assert best_match(1, stages, band, dearer=True) == Match(Architecture(1, (2, 2), (1, 1)), 13)
    assert best_match(1, stages, band, dearer=False) == Match(Architecture(1, (1, 2), (1, 1)), -12)
    # one per cent allows -5 and 10 alone, whatever their spread
    assert best_match(1, stages, Band(1000, 0.01), dearer=True).difference == 10
    assert best_match(1, stages, Band(1000, 0.01), dearer=False).difference == -5


def test_with_none_inside_the_nearest_on_the_allowed_side_is_returned() -> None:
    stages = [[Option(1, 1, -7), Option(1, 2, 30), Option(1, 3, 60)]]
    assert best_match(1, stages, Band(1000, 0.0), dearer=True).difference == 30
    assert best_match(1, stages, Band(1000, 0.0), dearer=False).difference == -7
    assert best_match(1, [[Option(1, 1, 60), Option(1, 2, 90)]], Band(1000, 0.02), dearer=False).difference == 60


def test_of_equal_matches_the_one_with_fewer_blocks_and_channels_in_the_early_stages_is_taken() -> None:
    stage = [Option(1, 1, 0), Option(1, 2, 0), Option(2, 1, 0)]
    match = best_match(4, [stage, stage], Band(1000, 0.02), dearer=True, more_blocks_than=2)
    assert match == Match(Architecture(4, (1, 1), (1, 2)), 0)


def test_of_equal_spreads_the_one_nearest_the_budget_is_taken() -> None:
    stages = [[Option(1, 1, -3), Option(1, 2, 5)], [Option(1, 1, 7), Option(1, 2, 5)]]
    assert best_match(1, stages, Band(1000, 0.02), dearer=True).difference == 2  # -3 + 5; 5 + 5 and -3 + 7 differ more
    assert best_match(1, [[Option(1, 1, 9)], [Option(1, 1, 1), Option(1, 2, -1)]], Band(1000, 0.02), dearer=True) == (
        Match(Architecture(1, (1, 2), (1, 1)), 8)
    )


def test_a_match_has_more_blocks_than_is_said_even_if_none_of_these_is_inside() -> None:
    stages = [[Option(1, 4, 0), Option(2, 3, 900)]]
    assert best_match(1, stages, Band(1000, 0.02), dearer=True).architecture.blocks == (1,)
    assert best_match(1, stages, Band(1000, 0.02), dearer=True, more_blocks_than=1).architecture.blocks == (2,)


@pytest.mark.parametrize(("dearer", "inside", "outside"), [(True, (0, 20), (-1, 21)), (False, (0, -20), (1, -21))])
def test_what_is_allowed_lies_on_one_side(dearer: bool, inside: tuple[int, int], outside: tuple[int, int]) -> None:
    allowed = allowed_differences(Band(1000, 0.02), dearer=dearer)
    assert all(difference in allowed for difference in inside)
    assert not any(difference in allowed for difference in outside)


def test_a_stage_wider_than_any_width_of_a_study_file_is_solved_too() -> None:
    """A width of 2,048 in the first stage is 16,384 in the fourth."""
    template = Template(planes=4, stages=4, resolution=8)
    reference = Architecture.paper(2, 2048, (1, 1, 1, 1))
    for option_low, option_high in [stage[7:9] for stage in width_options(template, 1, reference)]:
        assert option_low.difference < 0 <= option_high.difference
        assert option_high.width == option_low.width + 1


# ------------------------------------------------------------------ brute force


def every(
    template: Template, cardinality: int, stages: list[tuple[Integers, Integers]], reference: Architecture
) -> tuple[Integers, Integers, Integers]:
    """Difference, spread and blocks of every network there is: for each stage its widths and blocks, all combined."""
    difference = spread = blocks = np.zeros(1, dtype=np.int64)
    for stage, (widths, counts) in enumerate(stages):
        cost = stage_cost(
            template, reference.cardinality, stage, reference.group_widths[stage], reference.blocks[stage]
        )
        off = stage_cost(template, cardinality, stage, widths[:, None], counts) - cost
        difference = (difference[:, None] + off.ravel()).ravel()
        spread = (spread[:, None] + np.abs(off).ravel()).ravel()
        blocks = (blocks[:, None] + np.broadcast_to(counts, off.shape).ravel()).ravel()
    return difference, spread, blocks


def stage_cost(
    template: Template, cardinality: int, stage: int, width: int | Integers, blocks: int | Integers
) -> Integers:
    layers = stage_convolutions(template, cardinality, stage, width, blocks)
    return np.asarray(sum(layer.multiply_adds for layer in layers))


def assert_best(
    match: Match, template: Template, reference: Architecture, allowed: range, stages: list[tuple[Integers, Integers]]
) -> None:
    """The match is inside if any network with more blocks than the reference's, or as many, is; then none is better."""
    cardinality, fewest = match.architecture.cardinality, sum(match.architecture.blocks)
    difference, spread, blocks = every(template, cardinality, stages, reference)
    deeper = fewest > sum(reference.blocks)
    inside = (difference >= allowed[0]) & (difference <= allowed[-1]) & (blocks >= sum(reference.blocks) + deeper)
    assert (match.difference in allowed) == inside.any()
    if inside.any():
        own = zip(match.architecture.group_widths, match.architecture.blocks, strict=True)
        alone = [(np.array([width]), np.array([count])) for width, count in own]
        found = [int(numbers[0]) for numbers in every(template, cardinality, alone, reference)]
        assert found[0] == match.difference
        best = min(zip(spread[inside].tolist(), np.abs(difference[inside]).tolist(), strict=True))
        assert (found[1], abs(found[0])) == best


@pytest.mark.parametrize("number", range(60))
def test_a_match_of_widths_is_the_best_of_all_widths(number: int) -> None:
    draw = Random(number)
    template = Template(
        planes=draw.choice([4, 8, 12]),
        stages=draw.choice([1, 2, 3]),
        stride=draw.choice([1, 2]),
        shortcut=draw.choice(["projection", "identity", "none"]),
        resolution=draw.choice([8, 16, 28]),
    )
    blocks = tuple(draw.randint(1, 3) for _ in range(template.stages))
    reference = Architecture.paper(draw.choice([1, 1, 2, 4]), draw.randint(2, 14), blocks)
    cardinality, dearer = draw.choice([1, 2, 4, 8]), draw.choice([False, True])
    budget = Band(int(complexity(template, reference).multiply_adds), 0.02)

    match = best_match(cardinality, width_options(template, cardinality, reference), budget, dearer=dearer)

    assert match.difference == complexity(template, match.architecture).multiply_adds - budget.target
    assert match.architecture.blocks == blocks
    stages = [(np.arange(1, 120), np.array([count])) for count in blocks]
    assert_best(match, template, reference, allowed_differences(budget, dearer=dearer), stages)


@pytest.mark.parametrize("number", range(60))
def test_a_match_of_depths_is_the_best_of_all_numbers_of_blocks(number: int) -> None:
    draw = Random(number)
    template = Template(planes=4, stages=draw.choice([1, 2, 3]), resolution=8, channels=1)
    blocks = tuple(draw.randint(1, 3) for _ in range(template.stages))
    base = Architecture.paper(draw.choice([1, 2]), draw.randint(1, 8), blocks)
    reference = Architecture(2 * base.cardinality, base.group_widths, blocks)
    budget, move = Band(int(complexity(template, reference).multiply_adds), 0.02), draw.randint(0, 2)

    options = depth_options(template, base, reference, move)
    match = best_match(base.cardinality, options, budget, dearer=True, more_blocks_than=sum(blocks))

    assert sum(match.architecture.blocks) > sum(blocks)
    stages = [
        (np.arange(max(1, width - move), width + move + 1), np.arange(fewest, fewest + 20))
        for width, fewest in zip(base.group_widths, blocks, strict=True)
    ]
    assert_best(match, template, reference, allowed_differences(budget, dearer=True), stages)
