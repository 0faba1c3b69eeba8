"""What will a study cost? Time, memory and training FLOPs, from a short calibration on this machine.

Equal multiply-adds are not equal time: activations and grouped convolutions decide. So three architectures are
measured, those with the fewest, the median and the most activations, each in a fresh process.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from resnext_search.spaces import Configuration, FeasibleSet, Study

# Training costs about three forward passes, and a multiply-add is two floating-point operations.
FORWARD_PASSES = 3
OPERATIONS = 2


def training_flops(study: Study) -> float | None:
    """Floating-point operations of the whole search (multiply and add counted apart), validation left out.

    None for an `image_folder` whose study does not say how many images it trains on.
    """
    images = study.data.split_sizes(study.facts().train_images)[0]
    if images <= 0:
        return None
    forward = study.band().target * images * study.trainer.epochs * study.search.trials
    return float(OPERATIONS * FORWARD_PASSES * forward)


def calibrate(study: Study, feasible: FeasibleSet) -> dict[str, Any]:
    """Measure the three architectures and forecast the search on this machine's processor cores.

    Returns:
        `seconds`, an interval with its middle, for the whole search; `peak_bytes` of the trials that run at once;
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
    epochs = study.trainer.epochs * study.search.trials / workers
    return {
        "workers": workers,
        "seconds": {role: round(one["seconds_per_epoch"] * epochs, 1) for role, one in measured.items()},
        "peak_bytes": workers * max(one["peak_bytes"] for one in measured.values()),
        "measured": measured,
    }


def _measure(study_json: str, configuration_json: str) -> dict[str, Any]:
    from resnext_search.trainers.calibration import measure  # torch: only in the process that measures

    return dict(measure(study_json, configuration_json)._asdict())
