"""How many trials does a claim take: to tune every arm, and to confirm them on fresh seeds?

Which ones they are say `tuning_rounds.py` and `confirmation.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED
from resnext_search.search.planning.tuning_rounds import tuned_rates
from resnext_search.spaces.claim.arms import claim_arms
from resnext_search.spaces.claim.tuning import planned_rates
from resnext_search.spaces.study.sections import ClaimConfig
from resnext_search.spaces.study.study import Phase, Study


class ClaimTrials(NamedTuple):
    """How many trials a claim takes: to tune, and to confirm the arms and the search's finalists."""

    tune: int
    confirm_arms: int
    confirm_finalists: int


def claim_trials(study: Study) -> ClaimTrials:
    """What a claim takes as far as its study file says; tuning may turn out to need more."""
    claim, arms = _claim(study), len(claim_arms(study))
    chosen = min(claim.finalists, study.search.trials)
    return ClaimTrials(arms * len(planned_rates(study)), arms * claim.seeds, chosen * claim.seeds)


def planned_trials(study: Study, journal: Journal) -> dict[Phase, int]:
    """How many trials every phase will have had at the end, as far as is known now."""
    planned: dict[Phase, int] = {"search": study.search.trials}
    if study.claim is None:
        return planned
    expected, tuning = claim_trials(study), journal.trials(phase="tune")
    tuned = bool(tuning) and all(trial.state in ENDED for trial in tuning)
    at_the_edge = tuned and len(tuned_rates(journal)) < len(claim_arms(study))
    planned["tune"] = max(expected.tune, len(tuning))
    planned["confirm"] = (0 if at_the_edge else expected.confirm_arms) + expected.confirm_finalists
    return planned


def _claim(study: Study) -> ClaimConfig:
    assert study.claim is not None  # callers ask first
    return study.claim
