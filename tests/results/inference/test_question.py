"""What is asked of arms with such names."""

from __future__ import annotations

import pytest
from resnext_search.results.inference.question import Question, ask, have_rivals
from resnext_search.spaces.errors import UsageError


def test_an_arm_named_cardinality_makes_a_spend() -> None:
    question = ask(["width", "cardinality", "8x14d"])
    assert question == Question("spend", "cardinality", ("cardinality", "8x14d", "width"))
    assert question.pairs() == [("cardinality", "8x14d"), ("cardinality", "width")]
    assert question.weights("cardinality", "width").tolist() == [-1, 0, 1]
    assert question.gains().tolist() == [0, 1, 1]
    assert question.trend() is None


def test_arms_named_like_networks_make_a_trade_by_ascending_cardinality() -> None:
    question = ask(["32x4d-50", "2x40d-50", "1x64d-50"])
    assert question == Question("trade", "32x4d-50", ("1x64d-50", "2x40d-50", "32x4d-50"), (1, 2, 32))
    assert question.gains().tolist() == [1, 0.8, 0]
    trend = question.trend()
    assert trend is not None
    assert float(trend @ question.gains()) == pytest.approx(1)


def test_a_claimant_makes_a_pair_of_any_arms() -> None:
    assert ask(["ours", "theirs"], "theirs") == Question("pair", "theirs", ("theirs", "ours"))
    assert ask(["1x64d", "32x4d"], "1x64d") == Question("pair", "1x64d", ("1x64d", "32x4d"))
    assert ask(["cardinality", "width"], "width").kind == "pair"
    assert ask(["cardinality", "width"], "cardinality").kind == "spend"


@pytest.mark.parametrize(
    ("arms", "claimant", "message", "hint"),
    [
        (["width"], None, "arm: only width; a comparison needs two arms", "Give the runs of its rivals too."),
        (
            ["a", "b"],
            None,
            "arm: neither an arm 'cardinality', nor one cardinality an arm as in 1x64d and 32x4d: a, b",
            "Say which arm the claim is about, e.g. --claimant a.",
        ),
        (
            ["8x14d-29", "8x14d-50"],
            None,
            "arm: neither an arm 'cardinality', nor one cardinality an arm as in 1x64d and 32x4d: 8x14d-29, 8x14d-50",
            "Say which arm the claim is about, e.g. --claimant 8x14d-29.",
        ),
        (["a", "b"], "c", "claimant 'c' is no arm of these runs; allowed: a, b", "Change --claimant."),
    ],
)
def test_what_cannot_be_asked(arms: list[str], claimant: str | None, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as error:
        ask(arms, claimant)
    assert str(error.value) == message
    assert error.value.hint == hint


def test_the_base_and_the_multiples_are_no_rivals() -> None:
    question = ask(["width", "cardinality-x8", "base", "cardinality", "cardinality-x4", "depth"])
    assert question.rivals() == ["depth", "width"]
    assert question.base == "base"
    assert question.multiples == ("cardinality-x4", "cardinality-x8")
    assert question.pairs() == [("cardinality", "depth"), ("cardinality", "width")]
    assert question.further_pairs() == [
        (multiple, rival) for multiple in ("cardinality-x4", "cardinality-x8") for rival in ("depth", "width")
    ]
    assert question.matched() == ["cardinality", "cardinality-x4", "cardinality-x8", "depth", "width"]


def test_under_the_first_rules_every_other_arm_is_a_rival() -> None:
    assert ask(["cardinality", "base", "cardinality-x4"], rules=1).rivals() == ["base", "cardinality-x4"]


def test_an_arm_named_base_is_any_arm_where_there_is_no_spend() -> None:
    question = ask(["base", "ours"], "ours")
    assert (question.kind, question.base, question.rivals()) == ("pair", None, ["base"])


@pytest.mark.parametrize("others", [["base"], ["cardinality-x4"], ["base", "cardinality-x4", "cardinality-x8"]])
def test_a_spend_without_a_rival_is_none(others: list[str]) -> None:
    with pytest.raises(UsageError, match="cardinality needs a rival that costs the same"):
        ask(["cardinality", *others])
    assert not have_rivals(["cardinality", *others])
    assert have_rivals(["cardinality", "width", *others])


def test_arms_at_several_budgets_make_one_spend_with_the_rivals_of_all() -> None:
    names = ["base", "width@4", "width@2", "cardinality@2", "cardinality@4", "depth@4", "depth@2", "cardinality-x8@4"]
    question = ask(names)
    assert (question.kind, question.claimant, question.base, question.budgets) == (
        "spend",
        "cardinality",
        "base",
        (2, 4),
    )
    two, four = ["cardinality@2", "depth@2", "width@2"], ["cardinality@4", "cardinality-x8@4", "depth@4", "width@4"]
    assert question.arms == (*two, *four, "base")
    assert question.pairs() == [
        ("cardinality@2", "depth@2"),
        ("cardinality@2", "width@2"),
        ("cardinality@4", "depth@4"),
        ("cardinality@4", "width@4"),
    ]
    assert question.further_pairs() == [("cardinality-x8@4", "depth@4"), ("cardinality-x8@4", "width@4")]
    assert (question.ways(), question.claimants()) == (["depth", "width"], ["cardinality@2", "cardinality@4"])
    assert question.gains().tolist() == [0, 1, 1, 0, 1, 1, 1, 1]
    assert [part.arms for part in question.parts()] == [(*two, "base"), (*four, "base")]


@pytest.mark.parametrize(
    "names",
    [
        ["cardinality@2", "width@2"],  # one budget
        ["cardinality@2", "width@2", "cardinality@4", "depth@4"],  # other ways at every budget
        ["cardinality@2", "width@2", "cardinality@4", "width@4", "other"],
        ["cardinality@2", "cardinality@4"],  # nothing to beat
    ],
)
def test_other_names_with_an_at_sign_are_just_names(names: list[str]) -> None:
    assert ask(names, names[0]).kind == "pair"
    with pytest.raises(UsageError, match="neither an arm 'cardinality', nor one cardinality an arm"):
        ask(names)


def test_networks_of_two_spaces_are_a_question_of_the_spaces() -> None:
    names = ["one group/000", "one group/t1", "more groups/000", "more groups/001"]
    question = ask(names, "more groups")
    assert (question.kind, question.arms) == ("spaces", ("more groups", "one group"))
    assert question.pairs() == [("more groups", "one group")]
    assert question.gains().tolist() == [0.0, 1.0]
    with pytest.raises(UsageError, match="networks of a, b, c; allowed: of two spaces"):
        ask(["a/1", "a/2", "b/1", "c/1"], "a")
    with pytest.raises(UsageError, match="rules 1 know no spaces"):
        ask(names, "more groups", rules=1)
    assert ask(["a/1", "a/2", "b/1"], "a/1").kind == "pair", "a network may be the claimant of a plain comparison"


def test_characters_that_nobody_sees_are_spelt_out() -> None:
    with pytest.raises(UsageError, match=r"neither an arm 'cardinality', .*: cardinality\\u200b, width\\u200b"):
        ask(["cardinality\u200b", "width\u200b"])
