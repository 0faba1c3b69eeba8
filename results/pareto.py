"""Which trials are not beaten in everything? Pareto fronts, all objectives minimised. Imports numpy alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def pareto_front(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Mark the non-dominated rows.

    A row is dominated by another that is at most equal in every objective and less in one. Equal rows do not dominate
    each other: all of them are marked, or none.

    Args:
        values: `(trials, objectives)` array, minimised. A row with a NaN counts as dominated and dominates nothing.

    Returns:
        `(trials,)` array of booleans; empty for no trials.

    >>> pareto_front(np.array([[1.0, 4.0], [2.0, 2.0], [3.0, 3.0], [4.0, 1.0]])).tolist()
    [True, True, False, True]
    """
    valid = np.asarray(~np.isnan(values).any(axis=1))
    front = valid.copy()
    for row in np.flatnonzero(valid):
        others = values[valid]
        beaten = (others <= values[row]).all(axis=1) & (others < values[row]).any(axis=1)
        front[row] = not beaten.any()
    return front
