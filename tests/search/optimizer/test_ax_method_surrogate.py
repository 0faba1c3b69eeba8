"""The model that Ax holds: what BoTorch's own fit and posterior say, only faster."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from gpytorch.likelihoods import FixedNoiseGaussianLikelihood
from gpytorch.mlls import ExactMarginalLogLikelihood
from resnext_search.search.optimizer.ax_method import Surrogate
from resnext_search.search.surrogate.gaussian_process import Hyperparameters, log_posterior

from tests.search.surrogate.test_gaussian_process import data


def surrogate(features: torch.Tensor, outcomes: torch.Tensor) -> Surrogate:
    """The model of outcomes that are uncertain by the noise alone."""
    return Surrogate(features, outcomes, torch.zeros_like(outcomes))


def tensors(seed: int, trials: int, dimensions: int) -> tuple[torch.Tensor, torch.Tensor]:
    features, outcomes = data(seed, trials, dimensions)
    return torch.tensor(features), torch.tensor(outcomes)[:, None]


def fitted(model: SingleTaskGP) -> SingleTaskGP:
    fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
    return model


def objective(model: SingleTaskGP) -> float:
    """What BoTorch maximizes, by BoTorch."""
    mll = ExactMarginalLogLikelihood(model.likelihood, model)
    mll.train()
    with torch.no_grad():
        value = float(mll(model(*model.train_inputs), model.train_targets))
    mll.eval()
    return value


@pytest.mark.parametrize(("trials", "dimensions"), [(6, 2), (25, 5), (60, 6)])
def test_the_fit_is_as_good_as_that_of_botorch(trials: int, dimensions: int) -> None:
    features, outcomes = tensors(trials, trials, dimensions)
    ours, stock = (
        fitted(surrogate(features, outcomes)),
        fitted(SingleTaskGP(features, outcomes, outcome_transform=None)),
    )
    assert objective(ours) >= objective(stock) - 1e-4


def test_our_objective_is_that_of_botorch() -> None:
    model = fitted(surrogate(*tensors(1, 20, 3)))
    assert isinstance(model, Surrogate)
    value, _ = log_posterior(model._hyperparameters().logarithms, *model._data())
    assert objective(model) == pytest.approx(value, abs=1e-9)


def test_predictions_are_those_of_botorch() -> None:
    model = fitted(surrogate(*tensors(2, 30, 4)))
    assert isinstance(model, Surrogate)
    where = np.random.default_rng(0).random((50, 4))
    mean, variance = model.process().predict(where)
    with torch.no_grad():
        posterior = model.posterior(torch.tensor(where))
    np.testing.assert_allclose(mean, posterior.mean.ravel(), atol=1e-7)
    np.testing.assert_allclose(variance, posterior.variance.ravel(), atol=1e-7)


def test_fantasies_are_those_of_botorch() -> None:
    model = fitted(surrogate(*tensors(3, 15, 2)))
    assert isinstance(model, Surrogate)
    extra, outcomes = np.array([[0.2, 0.8], [0.5, 0.5]]), np.array([1.0, -1.0])
    where = np.random.default_rng(0).random((20, 2))
    with torch.no_grad():
        model.posterior(torch.tensor(where))  # BoTorch conditions what has predicted
        stock = model.condition_on_observations(torch.tensor(extra), torch.tensor(outcomes)[:, None])
        posterior = SingleTaskGP.posterior(stock, torch.tensor(where))
    mean, variance = model.process().conditioned(extra, outcomes).predict(where)
    np.testing.assert_allclose(mean, posterior.mean.ravel(), atol=1e-6)
    np.testing.assert_allclose(variance, posterior.variance.ravel(), atol=1e-6)


def test_fitted_lengthscales_of_new_outcomes_take_a_new_mean() -> None:
    features, outcomes = tensors(4, 20, 2)
    before = fitted(surrogate(features, outcomes))
    after = surrogate(features, outcomes + 3)
    after.load_state_dict(before.state_dict())
    assert after.process().mean == before.process().mean
    after.recenter()
    assert after.process().mean == pytest.approx(before.process().mean + 3)
    assert isinstance(after._hyperparameters(), Hyperparameters)


def test_outcomes_that_are_less_certain_than_others_are_those_of_botorch() -> None:
    """BoTorch has a likelihood of known variances with a noise on top; its fit is not asked for, its formulas are."""
    features, outcomes = tensors(5, 20, 3)
    variances = torch.linspace(0.01, 2.0, 20, dtype=torch.float64)
    model = fitted(Surrogate(features, outcomes, variances[:, None]))
    assert isinstance(model, Surrogate)
    process = model.process()
    stock = SingleTaskGP(
        features,
        outcomes,
        likelihood=FixedNoiseGaussianLikelihood(variances, learn_additional_noise=True),
        covar_module=model.covar_module,
        mean_module=model.mean_module,
        outcome_transform=None,
    )
    stock.likelihood.second_noise = process.hyperparameters.noise
    stock.eval()
    where = np.random.default_rng(0).random((30, 3))
    with torch.no_grad():
        posterior = stock.posterior(torch.tensor(where))
    mean, variance = process.predict(where)
    np.testing.assert_allclose(mean, posterior.mean.ravel(), atol=1e-7)
    np.testing.assert_allclose(variance, posterior.variance.ravel(), atol=1e-7)
