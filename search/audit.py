"""Does early stopping stop the wrong trials? What it has saved, and what its audit found. Starts without torch.

The trials that were to be stopped and were trained on by chance are a sample of all that were to be stopped: how many
of them would have won says how often the rule is wrong.
"""

from __future__ import annotations

from typing import Any

from resnext_search.results.journal import ENDED, Journal
from resnext_search.results.statistics import clopper_pearson


def read_audit(journal: Journal) -> dict[str, Any] | None:
    """Counts over the search trials that have ended, ready for JSON; None where nothing is stopped early.

    An audited trial would have won if its error is below that of every trial that the rule let complete.
    """
    study = journal.study()
    if study.search.early_stopping == "none":
        return None
    trials = journal.trials(phase="search", states=ENDED)
    completed = [(t.validation_error, t.stop_epoch) for t in trials if t.validation_error is not None]
    best = min((error for error, stop in completed if stop is None), default=None)
    audited = [error for error, stop in completed if stop is not None]
    won = sum(best is not None and error < best for error in audited)
    low, high = clopper_pearson(won, len(audited))
    return {
        "rule": study.search.early_stopping,
        "stopped": sum(trial.state == "stopped" for trial in trials),
        "audited": len(audited),
        "would_have_won": won,
        "percent_low": round(100 * low, 1),
        "percent_high": round(100 * high, 1),
        "epochs": sum(trial.epochs for trial in trials),
        "full_length_epochs": study.trainer.epochs * len(trials),
    }
