"""What will a study take, in time and memory? Measured before its first trial, on the machine that asks.

Equal multiply-adds are not equal time: activations and grouped convolutions decide. So three architectures are
measured, those with the median, the most and the fewest activations. Starts without torch, Ax and Ray.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self

import numpy as np
from resnext_search.results.journal.rows import last_line
from resnext_search.search.planning.forecast import gpu_of_a_trial, sharing_of
from resnext_search.search.planning.workload import loads
from resnext_search.spaces.architecture.gpu_sharing import Gpus, Sharing
from resnext_search.spaces.errors import DataError, ResnextSearchError
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Phase, Study

# What `run` waits for it.
MOST_SECONDS = 15.0
_PROGRAM = "from resnext_search.trainers.calibration import main; main()"


class Calibrating:
    """A process that measures for the time of a block, and is asked once.

    It imports torch and reads the data at once, beside whatever its caller does until it asks. A program of its own,
    since `multiprocessing` would run the caller's script again.

    Args:
        study: With the built-in trainer: what another takes is not known.
        feasible: Its feasible set.
        elsewhere: Whether its trials run on a cluster.
    """

    def __init__(self, study: Study, feasible: FeasibleSet, *, elsewhere: bool = False) -> None:
        order = np.argsort(feasible.counts.activations, kind="stable")
        # the one without which there is no forecast first, then that with the peak of memory
        chosen = {"median": order[len(order) // 2], "dearest": order[-1], "cheapest": order[0]}
        knobs = tuple((knob.name, float(knob.grid(3)[len(knob.grid(3)) // 2])) for knob in study.knobs())
        self._study, self.elsewhere = study, elsewhere
        self._chosen = {role: Configuration(feasible[int(index)], knobs) for role, index in chosen.items()}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdin=pipe, stdout=pipe, stderr=pipe)

    def __enter__(self) -> Self:
        order = {
            "study": self._study.model_dump_json(),
            "configurations": [configuration.to_json() for configuration in self._chosen.values()],
        }
        assert self._process.stdin is not None  # it is a pipe
        with suppress(BrokenPipeError):  # it has failed already, which is said to who asks
            self._process.stdin.write(f"{json.dumps(order)}\n".encode())
            self._process.stdin.flush()
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()

    def forecast(self, seconds: float | None = None) -> dict[str, Any] | None:
        """What the study will take on this machine, with its GPUs if trials would use them.

        Args:
            seconds: How long that may take, so that not all three may come to be measured; any time without it.

        Returns:
            `seconds` on the clock for the whole study, by the median architecture, the dearest and the cheapest: an
            interval that spans architectures, not chance; the same of every phase, added up over its `trials`, in
            `phases`; `workers`, which run at once, and `peak_bytes` of them; the `images`, as the process counts them;
            what was `measured`, on which `device` and `machine`, with how many `gpus` and what memory of the smallest
            (`gpu_bytes`), and whether trials run `elsewhere`: on a cluster, of which nothing was measured.
            None if there was no time for even one.

        Raises:
            DataError: The data set is missing or too small.
            ResnextSearchError: The process has ended otherwise.
        """
        where, *found = self._answers(seconds) or [{}]
        if not found:
            return None
        measured = {
            role: {**one, "architecture": configuration.architecture.name}
            for (role, configuration), one in zip(self._chosen.items(), found, strict=False)
        }
        planned = _epochs_of_a_search_trial(self._study)
        workers = workers_of(self._study, where["gpus"], where["gpu_bytes"])

        def seconds_of(epochs: float) -> dict[str, float]:
            return {role: round(one["seconds_per_epoch"] * epochs, 1) for role, one in measured.items()}

        return {
            "workers": workers,
            "seconds": seconds_of(sum(epochs for _, epochs in planned.values()) / workers),
            "phases": {
                phase: {"trials": trials, "seconds": seconds_of(epochs)} for phase, (trials, epochs) in planned.items()
            },
            "peak_bytes": workers * max(one["peak_bytes"] for one in measured.values()),
            "measured": measured,
            "images": where["images"],
            "device": where["device"],
            "elsewhere": self.elsewhere,
            "machine": where["machine"],
            "gpus": where["gpus"],
            "gpu_bytes": where["gpu_bytes"],
        }

    def _answers(self, seconds: float | None) -> list[dict[str, Any]]:
        """Its answers, as `trainers.calibration.main` says: all, or those that it has when so many seconds are over."""
        try:
            answers, errors = self._process.communicate(b"go\n", seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            answers, errors = self._process.communicate()
        else:
            if self._process.returncode:
                words = last_line(errors.decode(errors="replace"))
                raise ResnextSearchError(
                    f"what measures the networks ended with {self._process.returncode}: {words}",
                    hint="Leave it out with --no-calibrate.",
                )
        lines = [line for line in answers.splitlines(keepends=True) if line.endswith(b"\n")]  # the last may be cut off
        found: list[dict[str, Any]] = [json.loads(line) for line in lines]
        if found and "error" in found[-1]:
            raise DataError(found[-1]["error"], hint=found[-1]["hint"])
        return found


def sharing_here(study: Study, forecast: Mapping[str, Any] | None) -> Sharing | None:
    """What `resources.gpu: auto` does with the GPUs of the machine that was measured, or, without that, with any.

    None where it has nothing to do: the study says another thing, or that machine has no GPU.
    """
    if study.resources.gpu != "auto":
        return None
    if forecast is None or forecast["elsewhere"]:
        return sharing_of(study, Gpus())
    gpus = _gpus_here(forecast["gpus"], forecast["gpu_bytes"])
    return sharing_of(study, gpus) if gpus.number else None


def workers_of(study: Study, gpus: int, gpu_bytes: int) -> int:
    """How many trials run at once on this machine, of whose GPUs the smallest has so much memory."""
    gpu = gpu_of_a_trial(study, _gpus_here(gpus, gpu_bytes))
    fitting = max(1, room(os.cpu_count() or 1, gpus, study.resources.cpu, gpu))
    return fitting if study.search.parallel == "auto" else min(fitting, study.search.parallel)


def _gpus_here(count: int, memory_bytes: int) -> Gpus:
    return Gpus(count, (os.cpu_count() or 1) / count if count else None, memory_bytes)


def room(cpus: float, gpus: float, cpu: float, gpu: float) -> int:
    """How many trials of so many cores and GPUs fit on a machine; a share of a GPU lies on one.

    >>> room(16, 2, 1, 0), room(16, 2, 2, 1), room(16, 2, 1, 0.4)
    (16, 2, 4)
    """
    shares = int(1 / gpu + 1e-9) * int(gpus) if 0 < gpu < 1 else gpus / gpu if gpu else math.inf
    return int(min(cpus / cpu, shares) + 1e-9)


def _epochs_of_a_search_trial(study: Study) -> dict[Phase, tuple[int, float]]:
    """By phase its trials, and to how many epochs of a trial of the search they come.

    A trial that confirms trains on more images than those measured; the arms' budget may differ from the search's.
    """
    planned, epochs = loads(study), dict[Phase, tuple[int, float]]()
    first = planned[0].images * planned[0].multiply_adds
    for one in planned:
        trials, before = epochs.get(one.phase, (0, 0.0))
        work = one.images * one.multiply_adds / first if first else 1.0
        epochs[one.phase] = trials + one.trials, before + one.trials * work * study.trainer.epochs
    return epochs
