"""The numbers of seeds under the second rules: against closed forms where there are any."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import pytest
import scipy.stats
from resnext_search.results.inference.power import Need, Spread, advise, power
from resnext_search.results.inference.question import ask
from scipy.special import ndtr

PAIR = ask(["cardinality", "width"])
SPEND = ask(["cardinality", "depth", "width"])
TRADE = ask(["1x64d", "4x24d", "32x4d"])
NONE = Spread((0.0, 0.0), (0.0,))
ALWAYS, NEVER = 1.0, 0.0


@pytest.mark.parametrize(
    ("gain", "supported", "no_difference"),
    [
        (0.6, ALWAYS, NEVER),
        (0.31, ALWAYS, NEVER),
        (0.3, NEVER, NEVER),  # the margin itself is surely neither reached nor missed
        (0.29, NEVER, ALWAYS),
        (0.0, NEVER, ALWAYS),
        (-0.29, NEVER, ALWAYS),
        (-0.3, NEVER, NEVER),
    ],
)
def test_without_any_spread_all_is_sure(gain: float, supported: float, no_difference: float) -> None:
    found = power(PAIR, NONE, seeds=10, gain=gain)
    assert (found.supported, found.no_difference) == (supported, no_difference)


def test_fewer_seeds_than_a_verdict_takes_find_nothing() -> None:
    found = power(PAIR, NONE, seeds=9)
    assert (found.supported, found.no_difference) == (NEVER, NEVER)


@pytest.mark.parametrize("example_error", [0.05, 0.1, 0.15, 2.0])
def test_test_images_alone_have_a_closed_form(example_error: float) -> None:
    spread = Spread((0.0, 0.0), (example_error,))
    found = power(PAIR, spread, seeds=10, studies=20_000)
    least = max(0.3 + 1.6449 * example_error, 1.96 * example_error)
    assert found.supported == pytest.approx(ndtr((0.6 - least) / example_error), abs=0.01)
    nothing = power(PAIR, spread, seeds=10, gain=0.0, studies=20_000).no_difference
    assert nothing == pytest.approx(max(0.0, 2 * ndtr((0.3 - 1.6449 * example_error) / example_error) - 1), abs=0.01)


@pytest.mark.parametrize("seeds", [10, 20])
def test_runs_alone_have_a_noncentral_t(seeds: int) -> None:
    """The difference less the margin: 0.3, over 0.3 x sqrt(2/seeds)."""
    found = power(PAIR, Spread((0.3, 0.3), (0.0,)), seeds=seeds, studies=20_000)
    over_the_margin = 0.3 / (0.3 * math.sqrt(2 / seeds))
    limit = scipy.stats.t.ppf(0.95, seeds - 1)
    assert found.supported == pytest.approx(float(scipy.stats.nct.sf(limit, seeds - 1, over_the_margin)), abs=0.012)


def test_tuning_counts_as_the_test_images_do_and_no_seed_shrinks_it() -> None:
    """0.005 an arm is a standard error of 0.1, with so many degrees that it is known."""
    tuned = Spread((0.0, 0.0), (0.0,), (0.005, 0.005), (1e9, 1e9))
    for seeds in (10, 1000):
        found = power(PAIR, tuned, seeds=seeds, studies=20_000)
        assert found.supported == pytest.approx(ndtr((0.3 - 0.16449) / 0.1), abs=0.01)


def test_tuning_of_few_degrees_finds_less() -> None:
    sure, unsure = (Spread((0.1, 0.1), (0.0,), (0.005, 0.005), (degrees,) * 2) for degrees in (1e9, 2.0))
    assert power(PAIR, unsure, seeds=20).supported < power(PAIR, sure, seeds=20).supported - 0.05


def test_a_look_that_may_spend_less_finds_less() -> None:
    spread = Spread((0.3, 0.3), (0.05,))
    assert power(PAIR, spread, seeds=20, spent=0.3).supported < power(PAIR, spread, seeds=20).supported - 0.1


def test_two_rivals_are_harder_than_one() -> None:
    one = power(PAIR, Spread((0.4,) * 2, (0.1,)), seeds=20).supported
    assert power(SPEND, Spread((0.4,) * 3, (0.1, 0.1)), seeds=20).supported < one


def test_the_same_seed_gives_the_same_power() -> None:
    spread = Spread((0.4,) * 3, (0.1, 0.1))
    assert power(SPEND, spread, seeds=10, seed=3) == power(SPEND, spread, seeds=10, seed=3)


def test_a_spread_that_is_not_known_finds_nothing() -> None:
    assert power(PAIR, Spread((math.nan, math.nan), (0.0,)), seeds=10).supported == NEVER


def test_both_numbers_suffice_and_one_less_does_not() -> None:
    for question, spread in ((SPEND, Spread((0.3,) * 3, (0.02, 0.02))), (TRADE, Spread((0.35,) * 3, (0.02,)))):
        advice = advise(question, spread, margin=0.3, runs=10)
        gain, nothing = advice.gain.seeds, advice.no_difference.seeds
        assert gain is not None
        assert nothing is not None
        assert power(question, spread, gain).supported >= 0.81 > power(question, spread, gain - 1).supported
        assert power(question, spread, nothing, gain=0.0).no_difference >= 0.81
        assert power(question, spread, nothing - 1, gain=0.0).no_difference < 0.81
        assert advice.tuning_times is None


def test_a_number_has_the_range_that_so_few_runs_leave() -> None:
    """80 % of a chi-square's: of three runs an arm, four degrees; and many runs leave none."""
    spread = Spread((0.3, 0.3), (0.0,))
    few, many = (advise(PAIR, spread, margin=0.3, runs=runs).gain for runs in (3, 10_000_000))
    assert few.seeds == many.seeds == many.low == many.high
    for tail, seeds in ((0.9, few.low), (0.1, few.high)):
        scale = math.sqrt(4 / scipy.stats.chi2.ppf(tail, 4))
        scaled = replace(spread, deviations=(0.3 * scale,) * 2)
        assert advise(PAIR, scaled, margin=0.3, runs=3).gain.seeds == seeds


def test_runs_that_do_not_differ_need_the_fewest() -> None:
    advice = advise(PAIR, NONE, margin=0.3, runs=3)
    assert advice.gain == advice.no_difference == Need(10, 10, 10)


@pytest.mark.parametrize(
    ("spread", "times"),
    [
        (Spread((0.1,) * 3, (0.4, 0.4)), None),  # the test images alone hide the gain in most studies
        (Spread((20.0,) * 3, (0.0, 0.0)), None),  # nor would a thousand seeds do
        (Spread((0.1,) * 3, (0.0, 0.0), (0.02,) * 3, (1e9,) * 3), 2),  # a variance of 0.04 is to be below 0.013 or so
        (Spread((0.1,) * 3, (0.0, 0.0), (0.2,) * 3, (1e9,) * 3), 6),  # 0.4 / 36 is; 0.4 / 25 is not
    ],
)
def test_where_no_number_of_seeds_is_enough_it_is_said_what_would_be(spread: Spread, times: int | None) -> None:
    start = time.process_time()
    advice = advise(SPEND, spread, margin=0.3, runs=10)
    assert advice.gain == Need(None, None, None)
    assert advice.tuning_times == times
    assert time.process_time() - start < 10  # about 0.5 s on an idle machine
