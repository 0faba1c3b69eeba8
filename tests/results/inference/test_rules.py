"""Which word answers under the second rules: every word from p-values made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from resnext_search.results.inference.question import Word
from resnext_search.results.inference.rules import (
    Direction,
    Finding,
    TrendFinding,
    all_corrected_below,
    choose_word,
    direction_of,
    is_gain,
)
from resnext_search.results.statistics.estimates import holm

SURE, NO = 0.001, 0.999
# A gain of two margins, the same as a loss, nothing at all, and what nobody can tell.
GAIN = Finding(better=SURE, worse=NO, gain=SURE, gain_corrected=SURE, loss=NO, loss_corrected=NO, negligible=NO)
LOSS = Finding(better=NO, worse=SURE, gain=NO, gain_corrected=NO, loss=SURE, loss_corrected=SURE, negligible=NO)
NOTHING = Finding(0.5, 0.5, NO, NO, NO, NO, negligible=SURE)
UNSURE = Finding(0.4, 0.6, 0.7, 0.8, 0.9, 0.95, negligible=0.6)
# surely better, by how much is open
SMALL = replace(GAIN, gain=0.3, gain_corrected=0.6)


@pytest.mark.parametrize(
    ("comparisons", "word"),
    [
        ([GAIN, GAIN], "supported"),
        ([replace(GAIN, better=0.025, gain=0.05), GAIN], "supported"),  # exactly the levels
        ([replace(GAIN, better=0.026), GAIN], "partly supported"),
        ([replace(GAIN, gain=0.051, gain_corrected=0.051), GAIN], "partly supported"),
        ([replace(GAIN, gain=0.04, gain_corrected=0.08)] * 2, "supported"),  # all must be: each at its level
        ([replace(GAIN, gain=0.04, gain_corrected=0.08), UNSURE], "inconclusive"),  # some may be: corrected
        ([GAIN, UNSURE], "partly supported"),
        ([GAIN, NOTHING], "partly supported"),
        ([SMALL, SMALL], "inconclusive"),
        ([NOTHING, replace(NOTHING, negligible=0.05)], "no practical difference"),
        ([NOTHING, replace(NOTHING, negligible=0.06)], "inconclusive"),
        ([replace(SMALL, negligible=0.01), NOTHING], "no practical difference"),  # surely better, surely too little
        ([GAIN, LOSS], "contradicted"),  # before "partly": the claim is about every rival
        ([UNSURE, LOSS], "contradicted"),
        ([replace(LOSS, loss_corrected=0.06), UNSURE], "inconclusive"),
        ([replace(LOSS, worse=0.03), UNSURE], "inconclusive"),
        ([UNSURE, UNSURE], "inconclusive"),
    ],
)
def test_the_word_of_a_spend(comparisons: list[Finding], word: Word) -> None:
    assert choose_word(comparisons, None) == word


@pytest.mark.parametrize(
    ("sound", "word"),
    [
        ([True, True], "supported"),
        ([True, False], "partly supported"),
        ([False, False], "inconclusive"),  # no word rests on such a rival alone
    ],
)
def test_a_rival_that_is_not_better_than_its_base_is_none(sound: list[bool], word: Word) -> None:
    assert choose_word([GAIN, GAIN], None, sound=sound) == word


def test_an_unsound_rival_can_contradict_all_the_same() -> None:
    assert choose_word([GAIN, LOSS], None, sound=[True, False]) == "contradicted"


def test_without_a_base_a_spend_is_partly_supported_at_most() -> None:
    assert choose_word([GAIN, GAIN], None, base_is_missing=True) == "partly supported"
    assert choose_word([NOTHING, NOTHING], None, base_is_missing=True) == "no practical difference"
    assert choose_word([GAIN, LOSS], None, base_is_missing=True) == "contradicted"


def test_what_is_partly_supported_without_a_base_is_so_at_the_corrected_level() -> None:
    """Each gain at 4 % would do if all were to be shown; one of two takes half the level."""
    assert choose_word([replace(GAIN, gain=0.04, gain_corrected=0.08)] * 2, None, base_is_missing=True) == (
        "inconclusive"
    )


def trade(trend: Finding, *, last_loses: bool = False, some_better: bool = False) -> TrendFinding:
    return TrendFinding(trend, last_loses, some_better)


@pytest.mark.parametrize(
    ("comparisons", "trend", "word"),
    [
        ([UNSURE, GAIN], trade(GAIN, some_better=True), "supported"),
        ([UNSURE, SMALL], trade(GAIN, some_better=True), "supported"),  # the last need only be better
        ([GAIN, UNSURE], trade(GAIN, some_better=True), "partly supported"),  # but that it must be
        ([GAIN, GAIN], trade(GAIN, last_loses=True, some_better=True), "partly supported"),
        ([UNSURE, GAIN], trade(UNSURE, some_better=True), "partly supported"),
        ([UNSURE, SMALL], trade(SMALL, some_better=True), "inconclusive"),
        ([NOTHING, NOTHING], trade(NOTHING), "no practical difference"),
        ([UNSURE, NOTHING], trade(NOTHING), "inconclusive"),  # the arm in the middle may differ
        ([LOSS, LOSS], trade(UNSURE), "inconclusive"),  # only the trend contradicts
        ([UNSURE, UNSURE], trade(LOSS), "contradicted"),
        ([UNSURE, LOSS], trade(LOSS, some_better=True), "inconclusive"),  # some C is better: not all groups are bad
        ([GAIN, LOSS], trade(LOSS, some_better=True), "partly supported"),
        ([LOSS, LOSS], trade(replace(LOSS, loss=0.06)), "inconclusive"),
        ([LOSS, LOSS], trade(replace(LOSS, worse=0.026)), "inconclusive"),
    ],
)
def test_the_word_of_a_trade(comparisons: list[Finding], trend: TrendFinding, word: Word) -> None:
    assert choose_word(comparisons, trend) == word


@pytest.mark.parametrize(
    ("findings", "direction"),
    [
        ([GAIN, GAIN], "better"),
        ([SMALL, SMALL], "better"),  # by whatever amount
        ([GAIN, UNSURE], None),
        ([GAIN, LOSS], "worse"),
        ([UNSURE, replace(LOSS, loss=NO, loss_corrected=NO)], "worse"),
        ([NOTHING], None),
    ],
)
def test_the_direction(findings: list[Finding], direction: Direction) -> None:
    assert direction_of(findings) == direction


def test_a_look_spends_a_share_of_every_level() -> None:
    """Half of 2.5 % and of 5 %."""
    just = replace(GAIN, better=0.0125, gain=0.025, gain_corrected=0.025)
    assert choose_word([just], None, spent=0.5) == "supported"
    assert choose_word([replace(just, better=0.013)], None, spent=0.5) == "inconclusive"
    assert choose_word([replace(just, gain=0.026, gain_corrected=0.026)], None, spent=0.5) == "inconclusive"
    assert choose_word([replace(NOTHING, negligible=0.025)], None, spent=0.5) == "no practical difference"
    assert choose_word([replace(NOTHING, negligible=0.026)], None, spent=0.5) == "inconclusive"
    assert choose_word([replace(LOSS, worse=0.0125, loss_corrected=0.025)], None, spent=0.5) == "contradicted"
    assert choose_word([replace(LOSS, worse=0.013)], None, spent=0.5) == "inconclusive"
    assert (direction_of([just], None, 0.5), direction_of([just], None, 0.49)) == ("better", None)


def test_what_is_not_known_is_inconclusive() -> None:
    unknown = Finding(*[math.nan] * 7)
    assert choose_word([unknown], None) == "inconclusive"
    assert choose_word([unknown, GAIN], trade(unknown)) == "partly supported"
    assert direction_of([unknown]) is None


def test_the_rules_work_on_arrays() -> None:
    better, gain = np.array([0.01, 0.01, math.nan]), np.array([0.04, 0.06, 0.01])
    assert is_gain(better, gain).tolist() == [True, False, False]


def test_all_corrected_below_is_holms_correction() -> None:
    p_values = np.random.default_rng(0).random((3, 500)) ** 4
    for level in (0.025, 0.2):
        expected = [max(holm(one)) <= level for one in p_values.T.tolist()]
        assert all_corrected_below(p_values, level).tolist() == expected
        assert 0 < sum(expected) < 500
