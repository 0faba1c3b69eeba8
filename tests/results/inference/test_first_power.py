"""The number of seeds under the first rules: against closed forms where there are any."""

from __future__ import annotations

import time

import pytest
from resnext_search.results.inference.first_power import Spread, power, seeds_needed
from resnext_search.results.inference.question import ask
from scipy.special import ndtr

PAIR = ask(["cardinality", "width"])
SPEND = ask(["cardinality", "depth", "width"])
TRADE = ask(["1x64d", "4x24d", "32x4d"])


def test_without_any_spread_a_gain_is_always_found() -> None:
    assert power(PAIR, Spread((0.0, 0.0), (0.0,)), seeds=5) == 1
    assert power(PAIR, Spread((0.0, 0.0), (0.0,)), seeds=5, gain=0.3) == 1
    assert power(PAIR, Spread((0.0, 0.0), (0.0,)), seeds=5, gain=0.29) == 0


def test_fewer_seeds_than_a_verdict_takes_find_nothing() -> None:
    assert power(PAIR, Spread((0.0, 0.0), (0.0,)), seeds=4) == 0


@pytest.mark.parametrize("example_error", [0.1, 0.25, 0.4])
def test_test_images_alone_have_a_closed_form(example_error: float) -> None:
    found = power(PAIR, Spread((0.0, 0.0), (example_error,)), seeds=5, studies=20_000)
    expected = ndtr((0.6 - max(0.3, 1.6449 * example_error)) / example_error)
    assert found == pytest.approx(expected, abs=0.01)


def test_many_seeds_find_a_gain_of_the_margin_in_half_of_the_studies() -> None:
    assert power(PAIR, Spread((0.1, 0.1), (0.0,)), seeds=200, gain=0.3) == pytest.approx(0.5, abs=0.03)


def test_without_a_gain_nearly_nothing_is_found() -> None:
    assert power(PAIR, Spread((0.5, 0.5), (0.1,)), seeds=10, gain=0.0) < 0.05


def test_two_rivals_are_harder_than_one() -> None:
    one = power(PAIR, Spread((0.4, 0.4), (0.1,)), seeds=10)
    assert power(SPEND, Spread((0.4,) * 3, (0.1, 0.1)), seeds=10) < one


def test_the_same_seed_gives_the_same_power() -> None:
    spread = Spread((0.4,) * 3, (0.1, 0.1))
    assert power(SPEND, spread, seeds=10, seed=3) == power(SPEND, spread, seeds=10, seed=3)


def test_more_spread_needs_more_seeds() -> None:
    needed = [seeds_needed(SPEND, Spread((deviation,) * 3, (0.05, 0.05))) for deviation in (0.1, 0.3, 0.5)]
    assert needed[0] == 5
    assert needed[1] is not None
    assert needed[2] is not None
    assert 5 < needed[1] < 15 < needed[2] < 150


def test_the_number_suffices_and_one_less_does_not() -> None:
    spread = Spread((0.35,) * 3, (0.05,))
    needed = seeds_needed(TRADE, spread)
    assert needed is not None
    assert power(TRADE, spread, needed) >= 0.81 > power(TRADE, spread, needed - 1)


@pytest.mark.parametrize(
    ("spread", "reason"),
    [
        (Spread((1.0,) * 3, (0.0, 0.0)), "the better arm wins 66 % of the pairs of runs, however many there are"),
        (Spread((0.1,) * 3, (0.4, 0.4)), "the test images alone hide the gain in one study of three"),
    ],
)
def test_where_no_number_suffices_the_answer_is_none_and_comes_soon(spread: Spread, reason: str) -> None:
    start = time.process_time()
    assert seeds_needed(SPEND, spread) is None, reason
    assert time.process_time() - start < 10  # about 1 s on an idle machine
