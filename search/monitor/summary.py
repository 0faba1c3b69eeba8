"""What does the search know of a study that its tables do not show? Its plans and its model, gathered once."""

from __future__ import annotations

from resnext_search.results.journal.folder import StudyFolder, is_live
from resnext_search.results.journal.journal import Journal
from resnext_search.results.search_summary import Incumbent, SearchSummary
from resnext_search.search.monitor.status import read_audit
from resnext_search.search.monitor.text import audit_words
from resnext_search.search.planning.claim_trials import planned_trials
from resnext_search.search.planning.workload import phase_flops
from resnext_search.search.surrogate.effects import effects_of, surface
from resnext_search.search.surrogate.gaussian_process import one_thread
from resnext_search.search.surrogate.study_model import rank_trials, read_posterior


def summarize_search(folder: StudyFolder, journal: Journal, *, model: bool = True) -> SearchSummary:
    """What only the search knows of a study; without its `model`, which takes most of the time, its plans alone."""
    study = journal.study()
    audit = read_audit(journal)
    with one_thread():
        posterior = read_posterior(journal) if model else None
        ranked = rank_trials(journal, None if posterior is None else posterior.model) if model else []
        effects = [] if posterior is None else effects_of(posterior, study.root_seed)
        points = [] if posterior is None else surface(posterior, study.root_seed)
    return SearchSummary(
        is_live(folder),
        planned_trials(study, journal),
        phase_flops(study),
        len(study.feasible_set()),
        Incumbent(ranked[0].trial.trial_id, ranked[0].expected_error) if ranked else None,
        effects,
        points,
        None if audit is None else audit_words(audit),
    )
