"""Which confirming trials does the claim need next: its arms and the search's finalists, on fresh seeds.

Derived from the study and the journal alone, so that a study that was broken off goes on where it was, and asking twice
adds nothing. Search and tuning trials choose; only those of the confirmation are evidence.
"""

from __future__ import annotations

import numpy as np
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, FINALIST, RUNNER_UP
from resnext_search.search.planning.looks import seeds_due, take_look
from resnext_search.search.planning.space_trials import missing_space_confirmation
from resnext_search.search.planning.tuning_rounds import chosen_rates, tuned_rates
from resnext_search.search.planning.wanted import Wanted, enqueue
from resnext_search.spaces.architecture.architecture import Architecture
from resnext_search.spaces.claim.arms import claim_arms
from resnext_search.spaces.claim.seeds import confirming_seed
from resnext_search.spaces.claim.tuning import RUNNER_UP_SEEDS
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study


def enqueue_confirmation(study: Study, journal: Journal) -> int:
    """Queue the confirming trials that are missing, seed by seed, in an order shuffled for every seed.

    Arms and the search's finalists run on the same seeds, up to those of the next look. If an arm's best learning rate
    lies at the edge of what was tried, no arm is confirmed: the comparison is invalid, and its seeds would be wasted.
    Returns how many were queued.
    """
    return enqueue(journal, "confirm", missing_confirmation(study, journal))


def enqueue_to_next_look(study: Study, journal: Journal) -> int:
    """The same; and where all up to a look has ended, the look is taken, and trials are queued up to the next one."""
    queued = enqueue_confirmation(study, journal)
    while not queued and take_look(study, journal):
        queued = enqueue_confirmation(study, journal)
    return queued


def missing_confirmation(study: Study, journal: Journal) -> list[Wanted]:
    """What `enqueue_confirmation` would queue; nothing while a tuning trial is left: it may choose the rate."""
    assert study.claim is not None  # callers ask first
    if study.claim.kind == "spaces":
        return missing_space_confirmation(study, journal)
    if any(trial.state not in ENDED for trial in journal.trials(phase="tune")):
        return []
    arms = _arms(study, journal)
    everywhere = finalists(study, journal) | arms
    few = _runners_up(study, journal) if arms and study.rules > 1 else {}
    confirmed = journal.trials(phase="confirm")
    there = {(trial.arm, trial.seed) for trial in confirmed}
    # an arm keeps the rate of its first block, also if its tuning is retried or its fit differs in the last digit
    begun = {str(trial.arm): trial.configuration for trial in confirmed}
    missing = []
    # with no arm there is nothing to look at
    for block in range(seeds_due(study, journal) if arms else study.claim.seeds):
        wanted = everywhere | few if block < RUNNER_UP_SEEDS else everywhere
        seed = confirming_seed(study, block)
        generator = np.random.default_rng(derive_seed(study.root_seed, "order", block))
        for name in generator.permutation(sorted(wanted)).tolist():
            if (name, seed) not in there:
                missing.append(Wanted(name, begun.get(name, wanted[name]), seed))
    return missing


def finalists(study: Study, journal: Journal) -> dict[str, Configuration]:
    """The search's best configurations by the model, by the name under which they are confirmed.

    No tuning trial is among them: its arm is confirmed in any case.
    """
    # brings scipy.optimize along, which `status` does without
    from resnext_search.search.surrogate.study_model import rank_trials

    assert study.claim is not None  # callers ask first
    best = [trial for trial, _ in rank_trials(journal) if trial.phase == "search"][: study.claim.finalists]
    return {f"{FINALIST}{trial.trial_id:04d}": trial.configuration for trial in best}


def _arms(study: Study, journal: Journal) -> dict[str, Configuration]:
    """The arms at their chosen rates, by their names; none if an arm has no such rate."""
    arms, rates = claim_arms(study), tuned_rates(journal)
    if len(rates) < len(arms):
        return {}
    return {arm.name: _at(arm.architecture, rates[arm.name]) for arm in arms}


def _runners_up(study: Study, journal: Journal) -> dict[str, Configuration]:
    """Every arm but the base at the rate that was second in its tuning: what would have come of that choice?"""
    chosen = chosen_rates(journal)
    return {
        f"{RUNNER_UP}{arm.name}": _at(arm.architecture, chosen[arm.name].runner_up)
        for arm in claim_arms(study)
        if arm.is_matched
    }


def _at(architecture: Architecture, rate: float) -> Configuration:
    return Configuration(architecture, (("learning_rate", rate),))
