"""Which trial is chosen? The one whose error is lowest by the model: the lowest that was reported often was lucky.

Starts without torch, Ax and Ray: the model is fitted anew, in closed form.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from resnext_search.results.journal import Journal, Trial
from resnext_search.search.belief import Belief
from resnext_search.search.observations import Observations, can_learn
from resnext_search.search.pool import Pool
from resnext_search.search.threads import one_thread
from resnext_search.search.told import read_observations
from resnext_search.spaces.complexity import Integers
from resnext_search.spaces.knobs import Floats


class RankedTrial(NamedTuple):
    """A completed trial of the search, and the error in percent that is expected of it without its luck."""

    trial: Trial
    expected_error: float | None  # None before there is a model


def ranked_trials(journal: Journal, belief: Belief | None = None) -> list[RankedTrial]:
    """The completed trials of the search, best first; empty before any completed.

    It depends on what has ended of the search and on nothing else, so that it is the same whenever a study continues.

    Args:
        journal: Of the study.
        belief: What the model holds after these trials, if it was fitted already.
    """
    completed = journal.trials(phase="search", states=["completed"])
    if not completed:
        return []
    study = journal.study()
    pool = Pool(study.feasible_set(), study.knobs())
    places = pool.places_of([trial.configuration for trial in completed])
    errors = np.array([trial.validation_error for trial in completed], dtype=float)
    if belief is None:
        order, expected = rank(places, errors, read_observations(journal, pool))
    else:
        with one_thread():
            expected = belief.expected(places)
        order = np.argsort(expected, kind="stable")
    return [RankedTrial(completed[i], None if expected is None else float(expected[i])) for i in order]


def rank(places: Floats, errors: Floats, told: Observations) -> tuple[Integers, Floats | None]:
    """Rank completed trials by the error that the model expects of them; ties go to the first.

    Args:
        places: `(n, d)` array of the completed trials, in the order of the proposals; n is at least 1.
        errors: `(n,)` array of their reported errors in percent.
        told: What the model is told: these trials, and estimates of those that were stopped.

    Returns:
        `(n,)` positions, best first, and the `(n,)` expected errors. With fewer than two differing errors, or no
        features, there is no model: the order is that of the reported errors, and nothing is expected.
    """
    if not can_learn(places.shape[1], errors.tolist()):
        return np.argsort(errors, kind="stable"), None
    with one_thread():
        expected = Belief.after(told).expected(places)
    return np.argsort(expected, kind="stable"), expected
