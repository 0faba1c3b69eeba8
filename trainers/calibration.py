"""What does an epoch of a trial take, in time and memory? Some training steps, before a study starts.

Meant for a process of its own, `main`: the peak of memory is that of the process, and it can be ended when it takes
too long.
"""

from __future__ import annotations

import itertools
import json
import resource
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import torch
from resnext_search.spaces.errors import ResnextSearchError
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study
from resnext_search.trainers.data.dataset import CountedDataset, Dataset
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.device import best_device, least_gpu_bytes
from resnext_search.trainers.hardware import hardware
from resnext_search.trainers.training_run import TrainingRun

# Steps before the clock starts: the first ones allocate memory and choose kernels.
WARM_UP_STEPS = 3
# The clock runs for at least so long, and for at least so many steps.
LEAST_CALIBRATION_SECONDS = 0.5
LEAST_STEPS = 3
# Steps that take so long need no company: the first is like the others, to within some percent.
LONG_SECONDS = 1.5


class Calibration(NamedTuple):
    """What a trial of a configuration takes.

    Args:
        seconds_per_epoch: Training and validation.
        peak_bytes: Most memory that this process has held so far, torch and the data included; a GPU's is not in it.
    """

    seconds_per_epoch: float
    peak_bytes: int


def measure(study_json: str, configuration_json: str) -> Calibration:
    """Train some steps on this machine, where a trial of the study would train; validate; extrapolate to an epoch.

    Takes a study and a configuration as `Study.model_dump_json` and `Configuration.to_json` write them.

    Raises:
        DataError: The data set is missing, or has fewer images than one batch.
    """
    study = Study.model_validate_json(study_json)
    configuration = Configuration.from_json(configuration_json)
    device = torch.device(_device(study))
    trial = TrainingRun(study, configuration, study.root_seed, device=device, threads=study.resources.cpu)
    losses = itertools.chain.from_iterable(trial.steps(epoch % trial.recipe.epochs + 1) for epoch in itertools.count())
    began, steps = time.perf_counter(), 0
    while steps < WARM_UP_STEPS and time.perf_counter() - began < LONG_SECONDS:
        float(next(losses))
        steps += 1

    began, steps = time.perf_counter(), 0
    while (taken := time.perf_counter() - began) < LEAST_CALIBRATION_SECONDS or steps < LEAST_STEPS:
        if taken > LONG_SECONDS:
            break
        loss = next(losses)  # not looked at: a GPU would be waited for in every step, as in no trial
        steps += 1
    float(loss)
    training = (time.perf_counter() - began) / steps * trial.steps_per_epoch

    # one batch to warm up, one that counts for all
    batch = trial.splits.validation[: trial.batches_of(trial.splits.validation)[0]]
    trial.predict(batch).sum().item()
    began = time.perf_counter()
    trial.predict(batch).sum().item()
    validation = (time.perf_counter() - began) * len(trial.splits.validation) / len(batch)
    return Calibration(training + validation, _peak_bytes())


def main() -> None:
    """Measure what standard input asks for, and print what was found, one line of JSON for each.

    The first line of the input has `study` and a list of `configurations`, as `measure` takes them; with the second the
    clocks may run. The first line printed says on what machine this is, how many GPUs it has and what memory the
    smallest of them (0 without one), and what `images_of` says; those that follow are a `Calibration` each, in the
    order of the configurations. An `error`, with its `hint`, is the last one.
    """
    asked, answers = json.loads(sys.stdin.readline()), sys.stdout

    def answer(**facts: Any) -> None:
        print(json.dumps(facts), file=answers, flush=True)

    with redirect_stdout(sys.stderr):
        try:
            study = Study.model_validate_json(asked["study"])
            device = _device(study)
            images = images_of(load_dataset(study.data), study)  # the data set is kept for all that follow
            gpus = {"gpus": torch.cuda.device_count(), "gpu_bytes": least_gpu_bytes()}
            answer(device=device, machine=hardware(device), images=images, **gpus)
            sys.stdin.readline()
            for configuration in asked["configurations"]:
                answer(**measure(asked["study"], configuration)._asdict())
        except ResnextSearchError as error:
            answer(error=str(error), hint=error.hint)


def images_of(dataset: Dataset, study: Study) -> dict[str, Any] | None:
    """What the decoded images take of the memory of every process that trains on them.

    `count` images are `bytes`, of which `data.memory` has `allowed` so many if they are files; whether they are `kept`.
    None for a data set that does not say it.
    """
    if not isinstance(dataset, CountedDataset):
        return None
    return {
        "count": len(dataset.labels),
        "bytes": dataset.bytes_decoded(),
        "allowed": study.data.memory,
        "kept": dataset.is_kept(study.trainer.augment),
    }


def _device(study: Study) -> str:
    """Where a trial of the study trains on this machine."""
    return "cpu" if study.resources.gpu == 0 else best_device()


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
