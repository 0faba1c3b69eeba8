"""How long does a training step take? As long as those of the trial took.

A step measured apart would leave out what feeds it, and would be taken at one moment instead of over a whole training.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from resnext_search.results.journal import EpochRow, Trial
from resnext_search.spaces import Study


def training_step_ms(study: Study, trial: Trial, epochs: Sequence[EpochRow]) -> float | None:
    """Wall time of a training step at the trial's batch size, in milliseconds: the median over its epochs.

    An epoch's validation is spread over its steps. With a tenth of the images kept for it, it is some 4 % of the time,
    since training an image takes three passes.

    Args:
        study: Says how many images there are.
        trial: Its configuration says how many make a step.
        epochs: Those it was trained for.

    Returns:
        None before the first epoch, or for an `image_folder` whose study does not say how many images it takes.
    """
    images = train_images(study, confirm=trial.phase == "confirm")
    if images is None or not epochs:
        return None
    steps = images // trial.configuration.recipe(study.trainer).batch_size
    return 1_000 * statistics.median(row.seconds for row in epochs) / steps


def train_images(study: Study, *, confirm: bool) -> int | None:
    """How many images an epoch trains on; a trial that confirms trains on those kept for validation too.

    None for an `image_folder` whose study does not say it.
    """
    given = study.data.train_images, study.data.validation_images
    if study.data.name == "image_folder" and None in given[: 2 if confirm else 1]:
        return None
    train, validation = study.data.split_sizes(study.facts().train_images)
    return train + validation if confirm else train
