"""Claims whose trials are ended by hand: nothing is trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from resnext_search.results import EpochRow, Journal, Trial
from resnext_search.search.planning.tuning_rounds import enqueue_tuning
from resnext_search.spaces import Study

from tests.support.journals import HERE, epoch_row

ARMS = ["cardinality", "width", "depth"]
# Of the tiny claim's three rates the middle one is best.
GOOD_RATES = {0.01: 9.0, 0.1: 8.0, 1.0: 9.0}


def rate_of(trial: Trial) -> float:
    """The learning rate of a trial."""
    return float(dict(trial.configuration.knobs)["learning_rate"])


def end_tuning(journal: Journal, error_at: Mapping[float, float]) -> None:
    """End all tuning trials that wait, with the error of their learning rate; one without fails."""
    for trial in journal.trials(phase="tune", states=["queued"]):
        journal.start(trial.trial_id, "x")
        if rate_of(trial) in error_at:
            journal.record_epoch(trial.trial_id, epoch_row(2, error_at[rate_of(trial)]), **HERE, final=True)
        else:
            journal.fail(trial.trial_id, "TrainingDiverged", "the loss is nan")


def end_round(journal: Journal) -> None:
    """End all tuning trials that wait, of whichever round; the nearer a rate is to 0.1, the lower its error."""
    rates = {rate_of(trial) for trial in journal.trials(phase="tune", states=["queued"])}
    end_tuning(journal, {rate: 8.0 + abs(math.log10(rate) + 1) for rate in rates})


def tune(study: Study, journal: Journal) -> None:
    """All rounds of the tuning, from the first to the last."""
    while enqueue_tuning(study, journal):
        end_round(journal)


def end_confirmation(journal: Journal, error_of: Callable[[Trial], float | None] = lambda _: 12.0) -> None:
    """End all confirming trials that wait, with the test error that is said of them; None for one that fails."""
    for trial in journal.trials(phase="confirm", states=["queued"]):
        journal.start(trial.trial_id, "x")
        if (error := error_of(trial)) is None:
            journal.fail(trial.trial_id, "TrainingDiverged", "the loss is nan")
        else:
            row = EpochRow(2, 0.1, 1.0, None, None, 0.25)
            journal.record_epoch(trial.trial_id, row, **HERE, final=True, test_error=error)
