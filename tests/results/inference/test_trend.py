"""What a trend hides: a line that does not fit, the best C, and a largest C that loses to one in between."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from resnext_search.results.inference.comparisons import compare
from resnext_search.results.inference.question import ask
from resnext_search.results.inference.sample import Sample
from resnext_search.results.inference.trend import Bend, bend_of, trend_finding

from tests.support.tables import errors_with

TRADE = ask(["1x8d", "2x5d", "4x3d"])


def sample(*means: float, deviation: float = 0.1, runs: int = 10) -> Sample:
    arms = ("1x8d", "2x5d", "4x3d", "8x2d")[: len(means)]
    drawn = tuple(np.array(errors_with(mean, deviation, runs, place)) for place, mean in enumerate(means))
    return Sample(arms, drawn, True)


def bend(of: Sample, spent: float = 1.0) -> Bend:
    found = bend_of(of, ask(of.arms), spent)
    assert found is not None
    return found


def test_of_three_arms_the_lack_of_fit_is_students_test_of_the_middle() -> None:
    """C of 1, 2 and 4 is evenly spaced: what a line leaves is the middle less the mean of both ends."""
    of = sample(9.0, 8.2, 8.0)
    bent = of.errors[1] - (of.errors[0] + of.errors[2]) / 2
    expected = scipy.stats.ttest_1samp(bent, 0)
    found = bend(of)
    assert found.degrees == (1, 9)
    assert found.statistic == pytest.approx(float(expected.statistic) ** 2)
    assert found.p == pytest.approx(float(expected.pvalue))
    assert bend(sample(9.0, 8.5, 8.0)).p > 0.05  # on a line


def test_of_four_arms_it_is_hotellings_test() -> None:
    of = sample(9.0, 8.1, 8.4, 8.0)
    found = bend(of)
    assert found.degrees == (2, 8)
    contrasts = np.array([[1, -2, 1, 0], [0, 1, -2, 1]]) @ np.array(of.errors)  # any basis of what lines leave
    mean, covariance = contrasts.mean(axis=1), np.cov(contrasts) / 10
    squared = float(mean @ np.linalg.inv(covariance) @ mean)
    assert found.statistic == pytest.approx(squared * 8 / (2 * 9))
    assert found.p == pytest.approx(float(scipy.stats.f.sf(found.statistic, 2, 8)))


def test_tuning_that_is_uncertain_lets_a_line_fit() -> None:
    of = sample(9.0, 8.3, 8.0)
    uncertain = replace(of, tuning=dict.fromkeys(of.arms, (0.04, 4.0)))
    assert bend(of).p < 0.05 < bend(uncertain).p


@pytest.mark.parametrize(
    "of",
    [
        Sample(TRADE.arms, (np.array([9.0]), np.array([8.2]), np.array([8.0])), True),
        replace(sample(9.0, 8.2, 8.0), blocked=False),
        sample(9.0, 8.2, 8.0, 8.0, runs=2),
        Sample(("1x8d", "2x5d", "4x3d"), (np.full(5, 9.0), np.full(5, 8.0), np.full(5, 8.0)), True),
    ],
    ids=["one seed", "other seeds", "fewer seeds than contrasts", "no spread"],
)
def test_where_no_fit_can_be_told_it_is_nan(of: Sample) -> None:
    found = bend(of)
    assert found.degrees == (0, 0)
    assert math.isnan(found.statistic)
    assert math.isnan(found.p)


def test_the_best_c_and_how_much_less_it_errs() -> None:
    of = sample(9.0, 8.0, 8.3)
    found = bend(of)
    assert (found.best, found.best_interval) == ("2x5d", found.intervals[0])
    contrasts = of.errors[0] - of.errors[1]
    half = scipy.stats.t.ppf(1 - 0.05 / 4, 9) * contrasts.std(ddof=1) / math.sqrt(10)  # two intervals: 97.5 % each
    assert found.intervals[0] == pytest.approx((1.0 - half, 1.0 + half))
    smallest = bend(sample(8.0, 8.5, 8.3))
    assert (smallest.best, smallest.best_interval) == ("1x8d", (0.0, 0.0))


def test_the_largest_c_may_lose_to_one_in_between() -> None:
    assert bend(sample(9.0, 8.0, 8.3)).last_loses_to == ("2x5d",)
    assert bend(sample(9.0, 8.0, 8.0)).last_loses_to == ()
    assert bend(sample(9.0, 8.5, 8.0)).last_loses_to == ()
    assert bend(sample(8.0, 8.5, 8.3)).last_loses_to == ()  # that it loses to the smallest is the trend's to say


def test_nothing_is_hidden_where_there_is_no_trend_or_no_run() -> None:
    assert bend_of(sample(9.0, 8.0), ask(["1x8d", "2x5d"])) is None
    spend = ask(["cardinality", "width", "depth"])
    assert bend_of(Sample(spend.arms, sample(9.0, 8.0, 8.0).errors, True), spend) is None
    empty = replace(sample(9.0, 8.0, 8.0), errors=(np.empty(0), *sample(9.0, 8.0, 8.0).errors[1:]))
    assert bend_of(empty, TRADE) is None


@pytest.mark.parametrize(
    ("means", "deviation", "last_loses", "some_better"),
    [
        ((9.0, 8.5, 8.0), 0.1, False, True),
        ((9.0, 8.0, 8.5), 0.1, True, True),
        ((8.0, 8.2, 9.0), 0.1, True, False),
        ((8.0, 7.8, 9.0), 0.1, True, True),  # surely better, if not by the margin
        ((8.0, 7.6, 9.0), 1.0, True, True),  # by the margin as far as one can see, if not surely
        ((8.0, 7.8, 9.0), 1.0, True, False),
    ],
)
def test_what_the_rules_look_at(
    means: tuple[float, ...], deviation: float, last_loses: bool, some_better: bool
) -> None:
    of = sample(*means, deviation=deviation)
    comparisons = compare(of, TRADE, 0.3)
    found = trend_finding(comparisons.trend, comparisons.plain, bend(of), 0.3)
    assert found is not None
    assert (found.last_loses, found.some_better) == (last_loses, some_better)


def test_of_two_arms_the_trend_is_the_comparison_and_no_more() -> None:
    question = ask(["1x8d", "2x5d"])
    comparisons = compare(sample(9.0, 8.0), question, 0.3)
    assert trend_finding(comparisons.trend, comparisons.plain, None, 0.3) is None
