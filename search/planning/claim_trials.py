"""Which trials does the claim need next: the tuning of every arm, then its confirmation on fresh seeds.

Both are derived from the study and the journal alone, so that a study that was broken off goes on where it was, and
asking twice adds nothing. Search and tuning trials choose; only those of the confirmation are evidence.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import NamedTuple

import numpy as np
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, FINALIST, Trial
from resnext_search.spaces.claim.arms import Arm, claim_arms
from resnext_search.spaces.claim.tuning import RUNNER_UP_SEEDS, SECOND_RATES, planned_rates, tuned, wider_rates
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.sections import ClaimConfig
from resnext_search.spaces.study.study import Phase, Study


def enqueue_tuning(study: Study, journal: Journal) -> int:
    """Queue the tuning trials that are missing: for each arm the same learning rates, with one seed for all.

    One seed for all of them: rates and arms then differ in nothing else. When all have ended and some arm's best rate
    is the lowest or the highest that was tried, the range is widened on that side, for every arm, at most twice.
    Returns how many were queued; 0 when the tuning is complete.
    """
    done = journal.trials(phase="tune")
    if not done:
        rates = planned_rates(study)
    elif any(trial.state not in ENDED for trial in done):
        return 0
    else:
        rates = wider_rates(study, _curves(done))
    seed = derive_seed(study.root_seed, "tune")
    for rate in rates:
        for arm in claim_arms(study):
            configuration = Configuration(arm.architecture, (("learning_rate", rate),))
            journal.enqueue("tune", configuration, seed, "plan", arm=arm.name)
    return len(rates)


def tuned_rates(journal: Journal) -> dict[str, float]:
    """The best learning rate of every arm that is tuned inside its range; one at the edge has none."""
    return tuned(_curves(journal.trials(phase="tune")))


def enqueue_confirmation(study: Study, journal: Journal) -> int:
    """Queue the confirming trials that are missing, seed by seed, in an order shuffled for every seed.

    Arms and the search's finalists run on the same seeds. If an arm's best learning rate lies at the edge of what was
    tried, no arm is confirmed: the comparison is invalid, and its seeds would be wasted.
    Returns how many were queued.
    """
    claim, arms, rates = _claim(study), claim_arms(study), tuned_rates(journal)
    wanted = finalists(study, journal)
    if len(rates) == len(arms):
        wanted |= {arm.name: Configuration(arm.architecture, (("learning_rate", rates[arm.name]),)) for arm in arms}
    seeds = [derive_seed(study.root_seed, "confirm", block) for block in range(claim.seeds)]
    there = {(trial.arm, trial.seed) for trial in journal.trials(phase="confirm")}
    missing = 0
    for block, seed in enumerate(seeds):
        generator = np.random.default_rng(derive_seed(study.root_seed, "order", block))
        for name in generator.permutation(sorted(wanted)).tolist():
            if (name, seed) not in there:
                journal.enqueue("confirm", wanted[name], seed, "plan", arm=name)
                missing += 1
    return missing


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
    return ClaimTrials(tune, arms, min(_claim(study).finalists, study.search.trials) * seeds, runner_ups)


def arm_trials(study: Study, arm: Arm, seeds: int) -> ClaimTrials:
    """What one arm of a claim takes, confirmed on so many seeds."""
    rates = len(planned_rates(study))
    if study.rules == 1:
        return ClaimTrials(rates, seeds, 0)
    # the base only shows what the budget buys: no word rests on its second-best rate
    runner_ups = min(RUNNER_UP_SEEDS, seeds) if arm.is_matched else 0
    return ClaimTrials(rates + SECOND_RATES * _claim(study).tuning_seeds, seeds, 0, runner_ups)


def planned_trials(study: Study, journal: Journal) -> dict[Phase, int]:
    """How many trials every phase will have had at the end, as far as is known now."""
    planned: dict[Phase, int] = {"search": study.search.trials}
    if study.claim is None:
        return planned
    expected, tuning = claim_trials(study, _confirming_seeds(study, journal)), journal.trials(phase="tune")
    tuned = bool(tuning) and all(trial.state in ENDED for trial in tuning)
    at_the_edge = tuned and len(tuned_rates(journal)) < len(claim_arms(study))
    planned["tune"] = max(expected.tune, len(tuning))
    planned["confirm"] = expected.confirm_finalists if at_the_edge else expected.confirm
    return planned


def _confirming_seeds(study: Study, journal: Journal) -> int:
    """Seeds an arm at the end, as far as is known: those of the look that has said a word, if one has."""
    claim = _claim(study)
    decided = (look.seeds for look in journal.looks() if look.word not in ("inconclusive", "invalid"))
    return min((seeds for seeds in decided if seeds in (claim.looks or ())), default=claim.seeds)


def finalists(study: Study, journal: Journal) -> dict[str, Configuration]:
    """The search's best configurations by the model, by the name under which they are confirmed."""
    # brings scipy.optimize along, which `status` does without
    from resnext_search.search.surrogate.study_model import rank_trials

    best = rank_trials(journal)[: _claim(study).finalists]
    return {f"{FINALIST}{trial.trial_id:04d}": trial.configuration for trial, _ in best}


def _claim(study: Study) -> ClaimConfig:
    assert study.claim is not None  # callers ask first
    return study.claim


def _curves(trials: list[Trial]) -> dict[str, dict[float, float]]:
    """Validation error by learning rate, of every arm; NaN where a trial failed."""
    curves: dict[str, dict[float, float]] = defaultdict(dict)
    for trial in trials:
        error = math.nan if trial.validation_error is None else trial.validation_error
        curves[str(trial.arm)][dict(trial.configuration.knobs)["learning_rate"]] = error
    return curves
