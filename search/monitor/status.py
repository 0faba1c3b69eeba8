"""How far is a study, and does early stopping stop the wrong trials? Facts from its journal, ready for JSON.

The trials that were to be stopped and were trained on by chance are a sample of all that were to be stopped: how many
of them would have won says how often the rule is wrong. Starts without torch, Ax and Ray.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from resnext_search.results.journal.folder import StudyFolder, is_live
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, FINALIST, LatencyRow, Trial
from resnext_search.results.statistics.estimates import clopper_pearson
from resnext_search.search.planning.claim_trials import planned_trials
from resnext_search.search.planning.forecast import remaining
from resnext_search.search.planning.workload import spent_flops, training_flops
from resnext_search.search.surrogate.trained import Trained, trained_configurations
from resnext_search.spaces.architecture.architecture import Architecture
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.study.configuration import describe
from resnext_search.spaces.study.study import Phase, Study


def budget_facts(study: Study, planned: Mapping[Phase, int], trials: Sequence[Trial]) -> dict[str, Any]:
    """What of the budget is used: trials, and floating-point operations of training, each with its whole."""
    return {
        "trials": {"used": sum(trial.state in ENDED for trial in trials), "of": sum(planned.values())},
        "training_flops": {"used": spent_flops(study, trials), "of": training_flops(study)},
    }


def read_status(folder: StudyFolder, journal: Journal) -> dict[str, Any]:
    """Counts by state, budget, time left, running trials with their curves, failures, early stopping, the best so far.

    `remaining` is None unless a run is at work and a trial has ended.
    """
    study, trials, now = journal.study(), journal.trials(), time.time()
    live = is_live(folder)
    planned = planned_trials(study, journal)
    left = remaining(study, planned, trials, now) if live else None
    return {
        "name": study.name,
        "folder": str(folder.path),
        "live": live,
        "trials": sum(planned.values()),
        "states": _states(trials, live),
        "phases": {
            phase: {"trials": count, "states": _states([t for t in trials if t.phase == phase], live)}
            for phase, count in planned.items()
        },
        "budget": budget_facts(study, planned, trials)
        | {"seconds": {"used": round(journal.active_seconds(), 1), "of": study.limits.time}},
        "remaining": left._asdict() if left is not None else None,
        "running": [_running(study, journal, trial, now) for trial in trials if live and trial.state == "running"],
        "failures": [
            {"trial": trial.trial_id, "class": trial.failure_class, "message": trial.failure_message}
            for trial in trials
            if trial.state == "failed"
        ],
        "early_stopping": read_audit(journal),
        "best": read_best(journal),
    }


def idle_seconds(busy: float, share: float) -> float:
    """How long to rest after so many seconds of work, so as to take no more than this share of a core.

    >>> idle_seconds(0.5, share=0.1)
    4.5
    """
    return busy * (1 / share - 1)


def _states(trials: list[Trial], live: bool) -> dict[str, int]:
    """How many trials are in each state; none runs where nobody is at work."""
    return dict(Counter(trial.state if live or trial.state != "running" else "interrupted" for trial in trials))


def read_best(journal: Journal) -> dict[str, Any] | None:
    """The configuration with the lowest validation error, ties to the first. None if there is none.

    Of all that can be handed over; of several trials the mean counts. It is the lowest of many noisy numbers, and so
    flatters: an honest estimate needs fresh seeds and test images.
    """
    found = trained_configurations(journal)
    if not found:
        return None
    return _facts(journal, min(found, key=lambda one: (one.error, one.trials[0].trial_id)))


# Architectures that `best` lists, the chosen one among them.
MOST_ARCHITECTURES = 6


def read_chosen(folder: StudyFolder, journal: Journal) -> dict[str, Any]:
    """The configuration whose error the model expects to be lowest, with that error, and the best of others.

    Of all that can be handed over, the search's and the arms'. `expected_validation_error` is None before there is a
    model; the configuration then has the lowest reported error. `candidates` are the best of each architecture.

    Raises:
        UsageError: No trial has been completed.
    """
    # brings scipy.optimize along, which `status` does without
    from resnext_search.search.surrogate.study_model import rank_configurations

    ranked = rank_configurations(journal)
    if not ranked:
        raise UsageError(f"{folder.path}: no trial has been completed yet")
    of_architectures: dict[Architecture, dict[str, Any]] = {}
    for trained, expected in ranked:
        architecture = trained.configuration.architecture
        if architecture not in of_architectures and len(of_architectures) < MOST_ARCHITECTURES:
            of_architectures[architecture] = _facts(journal, trained) | {"expected_validation_error": expected}
    chosen, *others = of_architectures.values()
    return chosen | {"candidates": [chosen, *others], "configurations": len(ranked)}


def _facts(journal: Journal, trained: Trained) -> dict[str, Any]:
    """What names a configuration and is needed to train it again, what it costs and what came of it."""
    trial, study = trained.trials[0], journal.study()
    architecture, latency = trained.configuration.architecture, journal.latency(trial)
    counts = complexity(study.network_template(), architecture)
    return {
        "trial": trial.trial_id,
        "trials": [one.trial_id for one in trained.trials],
        "phase": trial.phase,
        "arm": trial.arm,
        "origin": trained.origin,
        "architecture": architecture.name,
        "cardinality": architecture.cardinality,
        "group_widths": list(architecture.group_widths),
        "blocks": list(architecture.blocks),
        "recipe": trained.configuration.recipe(study.trainer).model_dump(exclude_none=True),
        "validation_error": trained.error,
        "confirmed": _confirmed(journal, trained),
        **{name: int(value) for name, value in counts._asdict().items()},
        **(dict.fromkeys(LatencyRow._fields) if latency is None else latency._asdict()),
    }


def _confirmed(journal: Journal, trained: Trained) -> dict[str, Any] | None:
    """Mean test error of a configuration on fresh seeds; None if it was not confirmed.

    Of an arm's tuning trial: of that arm, which is confirmed at the rate that its whole tuning has chosen.
    """
    confirmed = journal.trials(phase="confirm", states=["completed"])
    for trial in trained.trials:
        name = f"{FINALIST}{trial.trial_id:04d}" if trial.phase == "search" else trial.arm
        runs = [run for run in confirmed if run.arm == name]
        errors = [run.test_error for run in runs if run.test_error is not None]
        if errors:
            recipe = runs[0].configuration.recipe(journal.study().trainer)
            mean = sum(errors) / len(errors)
            return {"as": name, "runs": len(errors), "test_error": mean, "learning_rate": recipe.learning_rate}
    return None


def read_refit(folder: StudyFolder) -> dict[str, Any] | None:
    """What `refit` left in the folder; None if nothing, or nothing whole."""
    try:
        facts: dict[str, Any] = json.loads(folder.model.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts | {"folder": str(folder.path)}


def _running(study: Study, journal: Journal, trial: Trial, now: float) -> dict[str, Any]:
    epochs = journal.epochs(trial.trial_id)
    errors = [row.validation_error for row in epochs if row.validation_error is not None]
    first_attempt = trial.attempts == 1 and trial.started_at is not None
    return {
        "trial": trial.trial_id,
        "name": describe(trial.trial_id, trial.configuration),
        "epoch": len(epochs),
        "epochs": study.trainer.epochs,
        "validation_error": errors[-1] if errors else None,
        "curve": errors or [row.train_loss for row in epochs],  # a trial that confirms looks at no validation images
        "seconds": max(now - (trial.started_at or now), trial.seconds) if first_attempt else trial.seconds,
    }


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
