"""Which trials does a claim about spaces need next? Networks that tune, then every network once, at its own rate.

Asked instead of `tuning_rounds.py` and `confirmation.py`, and like them of study and journal alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, Trial
from resnext_search.search.planning.looks import seeds_due
from resnext_search.search.planning.wanted import Wanted, lacking
from resnext_search.spaces.architecture.architecture import Architecture
from resnext_search.spaces.claim.population_fit import Network, PopulationFit, Tuning, fit_population
from resnext_search.spaces.claim.populations import populations, space_of
from resnext_search.spaces.claim.seeds import network_seed, tuning_seed
from resnext_search.spaces.claim.tuning import edge_of, planned_rates, wider_rates
from resnext_search.spaces.claim.tuning_fit import Point
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study


def missing_space_tuning(study: Study, journal: Journal) -> list[Wanted]:
    """Every network that tunes at every rate; and where a space's best rate is at the edge, wider ones for all.

    The k-th networks of both spaces share a seed.
    """
    done = journal.trials(phase="tune")
    if any(trial.state not in ENDED for trial in done):
        return []
    rates = wider_rates(study, _curves(done)) if done else planned_rates(study)
    wanted = [
        Wanted(name, _at(architecture, rate), tuning_seed(study, number))
        for rate in rates
        for pairs in zip(*(of.tuned.items() for of in populations(study)), strict=True)
        for number, (name, architecture) in [(_number(pairs[0][0]), pair) for pair in pairs]
    ]
    return lacking(wanted, done)


def missing_space_confirmation(study: Study, journal: Journal) -> list[Wanted]:
    """The networks up to the next look that were not trained yet, in an order shuffled for every number."""
    if any(trial.state not in ENDED for trial in journal.trials(phase="tune")):
        return []
    fit = tuned_spaces(study, journal)
    if fit is None:
        return []
    there = {trial.arm for trial in journal.trials(phase="confirm")}
    missing = []
    for number in range(seeds_due(study, journal)):
        generator = np.random.default_rng(derive_seed(study.root_seed, "order", number))
        for place in generator.permutation(2).tolist():
            of = populations(study)[place]
            name, architecture = list(of.compared.items())[number]
            if name not in there:
                rate = fit.rate(_network(of.name, architecture))
                missing.append(Wanted(name, _at(architecture, rate), network_seed(study, of.name, number)))
    return missing


def tuned_spaces(study: Study, journal: Journal) -> PopulationFit | None:
    """The fit that says every network's rate; None where a space's best rate is at the edge, or no trial is there."""
    trials = journal.trials(phase="tune")
    curves = _curves(trials)
    if len(curves) < 2 or any(edge_of(curve) or all(map(math.isnan, curve.values())) for curve in curves.values()):
        return None
    return fit_population(_tunings(trials), images=study.images_to_validate())


def _tunings(trials: Iterable[Trial]) -> list[Tuning]:
    of_arms: dict[str, list[Trial]] = {}
    for trial in trials:
        of_arms.setdefault(str(trial.arm), []).append(trial)
    return [
        Tuning(_network(space_of(arm) or arm, of[0].configuration.architecture), [_point(trial) for trial in of])
        for arm, of in of_arms.items()
    ]


def _point(trial: Trial) -> Point:
    error = math.nan if trial.validation_error is None else trial.validation_error
    return Point(dict(trial.configuration.knobs)["learning_rate"], error, trial.seed)


def _curves(trials: Iterable[Trial]) -> dict[str, dict[float, float]]:
    """Mean validation error by rate, of every space; NaN where a network failed."""
    errors: dict[str, dict[float, list[float]]] = {}
    for tuning in _tunings(trials):
        for point in tuning.points:
            errors.setdefault(tuning.network.space, {}).setdefault(point.rate, []).append(point.error)
    return {space: {rate: sum(of) / len(of) for rate, of in curve.items()} for space, curve in errors.items()}


def _network(space: str, architecture: Architecture) -> Network:
    return Network(space, architecture.cardinality, architecture.depth)


def _at(architecture: Architecture, rate: float) -> Configuration:
    return Configuration(architecture, (("learning_rate", rate),))


def _number(name: str) -> int:
    return int(name.rpartition("/t")[2])
