"""What the model holds, in percent, and how sure it may be: factors by hand, residuals, models that are too smooth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.search.surrogate import posterior
from resnext_search.search.surrogate.gaussian_process import GaussianProcess, Hyperparameters, fit
from resnext_search.search.surrogate.observations import LogScale, Observations
from resnext_search.search.surrogate.posterior import (
    FORECASTS,
    Posterior,
    calibration_factor,
    fitted,
    prequential_residuals,
)


def slope(trials: int, seed: int = 0) -> Observations:
    """A slope with some noise."""
    generator = np.random.default_rng(seed)
    features = generator.random((trials, 2))
    return Observations(features, 5 + features.sum(axis=1) + generator.normal(0, 0.1, trials))


def test_what_is_expected_is_in_percent() -> None:
    told = slope(20)
    np.testing.assert_allclose(Posterior.after(told).expected(told.features), told.errors, atol=0.4)


def test_hyperparameters_are_fitted_unless_they_are_given() -> None:
    told = slope(20)
    given = Hyperparameters(np.ones(2), 0.5)
    assert Posterior.after(told, given).process.hyperparameters is given
    assert Posterior.after(told).process.hyperparameters.noise == fitted(told).noise


def test_a_residual_is_in_deviations_by_hand() -> None:
    """After an outcome of 1, 0.8 is expected there, with a variance of 0.2 and a noise of 0.25; logarithms: 5 + 2 y."""
    process = GaussianProcess(np.zeros((1, 1)), np.array([1.0]), Hyperparameters(np.ones(1), 0.25), mean=0.0)
    model = Posterior(process, LogScale(centre=5.0, spread=2.0, floor=1.0))
    assert model.standardized_residual(np.zeros((1, 1)), math.exp(9.0)) == pytest.approx(
        (2 - 0.8) / math.sqrt(0.2 + 0.25)
    )


def test_an_estimate_weighs_less_than_an_error_that_was_seen() -> None:
    """Two errors at one place, 10 and 20 %: equally certain they meet in between, else near the certain one."""
    features, errors = np.array([[0.5], [0.5], [0.0], [1.0]]), np.array([10.0, 20.0, 30.0, 40.0])
    given = Hyperparameters(np.full(1, 0.1), 0.1)

    def expected(variances: np.ndarray) -> float:
        return float(Posterior.after(Observations(features, errors, variances), given).expected(features[:1])[0])

    middle = expected(np.zeros(4))
    assert 13 < middle < 16
    assert expected(np.array([0.0, 400.0, 0.0, 0.0])) < middle - 2 < middle + 2 < expected(np.array([100.0, 0, 0, 0]))


def test_a_residual_at_an_estimate_is_smaller() -> None:
    told = slope(20)
    model, place = Posterior.after(told), np.array([[0.5, 0.5]])
    assert 0 < model.standardized_residual(place, 9.0, variance=4.0) < model.standardized_residual(place, 9.0) / 2


# ------------------------------------------------------------------ calibration factor


def test_the_calibration_factor_is_right_by_hand() -> None:
    """The root mean square of 3 and 4 is sqrt(12.5); of two, Student's quantile is 4.303 and the normal one 1.960."""
    assert calibration_factor(np.array([3.0, -4.0])) == pytest.approx(math.sqrt(12.5) * 4.303 / 1.960, rel=1e-3)


def test_small_residuals_are_no_reason_to_be_surer() -> None:
    assert (
        calibration_factor(np.full(30, 0.1))
        == calibration_factor(np.full(30, 1.0))
        == pytest.approx(2.042 / 1.960, rel=1e-3)
    )


def test_a_model_that_was_never_tested_is_taken_at_its_word() -> None:
    assert calibration_factor(np.empty(0)) == 1.0


# ------------------------------------------------------------------ residuals


def test_each_trial_is_predicted_from_those_before_it() -> None:
    told = slope(9)
    found = prequential_residuals(told)
    assert len(found) == 4  # of nine trials, the later half
    before = Observations(told.features[:7], told.errors[:7]).to_predict()
    found_then = fit(before.features, before.outcomes)
    mean, variance = GaussianProcess(before.features, before.outcomes, found_then).predict(told.features[7:8])
    residual = before.scale.outcomes(told.errors[7:8])[0] - mean[0]
    assert found[2] == pytest.approx(residual / math.sqrt(variance[0] + found_then.noise))


def test_what_came_later_changes_no_residual() -> None:
    told = slope(10)
    changed = Observations(told.features, np.append(told.errors[:9], 90.0))
    np.testing.assert_array_equal(prequential_residuals(told)[:4], prequential_residuals(changed)[:4])
    assert prequential_residuals(changed)[4] > 10


@pytest.mark.parametrize(("trials", "number"), [(1, 0), (2, 0), (3, 1), (4, 2), (20, 10), (70, FORECASTS)])
def test_the_later_half_is_predicted_and_of_many_the_last(trials: int, number: int) -> None:
    assert len(prequential_residuals(slope(trials))) == number


def test_of_many_trials_the_model_is_not_fitted_anew_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    fits = []

    def counted(told: Observations) -> Hyperparameters:
        fits.append(len(told.errors))
        return fitted(told)

    monkeypatch.setattr(posterior, "fitted", counted)
    prequential_residuals(slope(150))
    assert fits == [120, 121, 133, 146]


def test_a_model_that_is_right_is_widened_little_and_one_that_is_too_smooth_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Errors are drawn from the model itself, with length-scales of 0.4."""
    drawn = GaussianProcess(np.full((1, 2), 100.0), np.zeros(1), Hyperparameters(np.full(2, 0.4), 0.02))

    def factor(lengthscale: float, seed: int) -> float:
        assumed = Hyperparameters(np.full(2, lengthscale), 0.02)
        monkeypatch.setattr(posterior, "fitted", lambda told: assumed)
        generator = np.random.default_rng(seed)
        features = generator.random((60, 2))
        errors = drawn.sample(features, 1, generator)[0] + generator.normal(0, math.sqrt(0.02), 60)
        return calibration_factor(prequential_residuals(Observations(features, np.exp(errors))))

    right, smooth = ([factor(lengthscale, seed) for seed in range(8)] for lengthscale in (0.4, 1.2))
    assert np.median(right) < 1.4
    assert np.median(smooth) > 1.8
