"""How many trials does a claim take: to tune every arm, and to confirm them on fresh seeds?

Which ones they are say `tuning_rounds.py` and `confirmation.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED
from resnext_search.search.planning.looks import seeds_at_the_end
from resnext_search.search.planning.space_trials import tuned_spaces
from resnext_search.search.planning.tuning_rounds import tuned_rates
from resnext_search.spaces.claim.arms import Arm, claim_arms
from resnext_search.spaces.claim.populations import is_tuned, populations
from resnext_search.spaces.claim.tuning import RUNNER_UP_SEEDS, planned_rates
from resnext_search.spaces.claim.tuning_fit import SECOND_RATES
from resnext_search.spaces.study.claim import ClaimConfig
from resnext_search.spaces.study.study import Phase, Study


class ClaimTrials(NamedTuple):
    """How many trials a claim takes: to tune, and to confirm the arms, their second-best rates and the finalists."""

    tune: int
    confirm_arms: int
    confirm_finalists: int
    confirm_runner_ups: int = 0

    @property
    def confirm(self) -> int:
        """All that confirm."""
        return self.confirm_arms + self.confirm_runner_ups + self.confirm_finalists


def claim_trials(study: Study, seeds: int | None = None) -> ClaimTrials:
    """What a claim takes as far as its study file says; tuning may turn out to need more.

    Confirmed on `claim.seeds` seeds, or on as many as are given.
    """
    seeds = _claim(study).seeds if seeds is None else seeds
    each = [arm_trials(study, arm, seeds) for arm in claim_arms(study)]
    tune, arms, _, runner_ups = (sum(numbers) for numbers in zip(*each, strict=True))
    if _claim(study).kind == "spaces":
        arms = len(populations(study)) * seeds
    return ClaimTrials(tune, arms, min(_claim(study).finalists, study.search.trials) * seeds, runner_ups)


def arm_trials(study: Study, arm: Arm, seeds: int) -> ClaimTrials:
    """What one arm of a claim takes, confirmed on so many seeds; a network of a space on one, or it is tuned."""
    rates = len(planned_rates(study))
    if _claim(study).kind == "spaces":
        return ClaimTrials(rates, 0, 0) if is_tuned(arm.name) else ClaimTrials(0, 1, 0)
    if study.rules == 1:
        return ClaimTrials(rates, seeds, 0)
    # the base only shows what the budget buys: no word rests on its second-best rate
    runner_ups = min(RUNNER_UP_SEEDS, seeds) if arm.is_matched else 0
    return ClaimTrials(rates + SECOND_RATES * _claim(study).tuning_seeds, seeds, 0, runner_ups)


def planned_trials(study: Study, journal: Journal) -> dict[Phase, int]:
    """How many trials every phase will have had at the end, as far as is known now; in the order of the phases."""
    searched: dict[Phase, int] = {"search": study.search.trials}
    if study.claim is None:
        return searched
    expected, tuning = claim_trials(study, seeds_at_the_end(study, journal)), journal.trials(phase="tune")
    tuned = bool(tuning) and all(trial.state in ENDED for trial in tuning)
    if study.claim.kind == "spaces":
        confirmed = 0 if tuned and tuned_spaces(study, journal) is None else expected.confirm
        return {"tune": max(len(tuning), expected.tune), **searched, "confirm": confirmed}
    at_the_edge = tuned and len(tuned_rates(journal)) < len(claim_arms(study))
    # the first round may have been widened, and with an arm at its edge there is no second
    as_written = len(claim_arms(study)) * len(planned_rates(study))
    first = max(as_written, sum(trial.seed == tuning[0].seed for trial in tuning))
    second = 0 if at_the_edge else expected.tune - as_written
    tune: dict[Phase, int] = {"tune": max(len(tuning), first + second)}
    confirm: dict[Phase, int] = {"confirm": expected.confirm_finalists if at_the_edge else expected.confirm}
    return (searched | tune if study.rules == 1 else tune | searched) | confirm


def _claim(study: Study) -> ClaimConfig:
    assert study.claim is not None  # callers ask first
    return study.claim
