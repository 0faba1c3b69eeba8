"""The smooth fit over the trials that tuned an arm: its minimum, the second round, and what the choice leaves open."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from resnext_search.spaces.claim.tuning_fit import (
    ASSUMED_IMAGES,
    Point,
    Tuned,
    first_rates,
    first_round,
    fit_tuning,
    second_rates,
)

FIRST = (0.01, 0.1, 1.0)
NAN = math.nan


def percent(log_error: float) -> float:
    """The error whose logarithm, half an image added, is this."""
    return (math.exp(log_error) * (ASSUMED_IMAGES + 0.5) / 100 - 0.5) / ASSUMED_IMAGES * 100


def valley(
    best: float,
    curvature: float,
    rates: Sequence[float],
    seeds: Sequence[int] = (0,),
    noise: Callable[[int, int], float] = lambda place, seed: 0.0,
) -> list[Point]:
    """Trials on a parabola in log error over log rate, of 7 % at `best`; with some noise by rate's place and seed."""

    def error(place: int, rate: float, seed: int) -> float:
        return percent(math.log(7) + curvature * math.log(rate / best) ** 2 + noise(place, seed))

    return [Point(rate, error(place, rate, seed), seed) for seed in seeds for place, rate in enumerate(rates)]


def points(errors: Sequence[float], rates: Sequence[float] = FIRST, seed: int = 0) -> list[Point]:
    return [Point(rate, error, seed) for rate, error in zip(rates, errors, strict=True)]


def fitted(trials: Sequence[Point], **options: object) -> Tuned:
    return fit_tuning({"width": trials}, **options)["width"]  # type: ignore[arg-type]


def test_the_second_rates_lie_around_the_minimum_by_a_factor_of_2_2() -> None:
    assert second_rates(points([9.0, 7.0, 9.0])) == [0.02066, 0.04545, 0.1, 0.22, 0.484]  # 0.1 / 2.2² and so on


def test_their_middle_is_the_minimum_of_a_parabola() -> None:
    """At 0.15, with rates so near that the first round's own step is kept: a factor of 1.5."""
    rates = [0.15 * 1.5**power for power in range(-4, 5)]
    assert second_rates(valley(0.15, 0.05, rates)) == [0.06667, 0.1, 0.15, 0.225, 0.3375]


def test_the_second_rates_stay_within_the_first_rounds_rates() -> None:
    low = second_rates(points([7.0, 7.1, 9.0]))
    assert low[0] == 0.01
    assert second_rates(points([9.0, 7.1, 7.0]))[-1] == 1.0


def test_in_a_narrow_range_they_lie_nearer_together() -> None:
    assert second_rates(points([8.0, 7.0, 8.0], [0.05, 0.1, 0.2])) == [0.05, 0.07071, 0.1, 0.1414, 0.2]


def test_where_the_parabola_opens_downwards_they_lie_around_the_best_rate() -> None:
    rates = [0.001, 0.01, 0.1, 1.0, 10.0]
    assert second_rates(points([7.0, 8.0, 8.2, 8.1, 7.5], rates))[0] == 0.001


def test_a_failed_trial_counts_as_the_cap() -> None:
    """1.2 = exp(0.2) times the lowest: with 10,000 images, of which 700 are wrong, three errors of it are less."""
    capped = 100 * (math.exp(0.2) * (700.5 / 10_000.5) * 10_000.5 - 0.5) / 10_000
    failed = second_rates(points([NAN, 7.0, 7.5]), images=10_000)
    assert failed == second_rates(points([capped, 7.0, 7.5]), images=10_000)
    assert failed == second_rates(points([90.0, 7.0, 7.5]), images=10_000)


def test_of_few_images_the_cap_is_three_errors() -> None:
    """Of 100 images 7 are wrong: 3 / sqrt(7.5) above, a factor of 3, so that 15 % is no cliff yet."""
    one, other = (second_rates(points([error, 7.0, 8.0]), images=100) for error in (15.0, 12.0))
    assert one != other
    assert second_rates(points([30.0, 7.0, 8.0]), images=100) == second_rates(points([NAN, 7.0, 8.0]), images=100)


def test_equal_errors_have_no_minimum_and_stay_within_the_range() -> None:
    found = second_rates(points([7.0] * 3))
    assert found[0] >= 0.01
    assert found[-1] <= 1.0


@pytest.mark.parametrize("rates", [[0.1], [0.1, 0.2], [0.1, 0.1 * (1 + 1e-15)]])
def test_one_or_two_rates_have_five_around_them(rates: list[float]) -> None:
    found = second_rates(points([7.0] * len(rates), rates))
    assert len(found) == 5
    assert found[0] <= 0.1 <= found[-1]


def test_a_parabola_without_noise_gives_its_minimum_and_no_variance() -> None:
    found = fitted(valley(0.15, 0.04, [0.05, 0.1, 0.2, 0.4], (0, 1)))
    assert found.rate == 0.15
    assert found.variance == pytest.approx(0, abs=1e-12)
    assert found.runner_up == 0.1  # 0.2 is nearer than half a step, which is log 2 / 2


def test_a_minimum_beyond_the_rates_is_brought_to_their_edge() -> None:
    rates = [0.05, 0.07, 0.1, 0.14]
    assert fitted(valley(0.5, 0.04, rates, (0, 1))).rate == 0.14
    assert fitted(valley(0.01, 0.04, rates, (0, 1))).rate == 0.05


def test_all_arms_have_one_curvature_the_mean_of_their_own() -> None:
    """By hand: with g = 0.04 for curvatures of 0.02 and 0.06, and rates symmetric about 0.1, both stay at 0.1."""
    rates = [0.025, 0.05, 0.1, 0.2, 0.4]
    found = fit_tuning({"flat": valley(0.1, 0.02, rates), "steep": valley(0.1, 0.06, rates)})
    assert (found["flat"].rate, found["steep"].rate) == (0.1, 0.1)
    # the slope of 0.02 (x - 1)² less 0.04 x² about 0 is -0.04 by least squares: x* = 0.04 / 0.08 = half the distance
    moved = fit_tuning({"flat": valley(0.11, 0.02, rates), "steep": valley(0.1, 0.06, rates)})
    assert math.log(moved["flat"].rate / 0.1) == pytest.approx(math.log(1.1) / 2, abs=1e-3)


def test_failed_trials_count_as_the_cap() -> None:
    rates = [0.05, 0.1, 0.2, 0.4]
    good = valley(0.1, 0.04, rates, (0, 1))
    with_a_cliff = [point._replace(error=90.0) if point.rate == 0.4 else point for point in good]
    failed = [point._replace(error=NAN) if point.rate == 0.4 else point for point in good]
    assert fitted(failed).rate == fitted(with_a_cliff).rate < fitted(good).rate


def test_every_seed_has_a_level_of_its_own_where_it_validates_on_other_images() -> None:
    """Seed 1 is harder by 15 %, and was tried at the higher rates: without levels these seem bad."""
    trials = [*valley(0.2, 0.04, [0.05, 0.1, 0.2], (0,)), *valley(0.2, 0.04, [0.1, 0.2, 0.4], (1,), lambda *_: 0.15)]
    assert fitted(trials, levels=True).rate == pytest.approx(0.2, rel=1e-3)
    assert fitted(trials).rate < 0.18


def test_an_arm_without_a_single_error_is_left_out() -> None:
    found = fit_tuning({"width": points([9.0, 7.0, 9.0]), "depth": points([NAN] * 3)})
    assert list(found) == ["width"]
    assert fit_tuning({}) == {}


def test_equal_errors_and_a_single_rate_have_a_rate_all_the_same() -> None:
    equal = fitted(points([7.0] * 3))
    assert 0.01 <= equal.rate <= 1.0
    one = fitted([Point(0.1, 7.0, 0), Point(0.1, 7.2, 1)])
    assert (one.rate, one.runner_up) == (0.1, 0.1)
    assert all(math.isfinite(number) for number in (*equal, *one))


def test_the_runner_up_is_the_best_rate_that_is_half_a_step_away() -> None:
    """The minimum lies at 0.12: a step is log 2, and 0.1 lies log 1.2 from it, which is less than half."""
    assert fitted(valley(0.12, 0.04, [0.05, 0.1, 0.2, 0.4], (0, 1))).runner_up == 0.2


def test_a_rate_that_was_tried_once_is_no_runner_up() -> None:
    first = valley(0.1, 0.04, [0.01, 0.03, 0.3, 1.0])
    lucky = [point._replace(error=6.5) if point.rate == 0.3 else point for point in first]
    later = valley(0.1, 0.04, [0.05, 0.07, 0.1, 0.14, 0.2], (1, 2))
    assert fitted([*lucky, *later]).runner_up in (0.07, 0.14)


def noisy(size: float) -> list[Point]:
    """Five rates on two seeds, whose log errors differ by twice the size at every rate: variance 2 size²."""
    rates = [0.025, 0.05, 0.1, 0.2, 0.4]
    return valley(0.1, 0.04, rates, (0, 1), lambda place, seed: size * (1 if seed == place % 2 else -1))


def test_the_variance_by_hand() -> None:
    """Two points a rate at -2, -1, 0, 1 and 2 steps of log 2: sums of squares 2 x 10 x log²(2).

    Without a slope beside the minimum v = 2 (g u)², where u = 1.5 σ² / (20 log²(2)) / (4 g²).
    """
    size = 0.01
    found = fitted(noisy(size))
    u = 1.5 * 2 * size**2 / (20 * math.log(2) ** 2) / (4 * 0.04**2)
    assert found.rate == pytest.approx(0.1, rel=2e-3)
    assert found.variance == pytest.approx(2 * (0.04 * u) ** 2, rel=0.15)
    assert found.degrees == 2.5  # five differences, half of it


def test_more_noise_is_more_variance() -> None:
    small, large = (fitted(noisy(size)).variance for size in (0.005, 0.02))
    assert large > 10 * small


def test_of_an_arm_confirmed_at_another_rate_the_distance_counts_as_chance_and_the_slope_there() -> None:
    trials = noisy(0.005)
    at_the_minimum, beside = fitted(trials, used={"width": 0.1}), fitted(trials, used={"width": 0.2})
    assert beside.rate == at_the_minimum.rate
    assert beside.variance > 10 * at_the_minimum.variance
    # slope 2 g log 2 = 0.055 and u = log²(2): about Z u + 2 (g u)² with u at most a sixteenth of the range squared
    u = min(math.log(2) ** 2, (math.log(16) / 4) ** 2)
    expected = (2 * 0.04 * math.log(2)) ** 2 * u + 2 * (0.04 * u) ** 2
    assert beside.variance == pytest.approx(expected, rel=0.1)


def test_the_variance_is_bounded_however_far_away_an_arm_was_confirmed() -> None:
    far = fitted(noisy(0.005), used={"width": 1e6}).variance
    assert math.isfinite(far)
    assert far <= 2 * (0.04 * (math.log(16) / 4) ** 2) ** 2 * 1.01


def test_without_rates_on_several_seeds_the_noise_is_what_a_parabola_leaves() -> None:
    rates = [0.025, 0.05, 0.1, 0.2, 0.4]
    bumps = (0.01, -0.02, 0.0, 0.02, -0.01)
    found = fitted(valley(0.1, 0.04, rates, noise=lambda place, _: bumps[place]))
    assert found.degrees == 2.0  # 5 - 3, halved, and at least 2
    assert found.variance > 0


def test_the_first_round_is_that_of_the_seed_whose_rates_span_most() -> None:
    trials = [*points([9.0, 7.0, 9.0], seed=7), *points([7.0, 7.0, 7.0], [0.05, 0.1, 0.2], seed=3)]
    assert first_rates(trials) == {0.01, 0.1, 1.0}
    assert first_rates(points([9.0, 7.0, 9.0], seed=7) + points([9.0, 7.0], [0.01, 1.0], seed=3)) == {0.01, 1.0}


def test_the_fit_does_not_depend_on_the_order_of_the_trials() -> None:
    trials = noisy(0.01)
    shuffled = [trials[place] for place in np.random.default_rng(0).permutation(len(trials))]
    one, other = fitted(trials), fitted(shuffled)
    assert one.rate == other.rate
    assert one.variance == pytest.approx(other.variance)


def test_a_second_round_is_no_part_of_the_first_where_it_repeats_a_rate() -> None:
    first = [*points([9.0, 7.0, 9.0], seed=7), *points([9.1, 7.2, 9.3], seed=8)]
    assert first_round([*first, *points([5.0, 5.0, 5.0], [0.01, 0.02, 0.1], seed=9)]) == first
    assert first_round([]) == []


def test_a_minimum_far_from_all_trials_has_a_fit_all_the_same() -> None:
    """Three rates on either side of it, so far away in steps that a normal kernel is as good as 0 there."""
    rates = [0.1 * math.exp(side * 3.15 + offset) for side in (-1, 1) for offset in (-0.1, 0.0, 0.1)]
    found = fitted(points([7.0] * 6, rates))
    assert found.rate == 0.1
    assert found.variance == pytest.approx(0, abs=1e-12)
