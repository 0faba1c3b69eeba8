"""How sure may the model be? Stretches by hand, surprises one by one, and models that are right or too smooth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.search.surrogate import posterior as foresight
from resnext_search.search.surrogate.gaussian_process import GaussianProcess, Hyperparameters, fit
from resnext_search.search.surrogate.observations import Observations
from resnext_search.search.surrogate.posterior import FORECASTS, fitted, stretch, surprises


def observations(trials: int, seed: int = 0) -> Observations:
    """A slope with some noise."""
    generator = np.random.default_rng(seed)
    places = generator.random((trials, 2))
    return Observations(places, 5 + places.sum(axis=1) + generator.normal(0, 0.1, trials))


# ------------------------------------------------------------------ stretch


def test_the_stretch_is_right_by_hand() -> None:
    """The root mean square of 3 and 4 is sqrt(12.5); of two, Student's quantile is 4.303 and the normal one 1.960."""
    assert stretch(np.array([3.0, -4.0])) == pytest.approx(math.sqrt(12.5) * 4.303 / 1.960, rel=1e-3)


def test_small_surprises_are_no_reason_to_be_surer() -> None:
    assert stretch(np.full(30, 0.1)) == stretch(np.full(30, 1.0)) == pytest.approx(2.042 / 1.960, rel=1e-3)


def test_a_model_that_was_never_tested_is_taken_at_its_word() -> None:
    assert stretch(np.empty(0)) == 1.0


# ------------------------------------------------------------------ surprises


def test_each_trial_is_predicted_from_those_before_it() -> None:
    told = observations(9)
    found = surprises(told)
    assert len(found) == 4  # of nine trials, the later half
    before = Observations(told.places[:7], told.errors[:7]).to_predict()
    found_then = fit(before.places, before.outcomes)
    mean, variance = GaussianProcess(before.places, before.outcomes, found_then).predict(told.places[7:8])
    residual = before.scale.outcomes(told.errors[7:8])[0] - mean[0]
    assert found[2] == pytest.approx(residual / math.sqrt(variance[0] + found_then.noise))


def test_what_came_later_changes_no_surprise() -> None:
    told = observations(10)
    changed = Observations(told.places, np.append(told.errors[:9], 90.0))
    np.testing.assert_array_equal(surprises(told)[:4], surprises(changed)[:4])
    assert surprises(changed)[4] > 10


@pytest.mark.parametrize(("trials", "number"), [(1, 0), (2, 0), (3, 1), (4, 2), (20, 10), (70, FORECASTS)])
def test_the_later_half_is_predicted_and_of_many_the_last(trials: int, number: int) -> None:
    assert len(surprises(observations(trials))) == number


def test_of_many_trials_the_model_is_not_fitted_anew_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    fits = []

    def counted(told: Observations) -> Hyperparameters:
        fits.append(len(told.errors))
        return fitted(told)

    monkeypatch.setattr(foresight, "fitted", counted)
    surprises(observations(150))
    assert fits == [120, 121, 133, 146]


def test_a_model_that_is_right_is_stretched_little_and_one_that_is_too_smooth_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Errors are drawn from the model itself, with length-scales of 0.4."""
    drawn = GaussianProcess(np.full((1, 2), 100.0), np.zeros(1), Hyperparameters(np.full(2, 0.4), 0.02))

    def stretched(lengthscale: float, seed: int) -> float:
        assumed = Hyperparameters(np.full(2, lengthscale), 0.02)
        monkeypatch.setattr(foresight, "fitted", lambda told: assumed)
        generator = np.random.default_rng(seed)
        places = generator.random((60, 2))
        errors = drawn.sample(places, 1, generator)[0] + generator.normal(0, math.sqrt(0.02), 60)
        return stretch(surprises(Observations(places, np.exp(errors))))

    right, smooth = ([stretched(lengthscale, seed) for seed in range(8)] for lengthscale in (0.4, 1.2))
    assert np.median(right) < 1.4
    assert np.median(smooth) > 1.8
