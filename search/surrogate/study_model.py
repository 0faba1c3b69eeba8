"""What does the model hold of a study? Its observations, predictions and ranking of trials, from the journal alone.

It is told the completed trials, and estimates of the stopped ones. The trial that is handed over is the one whose error
is lowest by the model: the lowest that was reported often was lucky. Starts without torch, Ax and Ray: the model is
fitted anew, in closed form.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import Trial
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.search.surrogate.gaussian_process import one_thread
from resnext_search.search.surrogate.learning_curves import Curve, Stopped, observe
from resnext_search.search.surrogate.observations import Observations, can_learn, joined
from resnext_search.search.surrogate.posterior import CandidatePosterior, Posterior
from resnext_search.search.surrogate.seen_trials import seen_trials
from resnext_search.search.surrogate.trained import Trained, trained_configurations
from resnext_search.spaces.architecture.complexity import Floats, Integers


def read_posterior(journal: Journal) -> CandidatePosterior | None:
    """The model of a study; None while fewer than two completed trials that it sees differ in their error."""
    study = journal.study()
    completed = seen_trials(journal, ["completed"])
    pool = Candidates(study.feasible_set(), study.knobs())
    errors = [trial.validation_error for trial in completed if trial.validation_error is not None]
    if not can_learn(len(pool.feature_names), errors):
        return None
    return CandidatePosterior.after(pool, read_observations(journal, pool))


def read_observations(journal: Journal, pool: Candidates) -> Observations:
    """What the optimizer of a study has been told, in the order of the proposals; at least one trial has completed."""
    audit = journal.study().search.audit
    trials = {trial.trial_id: trial for trial in seen_trials(journal, ["completed", "stopped"])}
    read = {number: read_outcome(journal, trial, audit) for number, trial in trials.items()}
    return observe(
        {number: outcome for number, (outcome, _) in read.items()},
        {number: curve for number, (_, curve) in read.items()},
        lambda numbers: pool.features_of([trials[number].configuration for number in numbers]),
    )[1]


def read_outcome(journal: Journal, trial: Trial, audit: float) -> tuple[float | Stopped, Curve]:
    """What came of a trial that was completed or stopped, and how it got there.

    Args:
        journal: Where its epochs stand.
        trial: One that the model sees.
        audit: The share of the trials to be stopped that was trained on.
    """
    errors = tuple(row.validation_error for row in journal.epochs(trial.trial_id) if row.validation_error is not None)
    if trial.validation_error is None:
        return Stopped(len(errors), errors[-1]), Curve(errors)
    return trial.validation_error, Curve(errors, 1.0 if trial.stop_epoch is None else 1 / audit)


class RankedTrial(NamedTuple):
    """A completed trial, and the error in percent that is expected of it without its luck."""

    trial: Trial
    expected_error: float | None  # None before there is a model


def rank_trials(journal: Journal, model: Posterior | None = None) -> list[RankedTrial]:
    """The completed trials that the model sees, best first; empty before any completed.

    Trials of the search and, if its arms are tuned before it, of their tuning. It depends on what has ended of these
    and on nothing else, so that it is the same whenever a study continues.

    Args:
        journal: Of the study.
        model: That after these trials, if it was fitted already.
    """
    completed = seen_trials(journal, ["completed"])
    if not completed:
        return []
    study = journal.study()
    pool = Candidates(study.feasible_set(), study.knobs())
    features = pool.features_of([trial.configuration for trial in completed])
    errors = np.array([trial.validation_error for trial in completed], dtype=float)
    if model is None:
        order, expected = rank(features, errors, read_observations(journal, pool))
    else:
        with one_thread():
            expected = model.expected(features)
        order = np.argsort(expected, kind="stable")
    return [RankedTrial(completed[i], None if expected is None else float(expected[i])) for i in order]


class RankedConfiguration(NamedTuple):
    """A configuration that can be handed over, and the error in percent that is expected of it without its luck."""

    trained: Trained
    expected_error: float | None  # None before there is a model


def rank_configurations(journal: Journal, model: Posterior | None = None) -> list[RankedConfiguration]:
    """Every configuration that can be handed over, best first; empty before any was trained to the end.

    They are ranked by a model that is told all of their trials: what the search sees, and the rest of the arms' tuning,
    each trial as one observation, so that of several seeds the mean counts. The search itself is told none of this.

    Args:
        journal: Of the study.
        model: That after the trials that the search sees, if it was fitted already; of use where there are no others.
    """
    found = trained_configurations(journal)
    if not found:
        return []
    study = journal.study()
    pool = Candidates(study.feasible_set(), study.knobs())
    seen = {trial.trial_id for trial in seen_trials(journal, ["completed"])}
    others = [trial for one in found for trial in one.trials if trial.trial_id not in seen]
    features = pool.features_of([one.configuration for one in found])
    errors = np.array([one.error for one in found])
    if model is None or others:
        told = [*([read_observations(journal, pool)] if seen else []), *([_observed(others, pool)] if others else [])]
        order, expected = rank(features, errors, joined(told))
    else:
        with one_thread():
            expected = model.expected(features)
        order = np.argsort(expected, kind="stable")
    return [RankedConfiguration(found[i], None if expected is None else float(expected[i])) for i in order]


def _observed(trials: Sequence[Trial], pool: Candidates) -> Observations:
    """Completed trials as the model is told of them."""
    features = pool.features_of([trial.configuration for trial in trials])
    return Observations(features, np.array([trial.validation_error for trial in trials], dtype=float))


def rank(features: Floats, errors: Floats, observations: Observations) -> tuple[Integers, Floats | None]:
    """Rank completed trials by the error that the model expects of them; ties go to the first.

    Args:
        features: `(n, d)` array of the completed trials, in the order of the proposals; n is at least 1.
        errors: `(n,)` array of their reported errors in percent.
        observations: What the model is told: these trials, and estimates of those that were stopped.

    Returns:
        `(n,)` positions, best first, and the `(n,)` expected errors. With fewer than two differing errors, or no
        features, there is no model: the order is that of the reported errors, and nothing is expected.
    """
    if not can_learn(features.shape[1], errors.tolist()):
        return np.argsort(errors, kind="stable"), None
    with one_thread():
        expected = Posterior.after(observations).expected(features)
    return np.argsort(expected, kind="stable"), expected
