"""Which word answers under the first rules: every word from findings made by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.results.inference.first_rules import Finding, choose_word, is_gain
from resnext_search.results.inference.question import Word

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
