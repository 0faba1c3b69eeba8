"""What does the search know of a study that its tables do not show? Its plans and its model, gathered once."""

from __future__ import annotations

from collections import Counter

from resnext_search.results.journal.folder import StudyFolder, is_live
from resnext_search.results.journal.journal import Journal
from resnext_search.results.search_summary import Chosen, Level, Place, Prediction, SearchSummary
from resnext_search.search.monitor.status import read_audit
from resnext_search.search.monitor.text import audit_words
from resnext_search.search.planning.claim_trials import planned_trials
from resnext_search.search.planning.workload import phase_flops
from resnext_search.search.surrogate.effects import AXES, effects_of, surface
from resnext_search.search.surrogate.gaussian_process import one_thread
from resnext_search.search.surrogate.study_model import rank_trials, read_posterior
from resnext_search.spaces.architecture.architecture import dashed
from resnext_search.spaces.study.configuration import Configuration


def from_search(folder: StudyFolder, journal: Journal, *, model: bool = True) -> SearchSummary:
    """What only the search knows of a study; without its `model`, which takes most of the time, its plans alone."""
    study = journal.study()
    audit = read_audit(journal)
    with one_thread():
        outlook = read_posterior(journal) if model else None
        belief = None if outlook is None else outlook.model
        ranked = rank_trials(journal, belief) if model else []
        effects = [] if outlook is None else effects_of(outlook, study.seed)
        spots = [] if outlook is None else surface(outlook, study.seed)
    tried = Counter[tuple[str, int]]()
    for trial, _ in ranked:
        architecture = trial.configuration.architecture
        tried.update((axis, getattr(architecture, axis)) for axis in AXES)
    return SearchSummary(
        is_live(folder),
        planned_trials(study, journal),
        phase_flops(study),
        len(study.feasible_set()),
        Chosen(ranked[0].trial.trial_id, ranked[0].expected_error) if ranked else None,
        [
            Level(
                effect.axis,
                effect.value,
                _prediction(effect.best, effect.median, effect.low, effect.high),
                tried[effect.axis, effect.value],
            )
            for effect in effects
        ],
        [
            Place(
                spot.best.architecture.cardinality,
                spot.best.architecture.depth,
                spot.best.architecture.width,
                _prediction(spot.best, spot.error, spot.low, spot.high),
            )
            for spot in spots
        ],
        None if audit is None else audit_words(audit),
    )


def _prediction(best: Configuration, error: float, low: float, high: float) -> Prediction:
    architecture = best.architecture
    rate = dict(best.knobs).get("learning_rate")
    return Prediction(architecture.name, dashed(architecture.blocks), rate, error, low, high)
