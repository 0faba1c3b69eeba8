"""Which trials are not beaten in everything, and how much do they beat? Objectives are minimised.

Imports numpy, and moocore for fronts and hypervolumes of any number of objectives.
"""

from __future__ import annotations

import moocore
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
    front = np.asarray(~np.isnan(values).any(axis=1))
    front[front] = moocore.is_nondominated(values[front], keep_weakly=True)
    return front


def hypervolume_trace(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the unit cube every row dominates together with all rows before it.

    Args:
        values: `(trials, objectives)` array, minimised, without NaN; the reference point is 1 in every objective.

    Returns:
        `(trials,)` array that never falls, from 0 to 1; a row beyond the reference point adds nothing.

    >>> hypervolume_trace(np.array([[0.5, 0.5], [0.25, 0.75], [0.5, 0.75]])).tolist()
    [0.25, 0.3125, 0.3125]
    """
    front, trace = values[:0], np.empty(len(values))
    for number, row in enumerate(values):
        front = moocore.filter_dominated(np.vstack([front, row]))
        trace[number] = moocore.hypervolume(front, ref=1.0)
    return trace
