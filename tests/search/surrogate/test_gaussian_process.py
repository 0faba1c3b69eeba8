"""The Gaussian process in closed form: numbers by hand, gradients against differences, samples against predictions."""

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
import torch
from resnext_search.search.surrogate.gaussian_process import (
    SMALLEST_NOISE,
    GaussianProcess,
    Hyperparameters,
    _libraries,
    fit,
    lengthscale_centre,
    log_posterior,
    one_thread,
)

ONE = Hyperparameters(np.array([1.0]), 0.25)


def data(seed: int, trials: int, dimensions: int) -> tuple[np.ndarray, np.ndarray]:
    """Standardized outcomes of a smooth function with some noise."""
    generator = np.random.default_rng(seed)
    features = generator.random((trials, dimensions))
    outcomes = np.sin(3 * features[:, 0]) + (features**2).sum(axis=1) + generator.normal(0, 0.1, trials)
    return features, (outcomes - outcomes.mean()) / outcomes.std(ddof=1)


def column(*values: float) -> np.ndarray:
    return np.array(values)[:, None]


# ------------------------------------------------------------------ predictions


def test_a_prediction_from_one_outcome_is_right_by_hand() -> None:
    """Of an outcome of 2 the noise takes a fifth; a length-scale away the correlation is exp(-1/2)."""
    process = GaussianProcess(column(0.0), np.array([2.0]), ONE, mean=0.0)
    mean, variance = process.predict(column(0.0, 1.0))
    assert mean.tolist() == pytest.approx([2 / 1.25, 2 * math.exp(-0.5) / 1.25])
    assert variance.tolist() == pytest.approx([1 - 1 / 1.25, 1 - math.exp(-1) / 1.25])


def test_far_from_everything_the_mean_is_expected_with_the_whole_variance() -> None:
    process = GaussianProcess(column(0.0, 1.0), np.array([1.0, 3.0]), ONE)
    mean, variance = process.predict(column(100.0))
    assert mean[0] == process.mean == pytest.approx(2.0)  # by symmetry
    assert variance[0] == 1


def test_the_mean_is_the_most_probable_one() -> None:
    features, outcomes = data(0, 20, 2)
    hyperparameters = Hyperparameters(np.array([0.4, 0.7]), 0.05)

    def surprise(mean: float) -> float:
        process = GaussianProcess(features, outcomes, hyperparameters, mean)
        return float((outcomes - mean) @ process.weights)

    best = GaussianProcess(features, outcomes, hyperparameters).mean
    assert surprise(best) < min(surprise(best - 1e-3), surprise(best + 1e-3))


def test_replicates_are_told_apart_by_the_noise_alone() -> None:
    process = GaussianProcess(column(0.3, 0.3, 0.3), np.array([0.0, 1.0, 2.0]), ONE, mean=0.0)
    mean, variance = process.predict(column(0.3))
    assert mean[0] == pytest.approx(3 / (3 + 0.25))  # the mean of the outcomes, with a twelfth of the noise
    assert variance[0] == pytest.approx(0.25 / (3 + 0.25))


def test_an_uncertain_outcome_counts_for_less_by_hand() -> None:
    """Its own variance stands beside the noise: of an outcome of 2 a third is left, 1 / (1 + 0.25 + 1.75)."""
    process = GaussianProcess(column(0.0), np.array([2.0]), ONE, mean=0.0, variances=np.array([1.75]))
    mean, variance = process.predict(column(0.0))
    assert (mean[0], variance[0]) == (pytest.approx(2 / 3), pytest.approx(1 - 1 / 3))
    certain = process.conditioned(column(0.0), np.array([2.0]))  # what is added to it has the noise alone
    assert certain.variances.tolist() == [1.75, 0.0]


def test_to_see_what_was_predicted_changes_no_mean_and_lowers_the_variance() -> None:
    features, outcomes = data(1, 12, 2)
    process = GaussianProcess(features, outcomes, Hyperparameters(np.array([0.5, 0.5]), 0.02))
    seen, others = np.array([[0.9, 0.1]]), np.random.default_rng(0).random((30, 2))
    after = process.conditioned(seen, process.predict_mean(seen))
    np.testing.assert_allclose(after.predict_mean(others), process.predict_mean(others), atol=1e-9)
    assert (after.predict(others)[1] <= process.predict(others)[1] + 1e-12).all()
    assert after.predict(seen)[1] < 0.1 * process.predict(seen)[1] + 0.02


def test_samples_have_the_mean_and_the_variance_that_are_predicted_and_hang_together() -> None:
    features, outcomes = data(2, 10, 1)
    process = GaussianProcess(features, outcomes, Hyperparameters(np.array([0.3]), 0.05))
    where = column(-0.5, -0.49, 0.5)
    samples = process.sample(where, 40_000, np.random.default_rng(0))
    mean, variance = process.predict(where)
    np.testing.assert_allclose(samples.mean(axis=0), mean, atol=5 * math.sqrt(1 / 40_000))
    np.testing.assert_allclose(samples.var(axis=0), variance, rtol=0.05)
    assert np.corrcoef(samples.T)[0, 1] > 0.99
    np.testing.assert_array_equal(samples, process.sample(where, 40_000, np.random.default_rng(0)))


def test_one_place_asked_for_many_times_is_sampled_as_one() -> None:
    """The covariance has then no full rank, and rounding can make it indefinite."""
    features, outcomes = data(2, 10, 1)
    process = GaussianProcess(features, outcomes, Hyperparameters(np.array([0.3]), 0.05))
    samples = process.sample(np.full((50, 1), 0.4), 100, np.random.default_rng(0))
    assert np.isfinite(samples).all()
    assert np.ptp(samples, axis=1).max() < 1e-6


# ------------------------------------------------------------------ fit


def test_the_density_of_one_outcome_is_right_by_hand() -> None:
    """An outcome equals the mean, which is free; so N(0; 0, 1.25), a log-normal length-scale and a log-normal noise."""
    value, _ = log_posterior(np.log([1.0, 0.25]), column(0.0), np.array([7.0]))
    likelihood = -0.5 * math.log(2 * math.pi * 1.25)
    of_lengthscale = -0.5 * lengthscale_centre(1) ** 2 / 3 - 0.5 * math.log(2 * math.pi * 3)
    of_noise = -0.5 * (math.log(0.25) + 4) ** 2 - 0.5 * math.log(2 * math.pi) - math.log(0.25)
    assert value == pytest.approx(likelihood + of_lengthscale + of_noise)


@pytest.mark.parametrize(("trials", "dimensions"), [(1, 1), (5, 2), (30, 6), (60, 4)])
def test_the_gradient_is_that_of_differences(trials: int, dimensions: int) -> None:
    features, outcomes = data(trials, max(trials, 2), dimensions)
    features, outcomes = features[:trials], outcomes[:trials]
    logarithms = np.random.default_rng(trials).normal(-0.5, 0.7, dimensions + 1)
    _, gradient = log_posterior(logarithms, features, outcomes)
    steps = 1e-5 * np.eye(dimensions + 1)
    differences = [
        log_posterior(logarithms + step, features, outcomes)[0]
        - log_posterior(logarithms - step, features, outcomes)[0]
        for step in steps
    ]
    np.testing.assert_allclose(gradient, np.array(differences) / 2e-5, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize(("trials", "dimensions"), [(5, 2), (30, 6)])
def test_the_gradient_is_that_of_differences_where_some_outcomes_are_less_certain(trials: int, dimensions: int) -> None:
    features, outcomes = data(trials, trials, dimensions)
    generator = np.random.default_rng(trials)
    variances = np.where(generator.random(trials) < 0.5, generator.exponential(1.0, trials), 0.0)
    logarithms = generator.normal(-0.5, 0.7, dimensions + 1)
    _, gradient = log_posterior(logarithms, features, outcomes, variances)
    differences = [
        log_posterior(logarithms + step, features, outcomes, variances)[0]
        - log_posterior(logarithms - step, features, outcomes, variances)[0]
        for step in 1e-5 * np.eye(dimensions + 1)
    ]
    np.testing.assert_allclose(gradient, np.array(differences) / 2e-5, rtol=1e-5, atol=1e-8)


def test_variances_of_zero_change_not_a_bit() -> None:
    features, outcomes = data(8, 25, 3)
    plain, zeros = fit(features, outcomes), fit(features, outcomes, np.zeros(25))
    assert plain.logarithms.tolist() == zeros.logarithms.tolist()
    where = np.random.default_rng(0).random((10, 3))
    predictions = [
        GaussianProcess(features, outcomes, plain, variances=variances).predict(where)
        for variances in (0.0, np.zeros(25))
    ]
    np.testing.assert_array_equal(*predictions)


def test_a_fit_is_a_peak() -> None:
    features, outcomes = data(3, 40, 3)
    found = fit(features, outcomes)
    best, gradient = log_posterior(found.logarithms, features, outcomes)
    assert np.abs(gradient).max() < 1e-3
    for step in 0.05 * np.vstack([np.eye(4), -np.eye(4)]):
        assert log_posterior(found.logarithms + step, features, outcomes)[0] < best


def test_a_feature_that_says_nothing_gets_a_long_lengthscale() -> None:
    features, outcomes = data(4, 60, 1)
    with_noise = np.column_stack([features, np.random.default_rng(9).random(60)])
    matters, says_nothing = fit(with_noise, outcomes).lengthscales
    assert says_nothing > 3 * matters


def test_noise_is_found_where_there_is_some() -> None:
    generator = np.random.default_rng(0)
    features = generator.random((80, 1))
    smooth = np.sqrt(2) * np.sin(2 * math.pi * features[:, 0])
    assert fit(features, smooth).noise < 1e-3
    assert fit(features, smooth + generator.normal(0, 0.5, 80)).noise == pytest.approx(0.25, rel=0.5)


@pytest.mark.parametrize("outcomes", [[0.0], [0.0, 0.0, 0.0], [-1.0, 0.0, 1.0]])
def test_few_or_equal_outcomes_give_a_model_all_the_same(outcomes: list[float]) -> None:
    features = np.linspace(0, 1, len(outcomes))[:, None]
    found = fit(features, np.array(outcomes))
    assert np.isfinite(found.logarithms).all()
    assert found.noise >= SMALLEST_NOISE


def test_two_trials_of_one_place_without_noise_have_no_model() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        GaussianProcess(np.zeros((2, 1)), np.array([0.0, 1.0]), Hyperparameters(np.ones(1), 0.0))


# ------------------------------------------------------------------ one thread for the optimizer


def blas_threads() -> set[int]:
    return {library["num_threads"] for library in _libraries().info() if library["user_api"] == "blas"}


def test_within_the_block_there_is_one_thread_and_then_as_many_as_before() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert (torch.get_num_threads(), blas_threads()) == (1, {1})
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_torch_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    with one_thread():
        assert blas_threads() == {1}
        assert "torch" not in sys.modules
