"""What does the search know of a study that its tables do not show? Its plans and its model, gathered once."""

from __future__ import annotations

from resnext_search.results.journal.folder import StudyFolder, is_live
from resnext_search.results.journal.journal import Journal
from resnext_search.results.search_summary import Incumbent, SearchSummary
from resnext_search.search.monitor.status import read_audit
from resnext_search.search.monitor.text import audit_words
from resnext_search.search.planning.claim_trials import planned_trials
from resnext_search.search.planning.workload import phase_flops
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.search.surrogate.effects import effects_of, surface
from resnext_search.search.surrogate.gaussian_process import one_thread
from resnext_search.search.surrogate.study_model import rank_configurations, read_posterior
from resnext_search.search.surrogate.trained import Trained
from resnext_search.spaces.study.study import Phase, Study


def summarize_search(folder: StudyFolder, journal: Journal, *, model: bool = True) -> SearchSummary:
    """What only the search knows of a study; without its `model`, which takes most of the time, its plans alone."""
    study = journal.study()
    audit = read_audit(journal)
    with one_thread():
        posterior = read_posterior(journal) if model else None
        ranked = rank_configurations(journal, None if posterior is None else posterior.model) if model else []
        effects = [] if posterior is None else effects_of(posterior, study.root_seed)
        points = [] if posterior is None else surface(posterior, study.root_seed)
    return SearchSummary(
        is_live(folder),
        _planned(study, journal),
        phase_flops(study),
        len(study.feasible_set()),
        _incumbent(*ranked[0]) if ranked else None,
        effects,
        points,
        None if audit is None else audit_words(audit),
    )


def _planned(study: Study, journal: Journal) -> dict[Phase, int]:
    """By phase; a search makes no more trials than there are configurations."""
    planned, feasible = planned_trials(study, journal), study.feasible_set()
    if planned["search"] > len(feasible):
        planned["search"] = min(planned["search"], len(Candidates(feasible, study.knobs())))
    return planned


def _incumbent(trained: Trained, expected: float | None) -> Incumbent:
    name, trials = trained.configuration.architecture.name, trained.trials
    return Incumbent(trials[0].trial_id, name, trained.origin, trained.error, len(trials), expected)
