"""How many floating-point operations does training take? Exactly, from multiply-adds, images and epochs.

Forward and backward pass of the training images alone: validation, test, and epochs that were begun and lost with
their process are not counted. An image counts in every epoch, also where an incomplete last batch is left out.
"""

from __future__ import annotations

from resnext_search.results.costs import FORWARD_PASSES, OPERATIONS
from resnext_search.results.journal import Phase, Trial
from resnext_search.search.claim_trials import claim_trials
from resnext_search.spaces import Architecture, Study
from resnext_search.spaces.arms import claim_arms
from resnext_search.spaces.complexity import complexity


def training_images(study: Study, phase: Phase) -> int:
    """Images of an epoch: a trial that confirms trains on those of validation too. 0 where their number is unknown."""
    train, validation = study.data.split_sizes(study.facts().train_images)
    train = max(train, 0)
    return train + validation if train and phase == "confirm" else train


def epoch_flops(study: Study, phase: Phase, multiply_adds: int) -> int:
    """Operations of one epoch."""
    return OPERATIONS * FORWARD_PASSES * multiply_adds * training_images(study, phase)


def epoch_flops_of(study: Study, trial: Trial) -> int:
    """Operations of one epoch of a trial."""
    return epoch_flops(study, trial.phase, multiply_adds(study, trial.configuration.architecture))


def trained_flops(study: Study, trial: Trial) -> int:
    """Operations of the epochs of a trial that stand in the journal."""
    return trial.epochs * epoch_flops_of(study, trial)


def full_flops(study: Study, trial: Trial) -> int:
    """Operations of a trial that is trained to the end."""
    return study.trainer.epochs * epoch_flops_of(study, trial)


def search_trial_flops(study: Study) -> int:
    """What a trial of the search takes at most: the dearest architecture that the band allows, trained to the end."""
    return study.trainer.epochs * epoch_flops(study, "search", study.band().high)


def claim_flops(study: Study) -> int:
    """What the claim takes to tune its arms and to confirm them and the search's finalists; 0 without a claim.

    As far as the study file says it: tuning may turn out to need more.
    """
    if study.claim is None:
        return 0
    trials, arms = claim_trials(study), claim_arms(study)
    costs = [multiply_adds(study, arm.architecture) for arm in arms]
    tuning = trials.tune // len(arms) * sum(epoch_flops(study, "tune", cost) for cost in costs)
    confirming = study.claim.seeds * sum(epoch_flops(study, "confirm", cost) for cost in costs)
    finalists = trials.confirm_finalists * epoch_flops(study, "confirm", study.band().high)
    return study.trainer.epochs * (tuning + confirming + finalists)


def multiply_adds(study: Study, architecture: Architecture) -> int:
    """Of one image."""
    return int(complexity(study.network_template(), architecture).multiply_adds)
