"""How many floating-point operations does training take? Exactly, from multiply-adds, images and epochs.

Forward and backward pass of the training images alone: validation, test, and epochs that were begun and lost with
their process are not counted. An image counts in every epoch, also where an incomplete last batch is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from resnext_search.results.journal.rows import Trial
from resnext_search.search.planning.claim_trials import claim_trials
from resnext_search.spaces.architecture.architecture import Architecture
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.architecture.training_cost import FORWARD_PASSES, OPERATIONS
from resnext_search.spaces.claim.arms import claim_arms, claim_budget
from resnext_search.spaces.study.study import Phase, Study


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


class Load(NamedTuple):
    """Trials of a phase: how many, the multiply-adds of an image, and how many images each trains on in an epoch."""

    phase: Phase
    trials: int
    multiply_adds: int
    images: int


def loads(study: Study) -> list[Load]:
    """What the phases of a study have to train: search and, with a claim, tuning and confirmation.

    Images are 0 for an `image_folder` whose study does not say how many it trains on.
    """
    train, validation = study.data.split_sizes(study.facts().train_images)
    train, band = max(train, 0), study.band().target
    planned = [Load("search", study.search.trials, band, train)]
    if study.claim is not None:
        trials, budget, together = claim_trials(study), claim_budget(study), train and train + validation
        planned += [
            Load("tune", trials.tune, budget, train),
            Load("confirm", trials.confirm_arms, budget, together),
            Load("confirm", trials.confirm_finalists, band, together),
        ]
    return planned


def training_flops(study: Study) -> float | None:
    """Floating-point operations of the whole study (multiply and add counted apart), validation and test left out.

    None for an `image_folder` whose study does not say how many images it trains on.
    """
    flops = phase_flops(study)
    return None if flops is None else sum(flops.values())


def phase_flops(study: Study) -> dict[Phase, float] | None:
    """The same by phase."""
    flops: dict[Phase, float] = {}
    for load in loads(study):
        passes = FORWARD_PASSES * load.trials * load.images * study.trainer.epochs
        flops[load.phase] = flops.get(load.phase, 0.0) + float(OPERATIONS * passes * load.multiply_adds)
    return flops if any(flops.values()) else None


def spent_flops(study: Study, trials: Sequence[Trial]) -> float | None:
    """Floating-point operations of the epochs trained so far, counted as `forecast.training_flops` counts.

    None where the number of images is not known.
    """
    planned = dict(zip(_PHASES, loads(study), strict=False))
    if not planned["search"].images:
        return None
    forward = sum(trial.epochs * planned[trial.phase].images * planned[trial.phase].multiply_adds for trial in trials)
    return float(OPERATIONS * FORWARD_PASSES * forward)


_PHASES: tuple[Phase, ...] = ("search", "tune", "confirm")
