"""What will a study cost? Time, memory and training FLOPs, from a short calibration on this machine.

Equal multiply-adds are not equal time: activations and grouped convolutions decide. So three architectures are
measured, those with the fewest, the median and the most activations, each in a fresh process.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, NamedTuple

import numpy as np
from resnext_search.results.costs import FORWARD_PASSES, OPERATIONS
from resnext_search.results.journal import Phase
from resnext_search.search.claim_trials import claim_trials
from resnext_search.spaces import Configuration, FeasibleSet, Study
from resnext_search.spaces.arms import claim_budget
from resnext_search.spaces.training_memory import training_bytes


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


def gpu_bytes(study: Study, feasible: FeasibleSet) -> int:
    """Most memory of a GPU that a trial of the search takes, by prediction: that with the most activations."""
    largest = feasible[int(np.argmax(feasible.counts.activations))]
    batch_sizes = [int(knob.high) for knob in study.knobs() if knob.name == "batch_size"]
    images = max(batch_sizes, default=study.trainer.batch_size)
    return training_bytes(study.network_template(), largest, images)


def calibrate(study: Study, feasible: FeasibleSet) -> dict[str, Any]:
    """Measure the three architectures and forecast the study on this machine's processor cores.

    Returns:
        `seconds`, an interval with its middle, for the whole study; `peak_bytes` of the trials that run at once;
        `workers`; and what was measured. The interval spans the cheapest and the dearest architecture, not chance.
    """
    order = np.argsort(feasible.counts.activations, kind="stable")
    chosen = {"cheapest": order[0], "median": order[len(order) // 2], "dearest": order[-1]}
    knobs = tuple((knob.name, float(knob.grid(3)[len(knob.grid(3)) // 2])) for knob in study.knobs())
    measured = {}
    for role, index in chosen.items():
        configuration = Configuration(feasible[int(index)], knobs)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            measured[role] = pool.submit(_measure, study.model_dump_json(), configuration.to_json()).result()
        measured[role]["architecture"] = feasible[int(index)].name
    workers = max(1, (os.cpu_count() or 1) // study.resources.cpu)
    if study.search.parallel != "auto":
        workers = min(workers, study.search.parallel)
    planned = loads(study)
    # a trial that confirms trains on more images than those measured; the arms' budget may differ from the search's
    trials = sum(
        one.trials * (one.images * one.multiply_adds) / (planned[0].images * planned[0].multiply_adds)
        if planned[0].images
        else one.trials
        for one in planned
    )
    epochs = study.trainer.epochs * trials / workers
    return {
        "workers": workers,
        "seconds": {role: round(one["seconds_per_epoch"] * epochs, 1) for role, one in measured.items()},
        "peak_bytes": workers * max(one["peak_bytes"] for one in measured.values()),
        "measured": measured,
    }


def _measure(study_json: str, configuration_json: str) -> dict[str, Any]:
    from resnext_search.trainers.calibration import measure  # torch: only in the process that measures

    return dict(measure(study_json, configuration_json)._asdict())
