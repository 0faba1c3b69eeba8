"""What does an epoch of a trial take, in time and memory? Some training steps, before a study starts.

Meant for a process of its own for each architecture: the peak of memory is that of the process.
"""

from __future__ import annotations

import itertools
import resource
import sys
import time
from pathlib import Path
from typing import NamedTuple

import torch
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study
from resnext_search.trainers.training_run import TrainingRun

# Steps before the clock starts: the first ones allocate memory and choose kernels.
WARM_UP_STEPS = 3
# The clock runs for at least so long, and for at least so many steps.
LEAST_CALIBRATION_SECONDS = 0.5
LEAST_STEPS = 3


class Calibration(NamedTuple):
    """What a trial of a configuration takes.

    Args:
        seconds_per_epoch: Training and validation.
        peak_bytes: Most memory that this process has held, torch and the data included; GPU memory is not in it.
    """

    seconds_per_epoch: float
    peak_bytes: int


def measure(study_json: str, configuration_json: str) -> Calibration:
    """Train some steps on this machine's processor, validate, and extrapolate to an epoch.

    Takes a study and a configuration as `Study.model_dump_json` and `Configuration.to_json` write them.

    Raises:
        DataError: The data set is missing, or has fewer images than one batch.
    """
    study = Study.model_validate_json(study_json)
    configuration = Configuration.from_json(configuration_json)
    trial = TrainingRun(study, configuration, study.root_seed, device=torch.device("cpu"), threads=study.resources.cpu)
    losses = itertools.chain.from_iterable(trial.steps(epoch % trial.recipe.epochs + 1) for epoch in itertools.count())
    float(sum(itertools.islice(losses, WARM_UP_STEPS)))

    began, steps = time.perf_counter(), 0
    while steps < LEAST_STEPS or time.perf_counter() - began < LEAST_CALIBRATION_SECONDS:
        float(next(losses))
        steps += 1
    training = (time.perf_counter() - began) / steps * trial.steps_per_epoch

    # one batch to warm up, one that counts for all
    batch = trial.splits.validation[: trial.recipe.batch_size]
    trial.predict(batch).sum().item()
    began = time.perf_counter()
    trial.predict(batch).sum().item()
    validation = (time.perf_counter() - began) * len(trial.splits.validation) / len(batch)
    return Calibration(training + validation, _peak_bytes())


def _peak_bytes() -> int:
    """Peak of the resident memory of this process.

    Linux lets a new process inherit `ru_maxrss` from the one that started it (measured: 893 MiB for an empty Python
    that a large one starts, and that alone has 11), so /proc is asked first; it starts anew with every program.
    """
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
