"""Which configurations can a study hand over? All that were trained to the end on its data, in its band, by its recipe.

Trials of the search, and of the arms' tuning in every round: whoever wants the best network does not mind who proposed
it. What the model of the search is told is another matter, and stands in `seen_trials.py`. Starts without scipy, torch,
Ax and Ray.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import Trial
from resnext_search.search.surrogate.seen_trials import complete
from resnext_search.spaces.architecture.architecture import Architecture
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study


@dataclass(frozen=True)
class Trained:
    """A configuration with its trials that were completed, in their order; they differ in their seeds.

    All have a value for every searched knob; a tuning trial's are its rate and the recipe's others.
    """

    configuration: Configuration
    trials: tuple[Trial, ...]

    @property
    def error(self) -> float:
        """Mean validation error of the trials, in percent."""
        errors = [trial.validation_error for trial in self.trials if trial.validation_error is not None]
        return sum(errors) / len(errors)

    @property
    def origin(self) -> str:
        """Where it came from: the search, the tuning of an arm, or both."""
        return " and ".join(dict.fromkeys(origin_of(trial) for trial in self.trials))


def origin_of(trial: Trial) -> str:
    """Where a trial came from: `the search`, `the tuning of the arm width` or `the confirmation of width`."""
    if trial.phase == "search":
        return "the search"
    return f"the tuning of the arm {trial.arm}" if trial.phase == "tune" else f"the confirmation of {trial.arm}"


def trained_configurations(journal: Journal) -> list[Trained]:
    """Every configuration that can be handed over, in the order of its first trial.

    An arm outside the FLOP band, as the base of a `spend`, is none of them: it answers another question.
    """
    study = journal.study()
    trials = journal.trials(phase="search", states=["completed"])
    if study.claim is not None:
        tuning = journal.trials(phase="tune", states=["completed"])
        inside = _inside(study, {trial.configuration.architecture for trial in tuning})
        trials += [
            replace(trial, configuration=complete(study, trial.configuration))
            for trial in tuning
            if trial.configuration.architecture in inside
        ]
    groups: dict[Configuration, list[Trial]] = {}
    for trial in sorted(trials, key=lambda trial: trial.trial_id):
        if trial.validation_error is not None:
            groups.setdefault(trial.configuration, []).append(trial)
    return [Trained(configuration, tuple(group)) for configuration, group in groups.items()]


def _inside(study: Study, architectures: Iterable[Architecture]) -> set[Architecture]:
    """Those inside the FLOP band."""
    band, template = study.band(), study.network_template()
    return {each for each in architectures if band.low <= complexity(template, each).multiply_adds <= band.high}
