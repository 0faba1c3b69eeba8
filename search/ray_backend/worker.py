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
from resnext_search.search.storage.checkpoints import SharedStates, why_other_storage
from resnext_search.spaces.study.study import Study

# Ray's label of a machine, which has its number.
NODE_LABEL = "ray.io/node-id"
# Under which an order names the machines that it is not for, and under which a worker reports why no trial is to be
# trained on its machine.
LEFT_OUT, UNFIT = "left_out", "unfit"


def trainable(
    study: Study,
    checkpoints: Path | None,
    train: Train,
    *,
    gpu: float,
    confirm: bool,
    look: Callable[[], str],
    states: SharedStates | None = None,
) -> Callable[[dict[str, Any]], None]:
    """The function that Tune runs in a worker: one trial. It takes what it needs along, by value.

    States lie in the folder of `checkpoints`, or in a place that all machines see; without either they travel with the
    orders and reports. Before the first trial of a process it may `look` whether its machine will do, and report why
    not.
    """
    study_json, epochs = study.model_dump_json(), study.trainer.epochs
    looked: list[str] = []

    def trial(order: dict[str, Any]) -> None:
        looked[:] = looked or [look() or ("" if states is None else why_other_storage(states))]
        if looked[0]:
            tune.report({UNFIT: looked[0]})
            return
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
    """What Tune reserves for a trial: what the study says, or a whole GPU for one that is to be alone.

    On none of the machines that its order names under `LEFT_OUT`, by their numbers.
    """
    made: dict[tuple[float, tuple[str, ...]], Any] = {}  # each of them once: Tune keeps that of every trial, of 3 kB

    def wanted(order: dict[str, Any]) -> Any:
        share, left_out = share_of(order, gpu), tuple(order[LEFT_OUT])
        if (share, left_out) not in made:
            selector = [{NODE_LABEL: f"!in({','.join(left_out)})"}] if left_out else None
            made[share, left_out] = tune.PlacementGroupFactory(
                [{"CPU": study.resources.cpu, "GPU": share}], bundle_label_selector=selector
            )
        return made[share, left_out]

    return wanted


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
