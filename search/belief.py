"""What does the model hold after some trials? The closed-form model with its data, without torch, Ax or Ray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from resnext_search.search.gaussian_process import GaussianProcess, Hyperparameters, fit
from resnext_search.search.observations import PREDICTED_FROM, LogScale, Observations
from resnext_search.spaces.knobs import Floats


@dataclass(frozen=True)
class Belief:
    """The model of some errors, and the scale on which it was told them."""

    process: GaussianProcess
    scale: LogScale

    @classmethod
    def after(
        cls, observations: Observations, hyperparameters: Hyperparameters | None = None, limit: int = PREDICTED_FROM
    ) -> Belief:
        """What the model holds after these trials, with hyperparameters fitted to them unless others are given.

        Of more trials than the limit it sees a choice.
        """
        data, found = observations.to_predict(limit), hyperparameters or fitted(observations)
        return cls(GaussianProcess(data.places, data.outcomes, found, variances=data.variances), data.scale)

    def expected(self, places: Floats) -> Floats:
        """`(m,)` errors in percent that are expected at `(m, d)` places, without noise."""
        return self.scale.errors(self.process.predict_mean(places))

    def surprise(self, place: Floats, error: float, variance: float = 0.0) -> float:
        """How many deviations, noise included, an error at a `(1, d)` place lies from what is expected there.

        Args:
            variance: Of the error, in percent squared, beyond the noise of a training.
        """
        mean, own = self.process.predict(place)
        beyond = self.scale.variances(np.array([error]), np.array([variance]))
        deviation = np.sqrt(own + self.process.hyperparameters.noise + beyond)
        return float(((self.scale.outcomes(np.array([error])) - mean) / deviation)[0])


def fitted(observations: Observations) -> Hyperparameters:
    """Hyperparameters fitted to these trials, or to as many of them as a fit may cost."""
    data = observations.to_fit()
    return fit(data.places, data.outcomes, data.variances)
