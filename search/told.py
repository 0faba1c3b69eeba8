"""What is the model told of a study? Its completed trials, and estimates of the stopped ones, from the journal.

Starts without torch, Ax and Ray.
"""

from __future__ import annotations

from resnext_search.results.journal import Journal, Trial
from resnext_search.search.curves import Curve, Stopped, learned
from resnext_search.search.observations import Observations
from resnext_search.search.pool import Pool


def read_observations(journal: Journal, pool: Pool) -> Observations:
    """What the optimizer of a study has been told, in the order of the proposals; at least one trial has completed."""
    audit = journal.study().search.audit
    trials = {trial.trial_id: trial for trial in journal.trials(phase="search", states=["completed", "stopped"])}
    read = {number: read_outcome(journal, trial, audit) for number, trial in trials.items()}
    told = learned(
        {number: outcome for number, (outcome, _) in read.items()},
        {number: curve for number, (_, curve) in read.items()},
    )
    places = pool.places_of([trials[number].configuration for number in told.numbers])
    return Observations(places, told.errors, told.variances)


def read_outcome(journal: Journal, trial: Trial, audit: float) -> tuple[float | Stopped, Curve]:
    """What came of a trial that was completed or stopped, and how it got there.

    Args:
        journal: Where its epochs stand.
        trial: One of the search.
        audit: The share of the trials to be stopped that was trained on.
    """
    errors = tuple(row.validation_error for row in journal.epochs(trial.trial_id) if row.validation_error is not None)
    if trial.validation_error is None:
        return Stopped(len(errors), errors[-1]), Curve(errors)
    return trial.validation_error, Curve(errors, 1.0 if trial.stop_epoch is None else 1 / audit)
