"""The arms of a claim: published and hand-made counts, on which side of the budget they lie, and what cannot be met."""

from __future__ import annotations

from random import Random

import pytest
from resnext_search.spaces import Architecture, Study, Template, load_study
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.claim.arms import MOST_MOVE, Arm, claim_arms, spend_arms, trade_arms
from resnext_search.spaces.errors import EmptyFeasibleSet
from resnext_search.spaces.search_space.axes import Band

from tests.spaces.test_shipped_studies import STUDIES
from tests.support.helpers import TINY_CLAIM, tiny_study

# A small network that the paper's rules fit badly, its base and what this base costs: 33.5 million multiply-adds.
HALF = Template(planes=32, stride=2)
BASE = Architecture.paper(1, 32, (2, 2, 2))


def cost(template: Template, architecture: Architecture) -> int:
    return int(complexity(template, architecture).multiply_adds)


def millions(arms: tuple[Arm, ...], template: Template = HALF) -> list[float]:
    return [round(cost(template, arm.architecture) / 1e6, 2) for arm in arms]


def shape(arm: Arm) -> tuple[str, int, tuple[int, ...], tuple[int, ...]]:
    """Name, cardinality, group widths and blocks of an arm."""
    return arm.name, arm.architecture.cardinality, arm.architecture.group_widths, arm.architecture.blocks


def shipped(name: str, *overrides: str) -> Study:
    return load_study(STUDIES[0].parent / f"{name}.yaml", overrides)


# ------------------------------------------------------------------ known numbers


def test_a_base_of_33_million_doubles_its_groups_for_62() -> None:
    arms = spend_arms(HALF, BASE, 0.02)
    assert round(cost(HALF, BASE) / 1e6, 2) == 33.52
    assert [shape(arm) for arm in arms] == [
        ("cardinality", 2, (32, 64, 128), (2, 2, 2)),
        ("width", 1, (49, 101, 201), (2, 2, 2)),
        ("depth", 1, (33, 65, 129), (4, 4, 4)),
    ]
    assert millions(arms) == [61.57, 61.65, 61.76]


def test_groups_are_traded_for_width_at_33_million() -> None:
    """At 2 to 8 groups, the widths that were solved by hand before this was written."""
    arms = trade_arms(HALF, BASE, [1, 2, 4, 8], 0.02)
    assert [arm.architecture.group_widths for arm in arms] == [(32, 64, 128), (20, 39, 78), (12, 23, 46), (7, 13, 26)]
    budget = cost(HALF, BASE)
    assert [round(100 * (cost(HALF, arm.architecture) / budget - 1), 1) for arm in arms] == [0.0, -0.9, -1.0, -0.4]


def test_one_stage_of_one_block_by_hand() -> None:
    """4x4 grey images, a stem of 1 channel, 4 channels out, no shortcut: a block of width w costs (5 w + 9 w²) 16.

    Of w = 5 that is 4,000, beside 144 of the stem and 10 of the classifier; 2 groups of 3 cost 3,072, of 4 cost 5,248;
    so 2 groups match the base from below at -22 %, and one group of 5 twice 3 from above at +29 %.
    """
    template = Template(planes=1, stages=1, resolution=4, channels=1, classes=2, shortcut="none")
    assert cost(template, Architecture(1, (5,), (1,))) == 4_000 + 144 + 10
    assert shape(trade_arms(template, Architecture(1, (5,), (1,)), [2], 0.25)[1]) == ("2x3d", 2, (3,), (1,))
    assert shape(trade_arms(template, Architecture(2, (3,), (1,)), [1], 0.3)[0]) == ("1x5d", 1, (5,), (1,))
    for base, other, tolerance in (((1, 5), 2, 0.2), ((2, 3), 1, 0.28)):
        with pytest.raises(EmptyFeasibleSet):
            trade_arms(template, Architecture(base[0], (base[1],), (1,)), [other], tolerance)


def test_the_arms_of_published_results_never_change() -> None:
    """Measured results belong to these networks."""
    spend, trade = shipped("fashion_mnist_spend", "rules=1"), shipped("fashion_mnist_trade", "rules=1")
    assert [shape(arm) for arm in claim_arms(spend)] == [
        ("cardinality", 2, (12, 24, 48), (1, 1, 1)),
        ("width", 1, (18, 39, 76), (1, 1, 1)),
        ("depth", 1, (12, 24, 48), (1, 2, 3)),
    ]
    assert [shape(arm) for arm in claim_arms(trade)] == [
        ("1x12d", 1, (12, 24, 48), (1, 1, 1)),
        ("2x8d", 2, (8, 14, 29), (1, 1, 1)),
        ("4x5d", 4, (5, 8, 17), (1, 1, 1)),
        ("8x3d", 8, (3, 4, 10), (1, 1, 1)),
    ]
    assert (claim_arms(spend)[0].budget, claim_arms(trade)[0].budget) == (4_042_426, 2_349_562)


def test_the_arms_of_the_ablation_are_the_same_with_shortcuts_and_without() -> None:
    path = STUDIES[0].parent / "ablation_shortcut.yaml"
    without, kept = load_study(path), load_study(path, ["template.shortcut=projection", "name=ablation-shortcut-kept"])
    assert (without.template.shortcut, kept.template.shortcut) == ("none", "projection")
    assert [shape(arm) for arm in claim_arms(without)] == [
        ("1x12d", 1, (12, 24, 48), (1, 1, 1)),
        ("4x5d", 4, (5, 8, 17), (1, 1, 1)),
    ]
    assert [shape(arm) for arm in claim_arms(kept)] == [shape(arm) for arm in claim_arms(without)]


# ------------------------------------------------------------------ a study's claim


def test_a_study_without_a_claim_has_no_arms() -> None:
    assert claim_arms(tiny_study()) == ()


def test_a_claim_s_arms_are_those_of_its_base_kind_and_tolerance() -> None:
    study = tiny_study(TINY_CLAIM, "rules=1")
    base = Architecture.paper(1, 4, (1, 1))
    assert claim_arms(study) == spend_arms(study.network_template(), base, 0.02)
    budget = cost(study.network_template(), Architecture.paper(2, 4, (1, 1)))
    assert [arm.budget for arm in claim_arms(study)] == [budget] * 3


def test_under_the_second_rules_the_base_is_the_last_arm_of_a_spend_and_the_only_one_that_is_not_matched() -> None:
    study = shipped("fashion_mnist_spend")
    *spent, base = claim_arms(study)
    assert tuple(spent) == claim_arms(shipped("fashion_mnist_spend", "rules=1"))
    assert shape(base) == ("base", 1, (12, 24, 48), (1, 1, 1))
    assert [arm.is_matched for arm in (*spent, base)] == [True, True, True, False]
    assert all(arm.is_matched for arm in claim_arms(shipped("fashion_mnist_trade")))
    assert claim_arms(shipped("fashion_mnist_trade")) == claim_arms(shipped("fashion_mnist_trade", "rules=1"))


def test_a_spend_has_an_arm_for_every_multiple_of_the_base_s_groups_named_by_it() -> None:
    base = "{cardinality: 2, width: 16, blocks: [2, 2, 2]}"
    study = shipped("fashion_mnist", f"claim={{kind: spend, base: {base}, cardinality: [4, 8, 12]}}")
    arms = claim_arms(study)
    names = ["cardinality", "cardinality-x4", "cardinality-x6", "width", "depth", "base"]
    assert [arm.name for arm in arms] == names
    assert [arm.architecture.cardinality for arm in arms] == [4, 8, 12, 2, 2, 2]
    alone = shipped("fashion_mnist", f"claim={{kind: spend, base: {base}, cardinality: [4]}}")
    assert claim_arms(alone) == tuple(arm for arm in arms if "-x" not in arm.name)
    assert claim_arms(shipped("fashion_mnist", f"claim={{kind: spend, base: {base}}}")) == claim_arms(alone)


def test_at_several_budgets_a_spend_has_the_arms_of_each_and_one_base() -> None:
    base = "{cardinality: 2, width: 16, blocks: [2, 2, 2]}"
    study = shipped("fashion_mnist", f"claim={{kind: spend, base: {base}, cardinality: [4, 8], multiples: [2, 4]}}")
    arms = claim_arms(study)
    ways = ["cardinality", "cardinality-x4", "width", "depth"]
    narrower = ["cardinality", "cardinality-x8", "width", "depth"]
    assert [arm.name for arm in arms] == [*(f"{way}@2" for way in ways), *(f"{way}@4" for way in narrower), "base"]
    assert [arm.architecture.cardinality for arm in arms] == [4, 8, 2, 2, 8, 16, 2, 2, 2]
    # every added group costs the same
    costs = [cost(study.network_template(), arms[place].architecture) for place in (-1, 0, 4)]
    assert costs[2] - costs[1] == 2 * (costs[1] - costs[0])
    assert [arm.budget for arm in arms] == [costs[1]] * 4 + [costs[2]] * 4 + costs[:1]
    for arm in arms:
        assert abs(cost(study.network_template(), arm.architecture) / arm.budget - 1) <= 0.02


def test_a_trade_without_cardinalities_takes_those_of_the_axes_and_the_base() -> None:
    overrides = ["template.planes=16", "axes.cardinality=[4, 2]"]
    study = tiny_study(*overrides, "claim={kind: trade, base: {cardinality: 1, width: 16, blocks: [1, 1]}}")
    assert [arm.architecture.cardinality for arm in claim_arms(study)] == [1, 2, 4]
    assert claim_arms(study)[0].budget == cost(study.network_template(), claim_arms(study)[0].architecture)


# ------------------------------------------------------------------ on which side, how far


def random_case(number: int) -> tuple[Template, Architecture, float]:
    draw = Random(number)
    stages = draw.choice([2, 3, 4])
    template = Template(
        planes=draw.choice([8, 16, 32]),
        stages=stages,
        stride=draw.choice([1, 2]),
        shortcut=draw.choice(["projection", "identity", "none"]),
        resolution=draw.choice([28, 32]),
    )
    blocks = tuple(draw.randint(1, 3) for _ in range(stages))
    return (
        template,
        Architecture.paper(draw.choice([1, 1, 2, 4]), draw.randint(8, 40), blocks),
        draw.choice([0.01, 0.02]),
    )


def test_no_rival_of_cardinality_costs_less_than_it_or_much_more() -> None:
    met = 0
    for template, base, tolerance in map(random_case, range(60)):
        try:
            cardinality, width, depth = spend_arms(template, base, tolerance)
        except EmptyFeasibleSet:
            continue
        met += 1
        assert cardinality.architecture == Architecture(2 * base.cardinality, base.group_widths, base.blocks)
        assert width.architecture.cardinality == depth.architecture.cardinality == base.cardinality
        assert width.architecture.blocks == base.blocks
        assert all(here >= there for here, there in zip(depth.architecture.blocks, base.blocks, strict=True))
        assert sum(depth.architecture.blocks) > sum(base.blocks)
        moved = zip(depth.architecture.group_widths, base.group_widths, strict=True)
        assert all(abs(here - there) <= MOST_MOVE for here, there in moved)
        budget = cost(template, cardinality.architecture)
        for rival in (width, depth):
            assert budget <= cost(template, rival.architecture) <= Band(budget, tolerance).high
        assert len({arm.architecture for arm in (cardinality, width, depth)}) == 3
    assert met >= 50


def test_more_multiples_cost_at_most_what_cardinality_does_with_narrower_groups() -> None:
    met = 0
    for template, base, tolerance in map(random_case, range(60)):
        try:
            cardinality, four, eight, *_ = spend_arms(template, base, tolerance, [4, 8])
        except EmptyFeasibleSet:
            continue
        met += 1
        budget = cost(template, cardinality.architecture)
        for arm, multiple in ((four, 4), (eight, 8)):
            assert arm.name == f"cardinality-x{multiple}"
            assert arm.architecture.cardinality == multiple * base.cardinality
            assert arm.architecture.blocks == base.blocks
            assert Band(budget, tolerance).low <= cost(template, arm.architecture) <= budget
            assert sum(arm.architecture.group_widths) < sum(base.group_widths)
    assert met >= 40


def test_arms_with_more_groups_than_the_base_never_cost_more_and_with_fewer_never_less() -> None:
    met = 0
    for template, base, tolerance in map(random_case, range(60)):
        try:
            arms = trade_arms(template, base, [4, 2, 1, 2], tolerance)
        except EmptyFeasibleSet:
            continue
        met += 1
        assert [arm.architecture.cardinality for arm in arms] == [1, 2, 4]
        budget, band = cost(template, base), Band(cost(template, base), tolerance)
        costs = [cost(template, arm.architecture) for arm in arms]
        assert 1 - min(costs) / max(costs) <= tolerance  # any two of them match, with the base in the middle too
        for arm in arms:
            assert arm.name == f"{arm.architecture.cardinality}x{arm.architecture.width}d"
            assert arm.architecture.blocks == base.blocks
            found = cost(template, arm.architecture)
            if arm.architecture.cardinality == base.cardinality:
                assert arm.architecture == base
            elif arm.architecture.cardinality > base.cardinality:
                assert band.low <= found <= budget
            else:
                assert budget <= found <= band.high
    assert met >= 50


def test_the_depth_arm_moves_no_width_that_it_need_not_move() -> None:
    """With the base's own widths, blocks alone meet the budget within 2 %, but not within 0.5 %."""
    template = Template(planes=12, stride=2, resolution=28, channels=1)
    base = Architecture.paper(1, 12, (1, 1, 1))
    assert shape(spend_arms(template, base, 0.02)[2])[2] == (12, 24, 48)
    assert shape(spend_arms(template, base, 0.005)[2])[2] != (12, 24, 48)


def test_a_wider_network_is_no_deeper_arm() -> None:
    """From a width of 1, a second channel costs what doubled groups do, to 1 %: without one block more."""
    template, base = Template(planes=16, stages=1, resolution=8), Architecture(1, (1,), (1,))
    assert cost(template, Architecture(2, (1,), (1,))) == 105_226
    assert cost(template, Architecture(1, (2,), (1,))) == 106_378
    with pytest.raises(EmptyFeasibleSet) as caught:
        spend_arms(template, base, 0.02)
    assert str(caught.value) == DEPTH


# ------------------------------------------------------------------ what cannot be met


def test_every_arm_of_a_spend_that_cannot_be_met_is_named_at_once() -> None:
    with pytest.raises(EmptyFeasibleSet) as caught:
        spend_arms(Template(planes=8, stages=1, resolution=8, channels=1), Architecture(2, (2,), (1,)), 0.02)
    assert str(caught.value) == SPEND
    assert caught.value.hint == "Choose another claim.base, or a claim.tolerance up to 2%."
    assert caught.value.exit_code == 3


def test_a_multiple_that_cannot_be_met_is_named_with_the_others() -> None:
    template, base = Template(planes=8, stages=1, resolution=8, channels=1), Architecture(2, (2,), (1,))
    with pytest.raises(EmptyFeasibleSet) as caught:
        spend_arms(template, base, 0.02, [4])
    first, *others = str(caught.value).splitlines()
    assert first.startswith("claim: arm cardinality-x4: the nearest is 8x1d-5 with blocks 1 and widths 1, ")
    assert first.endswith("allowed: 0 to -2 %")
    assert "\n".join(others) == SPEND
    assert caught.value.hint == (
        "Leave that multiple out of claim.cardinality, or choose another claim.base, or a claim.tolerance up to 2%."
    )


def test_every_arm_of_a_trade_that_cannot_be_met_is_named_at_once() -> None:
    template = Template(planes=4, stages=1, resolution=8, channels=1)
    with pytest.raises(EmptyFeasibleSet) as caught:
        trade_arms(template, Architecture(2, (2,), (1,)), [1, 2, 4, 64], 0.005)
    assert str(caught.value) == TRADE
    assert caught.value.hint == (
        "Leave that C out of claim.cardinality, or choose another claim.base or a claim.tolerance up to 2%. "
        "With C on both sides of the base's, each side has half of it."
    )
    assert caught.value.exit_code == 3


DEPTH = """\
claim: arm depth: the nearest is 1x1d-8 with blocks 2 and widths 1, 108,298 multiply-adds, +2.92 % from 105,226; \
allowed: 0 to +2 %"""

SPEND = """\
claim: arm width: the nearest is 2x4d-5 with blocks 1 and widths 4, 60,234 multiply-adds, +18.06 % from 51,018; \
allowed: 0 to +2 %
claim: arm depth: the nearest is 2x1d-14 with blocks 4 and widths 1, 55,626 multiply-adds, +9.03 % from 51,018; \
allowed: 0 to +2 %"""

TRADE = """\
claim: arm 1x4d: the nearest is 1x4d-5 with blocks 1 and widths 4, 20,906 multiply-adds, +28.27 % from 16,298; \
allowed: 0 to +0.25 %
claim: arm 4x1d: the nearest is 4x1d-5 with blocks 1 and widths 1, 13,994 multiply-adds, -14.14 % from 16,298; \
allowed: 0 to -0.25 %
claim: arm 64x1d: the nearest is 64x1d-5 with blocks 1 and widths 1, 125,354 multiply-adds, +669.14 % from 16,298; \
allowed: 0 to -0.25 %"""
