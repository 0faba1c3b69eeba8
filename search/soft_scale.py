"""On what scale is an error learned, if those of a learning rate too high are many times the others? On a soft one.

The proposals cut such errors off, as outliers: they need to know what is good, and a cut of what is bad is nothing to
them. Here it would be, for most trials lie where the search looked for the lowest error: what is cut off is all that is
known of cardinalities and depths that are bad, and the model took them for as good as the cut (on made-up surfaces the
cut lay at 5.4 % where the truth of some was 5.9 %). So errors above the median are drawn together instead, and none
becomes the same as another. Imports numpy alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from resnext_search.spaces.knobs import Floats

# Quartile distances above the median where an error grows half as fast as below. Of 0.25 to 4, on 30 made-up surfaces
# (benchmarks/effects_coverage.py, seeds 1000 to 1029), 4 came nearest to the truth: off by 0.14 points, 0.20 with the
# cut. Without any scale it was 0.13, but no trial can err more than 25 % there, and one of 90 % would flatten the rest.
UNIT = 4.0


@dataclass(frozen=True)
class SoftScale:
    """Errors as they are up to `middle`, and growing as the logarithm above it; smooth, increasing, invertible.

    >>> scale = SoftScale(middle=5.0, unit=1.0)
    >>> scale.soften(np.array([4.0, 5.0, 6.0, 90.0])).round(2).tolist()
    [4.0, 5.0, 5.69, 9.45]
    >>> scale.harden(scale.soften(np.array([4.0, 90.0]))).round(9).tolist()
    [4.0, 90.0]
    """

    middle: float
    unit: float

    @classmethod
    def of(cls, errors: Floats) -> SoftScale:
        """The scale of `(n,)` errors: from their median, in units of their quartile distance."""
        lower, middle, upper = np.percentile(errors, [25, 50, 75]).tolist()
        # if most errors are equal, the range of all; if all are, any unit will do
        return cls(middle, UNIT * ((upper - lower) or float(np.ptp(errors)) or 1.0))

    def soften(self, errors: Floats) -> Floats:
        """The errors on this scale."""
        above = np.maximum(errors - self.middle, 0)
        return np.asarray(np.minimum(errors, self.middle) + self.unit * np.log1p(above / self.unit))

    def harden(self, softened: Floats) -> Floats:
        """The errors in percent again."""
        above = np.maximum(softened - self.middle, 0)
        return np.asarray(np.minimum(softened, self.middle) + self.unit * np.expm1(above / self.unit))
