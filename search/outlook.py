"""What does the model predict for the candidates of a study? Each of them once, however often it is asked.

Imports numpy and scipy alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from resnext_search.search.belief import Belief
from resnext_search.search.foresight import stretch, surprises
from resnext_search.search.observations import Observations
from resnext_search.search.pool import Pool
from resnext_search.spaces.complexity import Integers
from resnext_search.spaces.knobs import Floats


@dataclass
class Outlook:
    """A model after some trials, and the candidates of the study.

    Args:
        pool: The candidates.
        belief: What the model holds.
        stretch: By what its intervals have to be multiplied, for what it was off so far.
    """

    pool: Pool
    belief: Belief
    stretch: float
    _mean: Floats = field(init=False, repr=False)
    _variance: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._mean, self._variance = np.full(len(self.pool), np.nan), np.empty(len(self.pool))

    @classmethod
    def after(cls, pool: Pool, observations: Observations) -> Outlook:
        """The outlook after these trials, at least one."""
        return cls(pool, Belief.after(observations), stretch(surprises(observations)))

    def predict(self, candidates: Integers) -> tuple[Floats, Floats]:
        """Mean and variance of the outcome without noise, `(m,)` arrays, of candidates by their numbers."""
        new = np.unique(candidates[np.isnan(self._mean[candidates])])
        if len(new):
            self._mean[new], self._variance[new] = self.belief.process.predict(self.pool.places(new))
        return self._mean[candidates], self._variance[candidates]
