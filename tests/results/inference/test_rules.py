"""What is asked, and which word answers it: every word from findings made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.results.inference.rules import Finding, Question, Word, ask, choose_word, is_gain
from resnext_search.spaces.errors import UsageError

MARGIN = 0.3


def finding(value: float, half: float = 0.1, probability: float | None = None) -> Finding:
    """A difference with a 90 % interval of this half width; sure if that leaves out 0."""
    p = 0.001 if value - half > 0 else 0.999 if value + half < 0 else 0.5
    won = probability if probability is not None else 1.0 if value > 0 else 0.0
    return Finding(value, value - half, (value - half, value + half), p, 1 - p, won)


GAIN, LOSS, NOTHING, UNSURE = finding(0.6), finding(-0.6), finding(0.0), finding(0.2, 0.5, 0.6)


@pytest.mark.parametrize(
    ("comparisons", "word"),
    [
        ([GAIN, GAIN], "supported"),
        ([finding(0.3), GAIN], "supported"),  # as large as the margin is large enough
        ([finding(0.29), GAIN], "partly supported"),  # sure, but too small
        ([finding(0.6, probability=0.74), GAIN], "partly supported"),
        ([GAIN, UNSURE], "partly supported"),
        ([GAIN, NOTHING], "partly supported"),
        ([NOTHING, finding(0.15)], "no practical difference"),
        ([NOTHING, finding(0.15, 0.15)], "inconclusive"),  # reaches the margin
        ([GAIN, LOSS], "contradicted"),  # before "partly": the claim is about every rival
        ([UNSURE, LOSS], "contradicted"),
        ([finding(-0.29, 0.05), UNSURE], "inconclusive"),
        ([finding(-0.6, probability=0.26), UNSURE], "inconclusive"),
        ([UNSURE, UNSURE], "inconclusive"),
    ],
)
def test_the_word_of_a_spend(comparisons: list[Finding], word: Word) -> None:
    assert choose_word(comparisons, None, MARGIN) == word


@pytest.mark.parametrize(
    ("comparisons", "trend", "word"),
    [
        ([UNSURE, UNSURE], GAIN, "supported"),
        ([GAIN, UNSURE], UNSURE, "partly supported"),
        ([NOTHING, NOTHING], NOTHING, "no practical difference"),
        ([UNSURE, NOTHING], NOTHING, "inconclusive"),  # the arm in the middle may differ
        ([LOSS, UNSURE], UNSURE, "inconclusive"),  # only the trend contradicts
        ([UNSURE, UNSURE], LOSS, "contradicted"),
    ],
)
def test_the_word_of_a_trade(comparisons: list[Finding], trend: Finding, word: Word) -> None:
    assert choose_word(comparisons, trend, MARGIN) == word


def test_what_is_not_known_is_inconclusive() -> None:
    unknown = Finding(0.6, math.nan, (math.nan, math.nan), math.nan, math.nan, math.nan)
    assert choose_word([unknown], None, MARGIN) == "inconclusive"


def test_a_binary_fraction_below_the_margin_is_the_margin() -> None:
    assert 8.3 - 8.0 < 0.3 + 1e-12
    assert is_gain(0.1, 0.3 - 5e-16, 0.75, 0.3)
    assert not is_gain(0.1, 0.2999, 0.75, 0.3)


def test_the_rules_work_on_arrays() -> None:
    lower, value, probability = np.array([0.1, -0.1]), np.array([0.4, 0.4]), np.array([0.8, 0.8])
    assert is_gain(lower, value, probability, 0.3).tolist() == [True, False]


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
