"""The enumerated set against a loop that builds and counts one network at a time."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resnext_search.spaces import Architecture, Band, FeasibleSet, Template, enumerate_feasible
from resnext_search.spaces.architecture.architecture import Shortcut
from resnext_search.spaces.architecture.complexity import complexity, convolutions
from resnext_search.spaces.errors import EmptyFeasibleSet, UsageError
from resnext_search.spaces.search_space.axes import Axes, WidthRule

SMALL = Template(planes=4, stages=3, resolution=8, channels=1)


def spreads_of(cardinality: int, width: int, blocks: tuple[int, ...], rule: WidthRule) -> Iterator[Architecture]:
    """Every architecture that the candidate (C, d, blocks) may become, without numpy."""
    reach = [0 if rule == "paper" else 2**stage // 2 for stage in range(len(blocks))]
    for moves in product(*(range(-most, most + 1) for most in reach)):
        widths = tuple(width * 2**stage + move for stage, move in enumerate(moves))
        yield Architecture(cardinality, widths, blocks)


def multiply_adds_of(template: Template, architecture: Architecture) -> int:
    return int(complexity(template, architecture).multiply_adds)


def brute_force(template: Template, axes: Axes, band: Band) -> list[Architecture]:
    """The feasible set, one architecture at a time, in the order that is promised."""
    found = []
    for cardinality, blocks, width in product(axes.cardinality, axes.blocks, axes.width):
        capped = axes.width_rule == "matched" and cardinality > 1
        inside = []
        for architecture in spreads_of(cardinality, width, blocks, axes.width_rule):
            cost = multiply_adds_of(template, architecture)
            if band.low <= cost <= (band.target if capped else band.high):
                moved = [w - width * 2**stage for stage, w in enumerate(architecture.group_widths)]
                inside.append((abs(cost - band.target), sum(map(abs, moved)), moved, architecture))
        if inside:
            found.append(min(inside, key=lambda entry: entry[:3])[3])
    return found


def feasible_or_empty(template: Template, axes: Axes, band: Band) -> list[Architecture]:
    try:
        return list(enumerate_feasible(template, axes, band))
    except EmptyFeasibleSet:
        return []


@pytest.mark.parametrize("rule", ["paper", "matched"])
@pytest.mark.parametrize(
    ("template", "blocks", "target"),
    [
        (SMALL, tuple(product((1, 2, 3), repeat=3)), 80_000),
        (Template(planes=8, stages=2, resolution=12, stride=2, shortcut="identity"), ((1, 1), (1, 3), (2, 2)), 60_000),
        (Template(planes=4, stages=3, resolution=9, shortcut="none"), ((1, 1, 1), (4, 1, 2)), 150_000),
        (Template(stem="imagenet", planes=4, stages=4, resolution=40), ((1, 1, 1, 1), (1, 2, 1, 2)), 450_000),
        (Template(planes=4, stages=1, resolution=8), ((1,), (2,), (5,)), 40_000),
        (Template(planes=2, stages=5, resolution=32), ((1, 1, 1, 1, 1),), 600_000),
    ],
)
def test_the_set_equals_brute_force(
    template: Template, blocks: tuple[tuple[int, ...], ...], target: int, rule: WidthRule
) -> None:
    axes = Axes((1, 2, 3, 8), (1, 2, 3, 4, 7), blocks, rule)
    if template.stages == 5:  # 2,295 spreads a candidate
        axes = Axes((1, 2), (1, 2), blocks, rule)
    band = Band(target, 0.15)
    expected = brute_force(template, axes, band)
    assert expected
    assert list(enumerate_feasible(template, axes, band)) == expected


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_the_set_equals_brute_force_for_any_small_space(data: st.DataObject) -> None:
    stages = data.draw(st.integers(1, 3), label="stages")
    shortcuts: st.SearchStrategy[Shortcut] = st.sampled_from(["projection", "identity", "none"])
    template = Template(
        stem=data.draw(st.sampled_from(["cifar", "imagenet"]), label="stem"),
        planes=data.draw(st.integers(1, 9), label="planes"),
        stages=stages,
        shortcut=data.draw(shortcuts, label="shortcut"),
        resolution=data.draw(st.integers(8, 20), label="resolution"),
        channels=data.draw(st.sampled_from([1, 3]), label="channels"),
        classes=data.draw(st.integers(2, 20), label="classes"),
    )
    few = st.lists(st.integers(1, 9), min_size=1, max_size=3).map(tuple)
    spread = st.tuples(*[st.integers(1, 4)] * stages)
    axes = Axes(
        data.draw(few, label="cardinality"),
        data.draw(few, label="width"),
        data.draw(st.lists(spread, min_size=1, max_size=3).map(tuple), label="blocks"),
        data.draw(st.sampled_from(["paper", "matched"]), label="rule"),
    )
    like = Architecture.paper(axes.cardinality[-1], axes.width[0], axes.blocks[0])
    target = round(multiply_adds_of(template, like) * data.draw(st.sampled_from([0.9, 1.0, 1.07, 2.0]), label="scale"))
    band = Band(target, data.draw(st.sampled_from([0.0, 0.01, 0.05, 0.3]), label="tolerance"))
    assert feasible_or_empty(template, axes, band) == brute_force(template, axes, band)


def test_a_million_combinations_are_enumerated() -> None:
    """Under the paper's rule, where the band can be checked on the whole grid by other means."""
    axes = Axes(tuple(range(1, 33)), tuple(range(1, 1025)), tuple((n, n, n) for n in range(1, 33)), "paper")
    assert axes.combinations == 1_048_576
    template, band = Template(planes=16), Band(3_000_000_000, 0.02)
    found = enumerate_feasible(template, axes, band)
    low, high = band.low, band.high
    # a different formula: the cost of a network is a quadratic in d for every C and blocks
    expected = []
    for cardinality, blocks in product(axes.cardinality, axes.blocks):
        one, two, three = (
            multiply_adds_of(template, Architecture.paper(cardinality, width, blocks)) for width in (1, 2, 3)
        )
        first, second = two - one, three - 2 * two + one
        for d in axes.width:
            if low <= one + (d - 1) * first + (d - 1) * (d - 2) // 2 * second <= high:
                expected.append((cardinality, blocks, d))
    assert len(expected) > 100
    assert [(each.cardinality, each.blocks, each.width) for each in found] == expected


@pytest.fixture(scope="module")
def matched() -> FeasibleSet:
    axes = Axes((1, 2, 4, 8, 16), tuple(range(1, 33)), tuple(product((1, 2, 3), repeat=3)))
    return enumerate_feasible(Template(planes=16, resolution=16), axes, Band(4_000_000, 0.02))


def test_every_member_lies_in_the_band_by_its_own_count(matched: FeasibleSet) -> None:
    for position, architecture in enumerate(matched):
        counted = complexity(matched.template, architecture)
        assert matched.band.low <= counted.multiply_adds <= matched.band.high
        assert tuple(int(np.asarray(column)[position]) for column in matched.counts) == counted


def test_grouped_architectures_never_cost_more_than_the_target(matched: FeasibleSet) -> None:
    costs = np.asarray(matched.counts.multiply_adds)
    assert costs[matched.cardinality > 1].max() <= matched.band.target
    assert costs[matched.cardinality == 1].max() > matched.band.target


def test_matched_widths_stay_within_half_a_doubling_of_a_channel(matched: FeasibleSet) -> None:
    moved = np.abs(matched.group_widths - matched.width[:, None] * np.array([1, 2, 4]))
    assert moved.max(axis=0).tolist() == [0, 1, 2]


def test_groups_divide_every_layer_by_construction() -> None:
    """No study can ask for a C that does not divide: the 3x3 has C * d channels, and no other layer is grouped."""
    axes = Axes((1, 3, 5, 7, 13), tuple(range(1, 12)), ((1, 1, 1), (2, 1, 3)))
    for architecture in enumerate_feasible(Template(planes=5, resolution=9), axes, Band(500_000, 0.4)):
        for layer in convolutions(Template(planes=5), *vars(architecture).values()):
            assert layer.inputs % layer.groups == 0
            assert layer.outputs % layer.groups == 0


def test_the_order_is_by_cardinality_then_blocks_then_width(matched: FeasibleSet) -> None:
    keys = [(each.cardinality, each.blocks, each.width) for each in matched]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


def test_the_order_of_the_axes_changes_nothing() -> None:
    band = Band(80_000, 0.15)
    forward = enumerate_feasible(SMALL, Axes((1, 2, 8), (1, 2, 3), ((1, 1, 1), (2, 1, 1))), band)
    backward = enumerate_feasible(SMALL, Axes((8, 2, 1, 2), (3, 2, 1, 1), ((2, 1, 1), (1, 1, 1))), band)
    assert list(forward) == list(backward)


def test_the_matched_rule_gives_more_members_than_the_paper_s() -> None:
    """Why it is the default: under the paper's rule most pairs (C, blocks) miss a narrow band."""
    spreads = tuple(product(range(1, 7), repeat=3))
    pairs = {}
    for rule in ("paper", "matched"):
        axes = Axes((1, 2, 4, 8, 16, 32), tuple(range(1, 65)), spreads, rule)
        found = enumerate_feasible(Template(planes=16), axes, Band(8_000_000 * 4, 0.02))
        pairs[rule] = len({(each.cardinality, each.blocks) for each in found})
    assert pairs["paper"] < 0.5 * pairs["matched"]


def test_the_set_is_a_sequence(matched: FeasibleSet) -> None:
    assert matched[0] == next(iter(matched))
    assert matched[-1] == list(matched)[-1]
    assert matched[2:5] == list(matched)[2:5]
    assert matched[5] in matched
    assert matched.index(matched[5]) == 5
    assert Architecture(999, (1, 2, 4), (1, 1, 1)) not in matched
    assert "1x4d-11" not in matched  # type: ignore[comparison-overlap]
    with pytest.raises(IndexError):
        matched[len(matched)]
    with pytest.raises(ValueError, match="is not in the feasible set"):
        matched.index(Architecture(999, (1, 2, 4), (1, 1, 1)))
    with pytest.raises(ValueError, match="is not in the feasible set"):
        matched.index(matched[5], 6)
    assert matched.index(matched[5], -len(matched), 6) == 5


def test_members_are_plain_numbers_that_json_can_write(matched: FeasibleSet) -> None:
    architecture = matched[np.int64(3)]  # type: ignore[call-overload]  # what an optimizer's argmax returns
    numbers = [architecture.cardinality, *architecture.group_widths, *architecture.blocks]
    assert {type(number) for number in numbers} == {int}


def test_a_set_survives_a_process_border(matched: FeasibleSet) -> None:
    assert list(pickle.loads(pickle.dumps(matched))) == list(matched)


def test_depth_counts_stem_and_classifier(matched: FeasibleSet) -> None:
    assert matched.depth.tolist() == [each.depth for each in matched]


# ------------------------------------------------------------------ axes that cannot be enumerated


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (Axes((1,), (1,), ((1, 1),)), "axes: blocks [1, 1] are not one number for each of 3 stages"),
        (
            Axes(tuple(range(1, 4097)), tuple(range(1, 4097)), ((1, 1, 1),)),
            "axes: 16,777,216 combinations of cardinality, width and blocks; allowed: at most 10,000,000",
        ),
        (
            Axes((4096,), (10**6,), ((200, 200, 200),)),
            "axes: networks of up to 1.4e+21 multiply-adds; allowed: at most 1e+18",
        ),
    ],
)
def test_axes_beyond_reach_are_refused_at_once(axes: Axes, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        enumerate_feasible(SMALL, axes, Band(1000, 0.1))
    assert str(caught.value) == message


def test_five_stages_have_too_many_spreads_for_large_axes() -> None:
    axes = Axes(tuple(range(1, 41)), tuple(range(1, 101)), tuple(product(range(1, 5), repeat=5)))
    with pytest.raises(UsageError) as caught:
        enumerate_feasible(Template(stages=5), axes, Band(1000, 0.1))
    assert str(caught.value) == (
        "axes: 9,400,320,000 combinations of cardinality, blocks and the stages' widths; allowed: at most 5,000,000,000"
    )
    assert caught.value.hint == "Narrow cardinality, width or blocks."
