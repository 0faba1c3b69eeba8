"""Which trials does the search learn from and choose among? Its own, and before them the tuning of the arms.

A tuning trial of the first round is trained and validated as a trial of the search is, on the same images: where its
architecture lies in the feasible set and its recipe within the searched ranges, it is an observation like any other.
Those of the second round are not: they may have another fold. Under `rules: 1` the search came first, and sees none.
Starts without scipy, torch, Ax and Ray.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import State, Trial
from resnext_search.spaces.claim.seeds import tuning_seed
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study


def seen_trials(journal: Journal, states: Sequence[State] = ()) -> list[Trial]:
    """The trials that the model is told: tuning trials first, then those of the search, each in their order.

    With states, those alone that are in one of them. The configuration of a tuning trial is complete: it has the
    recipe's values of the other searched knobs.
    """
    return [*tuning_trials_seen(journal, states), *journal.trials(phase="search", states=states)]


def tuning_trials_seen(journal: Journal, states: Sequence[State] = ()) -> list[Trial]:
    """The first of these; none without a claim and under `rules: 1`."""
    study = journal.study()
    if study.claim is None or study.rules == 1:
        return []
    feasible, seed, seen = study.feasible_set(), tuning_seed(study, 0), []
    for trial in journal.trials(phase="tune", states=states):
        configuration = complete(study, trial.configuration)
        if trial.seed == seed and configuration.architecture in feasible and _is_within_ranges(study, configuration):
            seen.append(replace(trial, configuration=configuration))
    return seen


def complete(study: Study, configuration: Configuration) -> Configuration:
    """The configuration with a value for every searched knob."""
    recipe = configuration.recipe(study.trainer)
    return replace(configuration, knobs=tuple((knob.name, getattr(recipe, knob.name)) for knob in study.knobs()))


def _is_within_ranges(study: Study, configuration: Configuration) -> bool:
    """Whether the search could have come near it: a widened range of rates goes beyond the search's."""
    values = dict(configuration.knobs)
    return all(knob.low <= values[knob.name] <= knob.high for knob in study.knobs())
