"""What does the model believe? A Gaussian process in closed form: its fit, its predictions, its samples.

The same model as BoTorch's `SingleTaskGP` (a squared exponential kernel of unit scale, one length-scale a feature,
normal noise, a constant mean) under the same priors, so that either can be checked against the other. Written out
because automatic differentiation would be most of the time of a proposal, and so that `export` can say what was learned
without importing torch. Imports numpy and scipy alone.

Outcomes are standardized; features lie in the unit cube, `(n, d)` arrays with a row a point.

One thread: while a study runs, its trials keep all cores busy. On two such cores a proposal takes 0.3 s with one thread
and 4 to 7 s with two, which wait for each other. And bits may depend on the number of threads; so they do not here.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from resnext_search.spaces.architecture.complexity import Floats
from scipy.linalg import solve_triangular
from scipy.linalg.lapack import dpotrf, dpotri, dpotrs
from scipy.optimize import minimize
from threadpoolctl import ThreadpoolController

# Hvarfner et al. 2024, arXiv:2402.02229: length-scales are log-normal with this spread around a centre that grows with
# the root of the number of features, so that the prior is as simple in many features as in few.
LENGTHSCALE_SPREAD = math.sqrt(3)
NOISE_CENTRE, NOISE_SPREAD = -4.0, 1.0
SMALLEST_LENGTHSCALE, SMALLEST_NOISE = 2.5e-2, 1e-4

# 5,000 points and 1,000 trials are 40 MB; all 50,000 candidates of a large pool would be ten times that.
PREDICTED_AT_ONCE = 5_000
# far above anything the priors let through; keeps a step of the optimizer from overflowing
LARGEST_LOGARITHM = 10.0


def lengthscale_centre(dimensions: int) -> float:
    """Centre of the prior of a logarithmic length-scale, by the number of features."""
    return math.sqrt(2) + 0.5 * math.log(dimensions)


@dataclass(frozen=True)
class Hyperparameters:
    """Length-scales `(d,)` and the variance of the noise, in standardized outcomes."""

    lengthscales: Floats
    noise: float

    @property
    def logarithms(self) -> Floats:
        """`(d + 1,)` array: the fit works on a log scale."""
        return np.asarray(np.log(np.append(self.lengthscales, self.noise)))

    @classmethod
    def from_logarithms(cls, logarithms: Floats) -> Hyperparameters:
        """The inverse of `logarithms`, from a `(d + 1,)` array."""
        return cls(np.exp(logarithms[:-1]), math.exp(logarithms[-1]))


def fit(features: Floats, outcomes: Floats, variances: Floats | float = 0.0) -> Hyperparameters:
    """The hyperparameters that are most probable after these outcomes, by L-BFGS-B from the mode of the prior.

    Args:
        features: `(n, d)` array.
        outcomes: `(n,)` array, standardized.
        variances: `(n,)` array of what each outcome is uncertain by beyond the noise.
    """
    centres, spreads = _prior(features.shape[1])
    smallest = [math.log(SMALLEST_LENGTHSCALE)] * features.shape[1] + [math.log(SMALLEST_NOISE)]
    found = minimize(
        lambda logarithms: tuple(-part for part in log_posterior(logarithms, features, outcomes, variances)),
        centres - spreads**2,
        jac=True,
        method="L-BFGS-B",
        bounds=[(low, LARGEST_LOGARITHM) for low in smallest],
        options={"ftol": 1e-9, "gtol": 1e-5, "maxiter": 200},
    )
    return Hyperparameters.from_logarithms(found.x)


def log_posterior(
    logarithms: Floats, features: Floats, outcomes: Floats, variances: Floats | float = 0.0
) -> tuple[float, Floats]:
    """Log density of the outcomes and of the priors, for each trial, with its gradient.

    The mean is the one that maximizes it, so that the gradient needs no term for it.

    Args:
        logarithms: `(d + 1,)` array, as of `Hyperparameters`.
        features: `(n, d)` array.
        outcomes: `(n,)` array.
        variances: As in `fit`.

    Source:
        Rasmussen and Williams 2006, eq. (2.30) and (5.9). BoTorch's objective is the same: priors are densities of the
        length-scale, not of its logarithm, and everything is divided by n.
    """
    process = GaussianProcess(features, outcomes, Hyperparameters.from_logarithms(logarithms), variances=variances)
    lengthscales, noise = process.hyperparameters.lengthscales, process.hyperparameters.noise
    likelihood = -0.5 * (outcomes - process.mean) @ process.weights - np.log(process.factor.diagonal()).sum()
    likelihood -= 0.5 * len(outcomes) * math.log(2 * math.pi)
    lower = dpotri(process.factor, lower=1)[0]
    inverse = np.tril(lower) + np.tril(lower, -1).T
    slopes = np.outer(process.weights, process.weights) - inverse  # twice the derivative by the covariance
    weighted = slopes * process.correlations
    scaled = features / lengthscales
    by_lengthscale = weighted.sum(axis=1) @ scaled**2 - np.einsum("id,id->d", scaled, weighted @ scaled)
    gradient = np.append(by_lengthscale, 0.5 * slopes.trace() * noise)
    centres, spreads = _prior(features.shape[1])
    from_centre = (logarithms - centres) / spreads
    prior = -0.5 * (from_centre**2).sum() - (np.log(spreads) + 0.5 * math.log(2 * math.pi) + logarithms).sum()
    gradient += -from_centre / spreads - 1
    return float(likelihood + prior) / len(outcomes), gradient / len(outcomes)


class GaussianProcess:
    """The model after some outcomes.

    Args:
        features: `(n, d)` array of what was tried; n is at least 1.
        outcomes: `(n,)` array of what came of it, standardized.
        hyperparameters: As fitted.
        mean: What is expected far from everything; the most probable value without it.
        variances: `(n,)` array of what each outcome is uncertain by beyond the noise.
    """

    def __init__(
        self,
        features: Floats,
        outcomes: Floats,
        hyperparameters: Hyperparameters,
        mean: float | None = None,
        variances: Floats | float = 0.0,
    ) -> None:
        self.features, self.outcomes, self.hyperparameters = features, outcomes, hyperparameters
        self.variances = np.broadcast_to(variances, len(features))
        self.correlations = self._correlations(features, features)
        covariance = self.correlations + (hyperparameters.noise + self.variances) * np.eye(len(features))
        # LAPACK itself: of 20 trials, what scipy checks around it takes longer than the arithmetic
        self.factor: Floats
        self.factor, failed = dpotrf(covariance, lower=1, clean=1)
        if failed:
            raise np.linalg.LinAlgError("the covariance of the trials is not positive definite")
        if mean is None:
            ones = self._solve(np.ones(len(features)))
            mean = float(ones @ outcomes / ones.sum())
        self.mean = mean

    @cached_property
    def weights(self) -> Floats:
        """`(n,)` array: inverse covariance times what the outcomes differ from the mean by."""
        return self._solve(self.outcomes - self.mean)

    def predict(self, features: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the outcome without noise, `(m,)` arrays, at `(m, d)` features."""
        mean, variance = np.empty(len(features)), np.empty(len(features))
        for start in range(0, len(features), PREDICTED_AT_ONCE):
            part = slice(start, start + PREDICTED_AT_ONCE)
            shared = self._correlations(self.features, features[part])
            mean[part] = self.mean + self.weights @ shared
            solved = solve_triangular(self.factor, shared, lower=True, overwrite_b=True, check_finite=False)
            variance[part] = np.maximum(1 - np.einsum("nm,nm->m", solved, solved), 1e-12)
        return mean, variance

    def predict_mean(self, features: Floats) -> Floats:
        """`(m,)` array: the mean alone at `(m, d)` features, which costs far less."""
        return np.asarray(self.mean + self.weights @ self._correlations(self.features, features))

    def sample(self, features: Floats, samples: int, generator: np.random.Generator) -> Floats:
        """Outcomes without noise at `(m, d)` features that hang together, `(samples, m)` array."""
        solved = solve_triangular(
            self.factor, self._correlations(self.features, features), lower=True, check_finite=False
        )
        values, vectors = np.linalg.eigh(self._correlations(features, features) - solved.T @ solved)
        roots = vectors * np.sqrt(np.maximum(values, 0))  # those below 0 are rounding: near points are one point
        return np.asarray(self.predict_mean(features) + generator.standard_normal((samples, len(features))) @ roots.T)

    def conditioned(self, features: Floats, outcomes: Floats) -> GaussianProcess:
        """The model as if `(m,)` outcomes at `(m, d)` features had been seen too; hyperparameters and mean stay."""
        return GaussianProcess(
            np.concatenate([self.features, features]),
            np.concatenate([self.outcomes, outcomes]),
            self.hyperparameters,
            self.mean,
            np.append(self.variances, np.zeros(len(features))),
        )

    def _correlations(self, these: Floats, those: Floats) -> Floats:
        these, those = these / self.hyperparameters.lengthscales, those / self.hyperparameters.lengthscales
        squares = (these**2).sum(axis=1)[:, None] + (those**2).sum(axis=1) - 2 * these @ those.T
        return np.asarray(np.exp(-0.5 * np.maximum(squares, 0, out=squares)))

    def _solve(self, right: Floats) -> Floats:
        return np.asarray(dpotrs(self.factor, right, lower=1)[0])


def _prior(dimensions: int) -> tuple[Floats, Floats]:
    """Centres and spreads of the logarithms, `(dimensions + 1,)` arrays."""
    centres = np.append(np.full(dimensions, lengthscale_centre(dimensions)), NOISE_CENTRE)
    return centres, np.append(np.full(dimensions, LENGTHSCALE_SPREAD), NOISE_SPREAD)


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numpy and scipy use one thread within the block, and torch too if it is there."""
    torch = sys.modules.get("torch")  # not imported for its own sake: `export` starts without it
    before = torch.get_num_threads() if torch else 0
    if torch:
        torch.set_num_threads(1)
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        if torch:
            torch.set_num_threads(before)


@cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  what is not loaded yet would not be found

    return ThreadpoolController()
