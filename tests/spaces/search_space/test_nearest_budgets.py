"""The message of an empty set: what it names is the nearest there is, and what it advises helps."""

from __future__ import annotations

import re
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resnext_search.spaces import Architecture, Band, Template, enumerate_feasible
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.errors import EmptyFeasibleSet
from resnext_search.spaces.search_space.axes import Axes, WidthRule

SMALL = Template(planes=4, stages=3, resolution=8, channels=1)


def refusal(axes: Axes, band: Band) -> EmptyFeasibleSet:
    with pytest.raises(EmptyFeasibleSet) as caught:
        enumerate_feasible(SMALL, axes, band)
    return caught.value


def test_an_empty_band_names_the_nearest_on_either_side() -> None:
    error = refusal(Axes((1, 2), (2, 8), ((1, 1, 1),)), Band(100_000, 0.02))
    assert str(error) == (
        "budget: none of 4 candidates lies between 98,000 and 102,000 multiply-adds (100,000 ± 2 %, with C > 1 not "
        "above the budget). Nearest:\n"
        "  below: 78,282 (-21.72 %), 2x2d-11 with blocks 1-1-1 and widths 2-5-10\n"
        "  above: 181,418 (+81.42 %), 1x8d-11 with blocks 1-1-1 and widths 8-15-30"
    )
    assert error.hint == (
        "Give 'budget={multiply_adds: 78282, tolerance: 2%}' or budget.tolerance=21.72%, or widen the axes."
    )
    assert error.exit_code == 3


def test_a_budget_beyond_all_names_one_side_and_no_tolerance() -> None:
    error = refusal(Axes((2,), (2, 4), ((1, 1, 1),), "paper"), Band(40_000, 0.005))
    assert str(error) == (
        "budget: none of 2 candidates lies between 39,800 and 40,200 multiply-adds (40,000 ± 0.5 %). Nearest:\n"
        "  above: 66,954 (+67.39 %), 2x2d-11 with blocks 1-1-1 and widths 2-4-8"
    )
    assert error.hint == "Give 'budget={multiply_adds: 66954, tolerance: 0.5%}', or widen the axes."


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
def test_no_tolerance_is_advised_where_cardinality_would_profit(tolerance: float) -> None:
    """The only network of C = 2 is 0.1 % above the budget; no tolerance would let it in, another budget would."""
    axes = Axes((2,), (2,), ((1, 1, 1),))
    narrowest = int(complexity(SMALL, Architecture(2, (2, 3, 6), (1, 1, 1))).multiply_adds)
    error = refusal(axes, Band(narrowest - 50, tolerance))
    share = f"{100 * tolerance:g}"
    assert error.hint == f"Give 'budget={{multiply_adds: {narrowest}, tolerance: {share}%}}', or widen the axes."
    assert len(enumerate_feasible(SMALL, axes, Band(narrowest, 0.0))) == 1


def costs(axes: Axes) -> list[int]:
    """Multiply-adds of everything that the axes can become."""
    found = []
    for cardinality, width, blocks in product(axes.cardinality, axes.width, axes.blocks):
        reach = [0 if axes.width_rule == "paper" else 2**stage // 2 for stage in range(3)]
        for moves in product(*(range(-most, most + 1) for most in reach)):
            widths = tuple(width * 2**stage + move for stage, move in enumerate(moves))
            found.append(int(complexity(SMALL, Architecture(cardinality, widths, blocks)).multiply_adds))
    return found


@settings(max_examples=60, deadline=None)
@given(
    cardinality=st.lists(st.sampled_from([1, 2, 3, 8]), min_size=1, max_size=2),
    width=st.lists(st.integers(1, 12), min_size=1, max_size=2),
    blocks=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)), min_size=1, max_size=2),
    rule=st.sampled_from(["paper", "matched"]),
    target=st.integers(20_000, 400_000),
)
def test_what_is_named_is_the_nearest_and_what_is_advised_helps(
    cardinality: list[int], width: list[int], blocks: list[tuple[int, int, int]], rule: WidthRule, target: int
) -> None:
    axes = Axes(tuple(cardinality), tuple(width), tuple(blocks), rule)
    try:
        enumerate_feasible(SMALL, axes, Band(target, 0.0))
    except EmptyFeasibleSet as error:
        named = {
            side: int(number.replace(",", "")) for side, number in re.findall(r"^  (\w+): ([\d,]+)", str(error), re.M)
        }
        below = max((cost for cost in costs(axes) if cost <= target), default=None)
        above = min((cost for cost in costs(axes) if cost > target), default=None)
        assert (named.get("below"), named.get("above")) == (below, above)
        given = re.match(r"Give 'budget={multiply_adds: (\d+), tolerance: 0%}'", error.hint)
        assert given is not None
        assert int(given[1]) in named.values()
        for budget in named.values():
            assert len(enumerate_feasible(SMALL, axes, Band(budget, 0.0))) >= 1
        advised = re.search(r"budget\.tolerance=([\d.]+)%", error.hint)
        if advised:
            assert len(enumerate_feasible(SMALL, axes, Band(target, float(advised[1]) / 100))) >= 1
            less = float(advised[1]) / 100 - 0.0001
            if less > 0:
                with pytest.raises(EmptyFeasibleSet):
                    enumerate_feasible(SMALL, axes, Band(target, less))
