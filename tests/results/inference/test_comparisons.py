"""Comparisons from arrays: which statistics they use, and that they hold their level where the truth is known."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from resnext_search.results.inference.comparisons import compare
from resnext_search.results.inference.rules import Question, ask
from resnext_search.results.inference.sample import Sample
from resnext_search.results.statistics.estimates import holm, paired

from benchmarks.verdict.calibration import Case, study

ERRORS = (np.array([8.0, 8.2, 8.1, 7.9, 8.0]), np.array([8.5, 8.4, 8.8, 8.6, 8.3]), np.array([8.1, 8.3, 8.0, 8.1, 8.2]))
SPEND = ask(["cardinality", "depth", "width"])
TRADE = ask(["1x8d", "2x5d", "4x3d"])


def sample(question: Question) -> Sample:
    return Sample(question.arms, ERRORS, True)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_a_spend_compares_the_claimant_with_every_rival() -> None:
    comparisons, trend = compare(sample(SPEND), SPEND, generator())
    assert trend is None
    assert [(one.claimant, one.rival) for one in comparisons] == [("cardinality", "depth"), ("cardinality", "width")]
    for one, errors in zip(comparisons, ERRORS[1:], strict=True):
        expected = paired(errors - ERRORS[0])
        assert one.difference == pytest.approx(expected.value)
        assert one.interval == pytest.approx(expected.interval(0.95))
        assert one.lower_bound == one.interval_90[0] == pytest.approx(expected.interval(0.9)[0])
        assert one.p == pytest.approx(expected.p_better())
    assert [one.p_holm for one in comparisons] == holm([one.p for one in comparisons])
    assert [one.p_worse_holm for one in comparisons] == holm([one.p_worse for one in comparisons])
    assert [one.probability for one in comparisons] == [1.0, 0.74]  # by hand: 17 wins and 3 ties of 25 pairs


def test_a_trade_compares_with_the_smallest_cardinality_and_has_a_trend() -> None:
    comparisons, trend = compare(sample(TRADE), TRADE, generator())
    assert [(one.claimant, one.rival) for one in comparisons] == [("2x5d", "1x8d"), ("4x3d", "1x8d")]
    assert trend is not None
    assert (trend.claimant, trend.rival) == ("4x3d", "1x8d")
    # C of 1, 2 and 4 is evenly spaced on the log scale: the middle arm does not count
    assert trend.difference == pytest.approx(float((ERRORS[0] - ERRORS[2]).mean()))
    assert trend.p_holm == trend.p


def test_the_same_generator_gives_the_same_intervals_and_none_leaves_the_rest_as_it_is() -> None:
    [first, *_], _ = compare(sample(SPEND), SPEND, generator())
    [second, *_], _ = compare(sample(SPEND), SPEND, generator())
    assert first == second
    [without, *_], _ = compare(sample(SPEND), SPEND, generator(), replicates=0)
    assert np.isnan(without.bootstrap_interval).all()
    assert np.isnan(without.probability_interval).all()
    assert (without.difference, without.interval, without.probability) == (
        first.difference,
        first.interval,
        first.probability,
    )
    low, high = first.bootstrap_interval
    assert low < first.difference < high


def test_a_single_run_has_a_difference_and_no_interval() -> None:
    few = Sample(("1x8d", "2x5d"), (np.array([8.0, 8.1]), np.array([7.5])), False)
    [one], trend = compare(few, ask(["1x8d", "2x5d"]), generator())
    assert one.difference == pytest.approx(0.55)
    assert one.probability == 1
    assert np.isnan([*one.interval, *one.bootstrap_interval, *one.probability_interval, one.p]).all()
    assert trend is not None
    assert np.isnan(trend.p_holm)


def test_an_arm_without_runs_has_nothing() -> None:
    [one], _ = compare(
        Sample(("1x8d", "2x5d"), (np.array([8.0]), np.empty(0)), False), ask(["1x8d", "2x5d"]), generator()
    )
    assert np.isnan([one.difference, one.probability, one.p]).all()


def counted(case: Case, studies: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for number in range(studies):
        counts.update(study(case, number))
    return counts


def test_without_a_difference_the_words_seldom_err_and_the_intervals_cover() -> None:
    """In small what `benchmarks/verdict/calibration.py` shows with 2,000 studies; seeded."""
    counts = counted(Case(0.3, 0.06, 0.0, seeds=10), 60)
    assert counts["supported"] <= 3
    assert counts["contradicted"] <= 6
    assert counts["two-way t"] >= 0.88 * counts["comparisons"]
    assert counts["two-way t"] > counts["t over seeds"]  # which take the test images for all that there are


def test_a_large_gain_is_found() -> None:
    counts = counted(Case(0.3, 0.06, 0.6, seeds=10), 20)
    assert counts["supported"] >= 16
    assert counts["contradicted"] == 0
