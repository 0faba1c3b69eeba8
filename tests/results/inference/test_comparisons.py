"""Comparisons from arrays: which statistics they use, and that they hold their level where the truth is known."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import scipy.stats
from resnext_search.results.inference.comparisons import Comparison, Comparisons, compare
from resnext_search.results.inference.question import Question, ask
from resnext_search.results.inference.sample import Sample
from resnext_search.results.statistics.estimates import holm, paired

from benchmarks.verdict.calibration import Case, happened, judged, tuned
from benchmarks.verdict.tunings import tuned_inside

ERRORS = (np.array([8.0, 8.2, 8.1, 7.9, 8.0]), np.array([8.5, 8.4, 8.8, 8.6, 8.3]), np.array([8.1, 8.3, 8.0, 8.1, 8.2]))
MARGIN = 0.3
SPEND = ask(["cardinality", "depth", "width"])
TRADE = ask(["1x8d", "2x5d", "4x3d"])


def sample(question: Question) -> Sample:
    return Sample(question.arms, ERRORS[: len(question.arms)], True)


def compared(question: Question, of: Sample | None = None, rules: int = 2) -> Comparisons:
    return compare(of or sample(question), question, MARGIN, np.random.default_rng(0), rules=rules)


def test_a_spend_compares_the_claimant_with_every_rival() -> None:
    found = compared(SPEND)
    assert found.trend is None
    assert [(one.claimant, one.rival) for one in found.plain] == [("cardinality", "depth"), ("cardinality", "width")]
    for one, errors in zip(found.plain, ERRORS[1:], strict=True):
        expected = paired(errors - ERRORS[0])
        assert one.difference == pytest.approx(expected.value)
        assert one.interval == pytest.approx(expected.interval(0.95))
        assert one.lower_bound == one.interval_90[0] == pytest.approx(expected.interval(0.9)[0])
        assert one.p == pytest.approx(expected.p_above())
    assert [one.p_holm for one in found.plain] == holm([one.p for one in found.plain])
    assert [one.p_worse_holm for one in found.plain] == holm([one.p_worse for one in found.plain])


def test_p_values_at_the_margin_are_scipys() -> None:
    one = compared(SPEND).plain[0]
    contrasts = ERRORS[1] - ERRORS[0]  # 0.5, 0.2, 0.7, 0.7, 0.3

    def tested(limit: float, side: str) -> float:
        return float(scipy.stats.ttest_1samp(contrasts, limit, alternative=side).pvalue)

    assert one.p_gain == pytest.approx(tested(MARGIN, "greater"))
    assert one.p_loss == pytest.approx(tested(-MARGIN, "less"))
    assert one.p_negligible == pytest.approx(max(tested(-MARGIN, "greater"), tested(MARGIN, "less")))
    assert (one.p_gain_holm, one.p_loss_holm) == (
        holm([both.p_gain for both in compared(SPEND).plain])[0],
        holm([both.p_loss for both in compared(SPEND).plain])[0],
    )
    assert one.finding().gain == one.p_gain
    assert one.median == pytest.approx(0.5)  # beside a mean of 0.48


def test_within_seeds_a_win_is_one_of_five() -> None:
    """The second rival errs 0.1, 0.1, -0.1, 0.2 and 0.2 more: four of five. Of all 25 pairs it is 17 and 3 ties."""
    assert [one.probability for one in compared(SPEND).plain] == [1.0, 0.8]
    assert [one.probability for one in compared(SPEND, rules=1).plain] == [1.0, 0.74]
    assert math.isnan(compared(SPEND).plain[0].probability_interval[0])
    assert compared(SPEND, rules=1).plain[0].probability_interval[1] == 1.0


def test_a_tie_within_a_seed_is_half_a_win() -> None:
    tied = Sample(("a", "b"), (np.array([8.0, 8.0]), np.array([8.0, 8.5])), True)
    [one] = compared(ask(["a", "b"], "a"), tied).plain
    assert one.probability == 0.75


def test_a_trade_compares_with_the_smallest_cardinality_and_has_a_trend() -> None:
    found = compared(TRADE)
    assert [(one.claimant, one.rival) for one in found.plain] == [("2x5d", "1x8d"), ("4x3d", "1x8d")]
    trend = found.trend
    assert trend is not None
    assert (trend.claimant, trend.rival) == ("4x3d", "1x8d")
    # C of 1, 2 and 4 is evenly spaced on the log scale: the middle arm does not count
    assert trend.difference == pytest.approx(float((ERRORS[0] - ERRORS[2]).mean()))
    assert [*(one.p_holm for one in found.plain), trend.p_holm] == holm([*(one.p for one in found.plain), trend.p])
    alone = compared(TRADE, rules=1).trend
    assert alone is not None
    assert alone.p_holm == alone.p == trend.p


def test_the_trend_of_two_arms_is_their_difference_and_no_further_test() -> None:
    question = ask(["1x8d", "2x5d"])
    found = compared(question)
    assert found.trend is not None
    assert found.trend.p_holm == found.plain[0].p_holm == found.plain[0].p


def test_multiples_and_what_the_budget_buys_are_corrected_by_themselves() -> None:
    question = ask(["cardinality", "cardinality-x4", "width", "base"])
    errors = dict(zip(("cardinality", "width", "cardinality-x4"), ERRORS, strict=True)) | {"base": ERRORS[0] + 3}
    found = compared(question, Sample(question.arms, tuple(errors[arm] for arm in question.arms), True))
    assert [(one.claimant, one.rival) for one in found.plain] == [("cardinality", "width")]
    assert found.plain[0].p_holm == found.plain[0].p
    assert [(one.claimant, one.rival) for one in found.further] == [("cardinality-x4", "width")]
    bought = {one.claimant: one.difference for one in found.bought}
    assert bought == {
        "cardinality": pytest.approx(3.0),
        "cardinality-x4": pytest.approx(2.9),  # errs 0.1 more than cardinality
        "width": pytest.approx(2.52),
    }


def test_the_same_generator_gives_the_same_intervals_and_none_leaves_the_rest_as_it_is() -> None:
    first, second = compared(SPEND).plain[0], compared(SPEND).plain[0]
    assert (first.bootstrap_interval, first.p_gain) == (second.bootstrap_interval, second.p_gain)
    without = compare(sample(SPEND), SPEND, MARGIN).plain[0]
    assert np.isnan(without.bootstrap_interval).all()
    assert (without.difference, without.interval, without.probability) == (
        first.difference,
        first.interval,
        first.probability,
    )
    low, high = first.bootstrap_interval
    assert low < first.difference < high


def unknown(one: Comparison) -> bool:
    return bool(np.isnan([*one.interval, *one.bootstrap_interval, *one.probability_interval, one.p, one.p_gain]).all())


def test_a_single_run_has_a_difference_and_no_interval() -> None:
    few = Sample(("1x8d", "2x5d"), (np.array([8.0, 8.1]), np.array([7.5])), False)
    found = compared(ask(["1x8d", "2x5d"]), few)
    [one] = found.plain
    assert one.difference == one.median == pytest.approx(0.55)
    assert one.probability == 1
    assert unknown(one)
    assert found.trend is not None
    assert np.isnan(found.trend.p_holm)


def test_an_arm_without_runs_has_nothing() -> None:
    empty = Sample(("1x8d", "2x5d"), (np.array([8.0]), np.empty(0)), False)
    [one] = compared(ask(["1x8d", "2x5d"]), empty).plain
    assert np.isnan([one.difference, one.probability, one.median, one.p]).all()


def test_tuning_widens_an_interval_and_is_told_apart() -> None:
    """Each arm's tuning adds a variance of 0.02: the contrast's is 0.04 more, with Satterthwaite's degrees."""
    tuned_sample = Sample(("a", "b"), ERRORS[:2], True, tuning={"a": (0.02, 4.0), "b": (0.02, 4.0)})
    [one] = compared(ask(["a", "b"], "a"), tuned_sample).plain
    runs = float((ERRORS[1] - ERRORS[0]).var(ddof=1)) / 5
    assert one.tuning_error == pytest.approx(0.2)
    assert one.standard_error == pytest.approx(math.sqrt(runs + 0.04))
    degrees = (runs + 0.04) ** 2 / (runs**2 / 4 + 2 * 0.02**2 / 4)
    assert one.p == pytest.approx(float(scipy.stats.t.sf(one.difference / one.standard_error, degrees)))
    half_known = Sample(("a", "b"), ERRORS[:2], True, tuning={"a": (0.02, 4.0)})
    assert math.isnan(compared(ask(["a", "b"], "a"), half_known).plain[0].tuning_error)


def counted(case: Case, studies: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    tunings = [tuned(case, number) for number in range(studies)]
    for number, tuning, errors in tuned_inside(tunings, case.curves()):
        [decision] = judged([case], number, tuning, errors)
        counts.update(happened(case, decision))
    return counts


def test_without_a_difference_the_words_seldom_err_and_the_intervals_cover() -> None:
    """In small what `benchmarks/verdict/calibration.py` shows with 10,000 studies; seeded."""
    counts = counted(Case("smooth", "0.25", 10), 60)
    assert counts["wrong"] <= 8
    assert counts["covers depth"] >= 53
    assert counts["covers width"] >= 53


def test_a_large_gain_is_found() -> None:
    counts = counted(Case("smooth", "0.25", 20, (1.2, 1.2)), 20)
    assert counts["supported"] >= 14
    assert counts["contradicted"] == 0
