"""What does the model predict for the candidates of a study, and how sure may it be?

A Gaussian process knows how far off it is only if errors are as smooth as its kernel has it, equally so everywhere, and
if its hyperparameters are those that were fitted. None of that is so. But every trial is a test of it: what was
predicted from the trials before it, and what came of it. If residuals are larger than predicted, deviations are
multiplied by as much. Trials that follow a proposal of the model test it where it promises most, and so for promising
too much as well. Imports numpy and scipy alone.

Source: Dawid 1984, "Present position and potential developments: some personal views. Statistical theory: the
prequential approach": a forecaster is judged by its forecasts of what came next, and by nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.search.surrogate.gaussian_process import GaussianProcess, Hyperparameters, fit
from resnext_search.search.surrogate.observations import (
    FITTED_TO,
    PREDICTED_FROM,
    LogScale,
    Observations,
    fitted_number,
)
from resnext_search.spaces.architecture.complexity import Floats, Integers
from scipy.special import ndtri, stdtrit

# The later half of the trials, and of many the last: a model of few trials is no judge of one of many.
FORECASTS = 30


@dataclass
class CandidatePosterior:
    """A model after some trials, and its predictions of the candidates: each is made once, when it is asked for."""

    pool: Candidates
    model: Posterior
    calibration_factor: float  # by what its intervals have to be multiplied, for what it was off so far
    _mean: Floats = field(init=False, repr=False)
    _variance: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._mean, self._variance = np.full(len(self.pool), np.nan), np.empty(len(self.pool))

    @classmethod
    def after(cls, pool: Candidates, observations: Observations) -> CandidatePosterior:
        """The posterior after these trials, at least one."""
        return cls(pool, Posterior.after(observations), calibration_factor(prequential_residuals(observations)))

    def predict(self, candidates: Integers) -> tuple[Floats, Floats]:
        """Mean and variance of the outcome without noise, `(m,)` arrays, of `(m,)` candidates by their numbers."""
        new = np.unique(candidates[np.isnan(self._mean[candidates])])
        if len(new):
            self._mean[new], self._variance[new] = self.model.process.predict(self.pool.features(new))
        return self._mean[candidates], self._variance[candidates]


@dataclass(frozen=True)
class Posterior:
    """The closed-form model of some errors, and the scale on which it has them."""

    process: GaussianProcess
    scale: LogScale

    @classmethod
    def after(
        cls, observations: Observations, hyperparameters: Hyperparameters | None = None, limit: int = PREDICTED_FROM
    ) -> Posterior:
        """The model after these trials, with hyperparameters fitted to them unless others are given.

        Of more trials than the limit it sees a part.
        """
        data, found = observations.to_predict(limit), hyperparameters or fitted(observations)
        return cls(GaussianProcess(data.features, data.outcomes, found, variances=data.variances), data.scale)

    def expected(self, features: Floats) -> Floats:
        """`(m,)` errors in percent that are expected at `(m, d)` features, without noise."""
        return self.scale.errors(self.process.predict_mean(features))

    def standardized_residual(self, features: Floats, error: float, variance: float = 0.0) -> float:
        """How many deviations, noise included, an error lies from what is expected at `(1, d)` features.

        Args:
            variance: Of the error, in percent squared, beyond the noise of a training.
        """
        mean, own = self.process.predict(features)
        beyond = self.scale.variances(np.array([error]), np.array([variance]))
        deviation = np.sqrt(own + self.process.hyperparameters.noise + beyond)
        return float(((self.scale.outcomes(np.array([error])) - mean) / deviation)[0])


def fitted(observations: Observations) -> Hyperparameters:
    """Hyperparameters fitted to these trials, or to as many of them as a fit may cost."""
    data = observations.to_fit()
    return fit(data.features, data.outcomes, data.variances)


def prequential_residuals(observations: Observations) -> Floats:
    """How far off the model of the trials before it was of each: `(k,)` array, as of `Posterior.standardized_residual`.

    Of the later half of the trials and at most the last `FORECASTS`; none of the first two, and so perhaps none at all.
    """
    features, errors, total = observations.features, observations.errors, len(observations.errors)
    variances = np.broadcast_to(observations.variances, total)
    residuals, fits = [], dict[int, Hyperparameters]()
    # Of very many trials a model sees a part in any case; thirty models of 1,000 take two seconds, of 300 hardly any.
    limit = PREDICTED_FROM if total <= PREDICTED_FROM else FITTED_TO
    for count in range(max(2, total - total // 2, total - FORECASTS), total):
        before, number = observations.first(count), fitted_number(count)
        if number not in fits:
            fits[number] = fitted(before)
        residuals.append(
            Posterior.after(before, fits[number], limit).standardized_residual(
                features[count : count + 1], float(errors[count]), float(variances[count])
            )
        )
    return np.array(residuals)


def calibration_factor(residuals: Floats) -> float:
    """By what to multiply the normal 95 % intervals of a model that was off by `(k,)` residuals; 1 without any.

    By their root mean square, at least 1: residuals smaller than predicted are no reason to be surer. And by what
    Student's quantile is above the normal one, since that root is known from so few.

    >>> round(calibration_factor(np.array([3.0, -3.0] * 15)), 2)  # 3 * 2.042 / 1.960
    3.13
    """
    if not len(residuals):
        return 1.0
    by_student = float(stdtrit(len(residuals), 0.975) / ndtri(0.975))
    return by_student * max(1.0, math.sqrt(float((residuals**2).mean())))
