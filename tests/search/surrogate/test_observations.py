"""What the model is told: scaled, without what diverged, and never more than it can bear."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.search.surrogate.observations import (
    FITTED_TO,
    PREDICTED_FROM,
    REFITTED_UNTIL,
    LogScale,
    Observations,
    fitted_number,
    thinned,
)


def observations(number: int, seed: int = 0) -> Observations:
    generator = np.random.default_rng(seed)
    return Observations(generator.random((number, 3)), generator.normal(20, 5, number))


def test_outcomes_are_standardized_logarithms_and_can_be_turned_back() -> None:
    told = Observations(np.zeros((3, 1)), np.array([1.0, 10.0, 100.0])).to_predict()
    assert told.outcomes.tolist() == pytest.approx([-1.0, 0.0, 1.0])
    assert (told.scale.centre, told.scale.spread) == pytest.approx((math.log(10), math.log(10)))
    assert told.scale.errors(told.outcomes).tolist() == pytest.approx([1.0, 10.0, 100.0])


def test_variances_are_on_the_scale_of_the_outcomes_and_none_without_any() -> None:
    """A deviation of 5 points at 10 % is half the error: of a spread of log(10), 0.5 / log(10)."""
    errors = np.array([1.0, 10.0, 100.0])
    assert Observations(np.zeros((3, 1)), errors).to_predict().variances.tolist() == [0.0, 0.0, 0.0]
    told = Observations(np.zeros((3, 1)), errors, np.array([0.0, 25.0, 400.0])).to_predict()
    assert np.sqrt(told.variances).tolist() == pytest.approx([0.0, 0.5 / math.log(10), 0.2 / math.log(10)])


def test_a_trial_that_diverged_does_not_flatten_the_others() -> None:
    """Of 1, 2, 3, 4 and 90 %, 4 lies at 4 % of the way from 1 to 90, and on the scale of the model at 31 %."""
    outcomes = Observations(np.zeros((5, 1)), np.array([1.0, 2.0, 3.0, 4.0, 90.0])).to_predict().outcomes
    assert (outcomes[3] - outcomes[0]) / np.ptp(outcomes) == pytest.approx(math.log(4) / math.log(90))


def test_no_error_at_all_counts_as_half_the_lowest_that_was_reported() -> None:
    scale = LogScale.of(np.array([0.0, 2.0, 4.0]))
    assert scale.floor == 1.0
    assert scale.errors(scale.outcomes(np.array([0.0, 2.0, 4.0]))).tolist() == pytest.approx([1.0, 2.0, 4.0])


def test_the_first_trials_are_what_they_would_be_alone() -> None:
    many = observations(9)
    first = many.first(4)
    assert first.errors.tolist() == many.errors[:4].tolist()
    assert first.features.shape == (4, 3)


@pytest.mark.parametrize("errors", [[5.0], [5.0, 5.0], [0.0, 0.0]])
def test_errors_that_say_nothing_are_zeros(errors: list[float]) -> None:
    told = Observations(np.zeros((len(errors), 1)), np.array(errors)).to_predict()
    assert told.outcomes.tolist() == [0.0] * len(errors)
    assert told.scale.errors(told.outcomes).tolist() == pytest.approx([max(error, 1.0) for error in errors])


def test_hyperparameters_are_refitted_at_every_trial_and_later_at_every_tenth_of_growth() -> None:
    fits = [fitted_number(observed) for observed in range(1, 1_001)]
    assert fits[:REFITTED_UNTIL] == list(range(1, 101))
    assert sorted(set(fits[REFITTED_UNTIL:500])) == [
        *(100, 110, 121, 133, 146, 160, 176, 193, 212, 233, 256, 281, 309, 339, 372, 409, 449, 493)
    ]
    assert all(0.9 * observed < fits[observed - 1] <= observed for observed in range(1, 1_001))


def test_the_fit_sees_the_first_trials_alone_whatever_came_after() -> None:
    many = observations(119)
    fewer = Observations(many.features[:112], many.errors[:112])
    assert len(many.to_fit().outcomes) == 110
    np.testing.assert_array_equal(many.to_fit().outcomes, fewer.to_fit().outcomes)
    assert len(many.to_predict().outcomes) == 119


def test_the_model_never_sees_more_than_it_can_bear() -> None:
    many = observations(2_000)
    assert len(many.to_fit().outcomes) == FITTED_TO
    assert len(many.to_predict().outcomes) == PREDICTED_FROM


def test_of_many_trials_the_best_the_last_and_far_ones_are_kept() -> None:
    generator = np.random.default_rng(0)
    features = np.concatenate([generator.normal(0.5, 0.01, (97, 2)), [[0, 0], [0, 1], [1, 0]]])[::-1]
    errors = np.arange(100.0)  # the three far ones first, and best
    errors[:3] = 200.0  # or worst
    kept = thinned(features, errors, 9)
    assert kept.tolist() == sorted({3, 4, 5, 97, 98, 99, 0, 1, 2})


def test_a_choice_is_made_of_distinct_trials_though_places_and_errors_are_equal() -> None:
    kept = thinned(np.zeros((50, 2)), np.zeros(50), 20)
    assert len(set(kept.tolist())) == 20
    assert (np.diff(kept) > 0).all()


def test_few_trials_are_kept_all() -> None:
    assert thinned(np.zeros((4, 1)), np.array([3.0, 1.0, 2.0, 0.0]), 4).tolist() == [0, 1, 2, 3]
