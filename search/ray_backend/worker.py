"""What runs in the workers of Ray? One trial after the other, and actors that bear the names of those that run.

Workers import this file, so it never imports Ax. What a trainer raises is reported as a failure of that trial; what
leaves a GPU unusable ends the process, which Ray drops.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from resnext_search.search.execution.run_trial import Train, run_trial, share_of
from resnext_search.search.machines.scratch import scratch_folder
from resnext_search.search.machines.settings import ray, tune
from resnext_search.search.ray_backend.carried import TrialCarrier
from resnext_search.search.storage.checkpoints import SharedStates, proved
from resnext_search.spaces.study.study import Study


def trainable(
    study: Study,
    checkpoints: Path | None,
    train: Train,
    *,
    gpu: float,
    confirm: bool,
    states: SharedStates | None = None,
) -> Callable[[dict[str, Any]], None]:
    """The function that Tune runs in a worker: one trial. It takes what it needs along, by value.

    States lie in the folder of `checkpoints`, or in a place that all machines see; without either they travel with the
    orders and reports.
    """
    train = train if states is None else proved(train, states)
    study_json, epochs = study.model_dump_json(), study.trainer.epochs

    def trial(order: dict[str, Any]) -> None:
        gpus = ray.get_gpu_ids()
        show_only(gpus)
        how: dict[str, Any] = {"gpu": gpu, "confirm": confirm, "device": "cuda" if gpus else "cpu"}
        if checkpoints is not None:
            run_trial(order, study_json, checkpoints, train, report=tune.report, **how)
            return
        with scratch_folder() as folder:
            carrier = TrialCarrier(order, folder, epochs, tune.report, states)
            run_trial(order, study_json, folder, train, report=carrier.report, carrier=carrier, **how)

    return trial


def show_only(gpus: Sequence[object]) -> None:
    """Let this process see its own GPUs alone, where Ray was told not to see to it: all trials would use the first."""
    if gpus and os.environ.get("RAY_EXPERIMENTAL_NOSET_CUDA_VISIBLE_DEVICES"):
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, gpus))


def resources(study: Study, gpu: float) -> Callable[[dict[str, Any]], Any]:
    """What Tune reserves for a trial: what the study says, or a whole GPU for one that is to be alone."""
    # made once for each share: Tune keeps that of every trial, of 3 kB
    made = {share: tune.PlacementGroupFactory([{"CPU": study.resources.cpu, "GPU": share}]) for share in (gpu, 1.0)}
    return lambda order: made[share_of(order, gpu)]


@ray.remote(num_cpus=0)
class NameTag:
    """Bears the name of a running trial in the dashboard's list of actors; does nothing.

    Workers are reused from trial to trial, so an actor that trains cannot be named after its trial.
    """


def name_tag(name: str) -> Any:
    """Start an actor with the name of a trial."""
    return NameTag.options(name=name).remote()  # type: ignore[attr-defined]


def kill(actor: Any) -> None:
    """End an actor, whatever it does: a worker, or a name tag; there may be none."""
    if actor is not None:
        with suppress(Exception):  # it is gone already, or Ray is: the trial is as good as ended
            ray.kill(actor)
