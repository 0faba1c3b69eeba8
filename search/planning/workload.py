"""How many floating-point operations does training take? Exactly, from multiply-adds, images and epochs.

Forward and backward pass of the training images alone: validation, test, and epochs that were begun and lost with
their process are not counted. An image counts in every epoch, also where an incomplete last batch is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from resnext_search.results.journal.rows import Trial
from resnext_search.search.planning.claim_trials import arm_trials, claim_trials
from resnext_search.spaces.architecture import training_cost
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.claim.arms import Arm, claim_arms
from resnext_search.spaces.study.study import Phase, Study


def epoch_images(study: Study, phase: Phase) -> int:
    """Images of an epoch; 0 where their number is not known.

    For an `image_folder` whose study says nothing of validation, a trial that confirms counts with the images that the
    others train on: it trains on more.
    """
    return study.images_per_epoch(phase) or study.images_per_epoch("search") or 0


def trial_flops(study: Study, trial: Trial, epochs: int) -> int:
    """Operations of so many epochs of a trial."""
    cost = int(complexity(study.network_template(), trial.configuration.architecture).multiply_adds)
    return epochs * training_cost.training_flops(cost, epoch_images(study, trial.phase))


class Load(NamedTuple):
    """Trials of a phase: how many, the multiply-adds of an image, and how many images each trains on in an epoch."""

    phase: Phase
    trials: int
    multiply_adds: int
    images: int

    def epoch_flops(self) -> int:
        """Operations of an epoch of all of them."""
        return self.trials * training_cost.training_flops(self.multiply_adds, self.images)


def search_trial_flops(study: Study) -> int:
    """What a trial of the search takes at most: the dearest architecture that the band allows, trained to the end."""
    return study.trainer.epochs * Load("search", 1, study.band().high, epoch_images(study, "search")).epoch_flops()


def claim_flops(study: Study) -> int:
    """What the claim takes to tune its arms and to confirm them and the search's finalists; 0 without a claim.

    As far as the study file says it: tuning may turn out to need more.
    """
    if study.claim is None:
        return 0
    finalists, together = claim_trials(study).confirm_finalists, epoch_images(study, "confirm")
    planned = [Load("confirm", finalists, study.band().high, together)]
    for arm in claim_arms(study):
        planned += _loads_of([arm], study, _multiply_adds(study, arm))
    return study.trainer.epochs * sum(load.epoch_flops() for load in planned)


def loads(study: Study) -> list[Load]:
    """What the phases of a study have to train, by their budgets: search and, with a claim, tuning and confirmation."""
    band = study.band().target
    planned = [Load("search", study.search.trials, band, epoch_images(study, "search"))]
    if study.claim is not None:
        finalists, together = claim_trials(study).confirm_finalists, epoch_images(study, "confirm")
        planned += [*_arm_loads(study), Load("confirm", finalists, band, together)]
    return planned


def trial_loads(study: Study) -> dict[Phase, Load]:
    """What one trial of every phase has to train; those that tune and confirm, on average over the claim's arms."""
    one: dict[Phase, Load] = {"search": Load("search", 1, study.band().target, epoch_images(study, "search"))}
    by_phase: dict[Phase, list[Load]] = {}
    for load in _arm_loads(study) if study.claim is not None else []:
        by_phase.setdefault(load.phase, []).append(load)
    for phase, of_phase in by_phase.items():
        trials = sum(load.trials for load in of_phase)
        mean = round(sum(load.trials * load.multiply_adds for load in of_phase) / trials)
        one[phase] = of_phase[0]._replace(trials=1, multiply_adds=mean)
    return one


def _arm_loads(study: Study) -> list[Load]:
    """What the arms of a claim have to train, by their budgets; the base by what it costs."""
    arms = claim_arms(study)
    budgets = dict.fromkeys(arm.budget for arm in arms)
    return [load for budget in budgets for load in _loads_of([a for a in arms if a.budget == budget], study, budget)]


def _loads_of(arms: Sequence[Arm], study: Study, multiply_adds: int) -> list[Load]:
    """What some arms of a claim have to train, by what one of them costs."""
    assert study.claim is not None  # callers ask first
    trials = [arm_trials(study, arm, study.claim.seeds) for arm in arms]
    return [
        Load("tune", sum(one.tune for one in trials), multiply_adds, epoch_images(study, "tune")),
        Load("confirm", sum(one.confirm for one in trials), multiply_adds, epoch_images(study, "confirm")),
    ]


def _multiply_adds(study: Study, arm: Arm) -> int:
    return int(complexity(study.network_template(), arm.architecture).multiply_adds)


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
        flops[load.phase] = flops.get(load.phase, 0.0) + float(study.trainer.epochs * load.epoch_flops())
    return flops if any(flops.values()) else None


def spent_flops(study: Study, trials: Sequence[Trial]) -> float | None:
    """Floating-point operations of the epochs trained so far, counted as `training_flops` counts.

    None where the number of images is not known.
    """
    planned = trial_loads(study)
    if not planned["search"].images:
        return None
    return float(sum(trial.epochs * planned[trial.phase].epoch_flops() for trial in trials))
