"""What the model holds: in percent, and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.search.surrogate.gaussian_process import GaussianProcess, Hyperparameters
from resnext_search.search.surrogate.observations import LogScale, Observations
from resnext_search.search.surrogate.posterior import Posterior, fitted


def slope(trials: int) -> Observations:
    """A slope with some noise."""
    generator = np.random.default_rng(0)
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
