"""What runs in the workers of Ray: one trial, which reports its latency and every epoch, and a failure if it raises.

Workers import this file, so it never imports Ax. Ray retries failures of machines alone: what a trainer raises is
reported as a failure of that trial, with its class and the tail of its traceback.
"""

from __future__ import annotations

import math
import socket
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from resnext_search.search.ray_backend.settings import ray, tune
from resnext_search.spaces.errors import ResnextSearchError
from resnext_search.spaces.search_space.objectives import MEASURED
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study

Train = Callable[..., Iterator[Any]]

MESSAGE_CHARACTERS = 4_000


class NotFinite(ResnextSearchError):
    """A trainer yielded something that is no finite number."""


class WrongResult(ResnextSearchError):
    """A trainer yielded less than a trial has to give, or what it must not know."""


def trainable(
    study: Study, checkpoints: Path, train: Train, *, gpu: float, confirm: bool
) -> Callable[[dict[str, Any]], None]:
    """The function that Tune runs in a worker: one trial. It takes what it needs along, by value."""
    study_json, threads = study.model_dump_json(), study.resources.cpu

    def trial(config: dict[str, Any]) -> None:
        run_trial(config, study_json, checkpoints, threads, train, gpu=gpu, confirm=confirm)

    return trial


def resources(study: Study, gpu: float) -> Callable[[dict[str, Any]], Any]:
    """What Tune reserves for a trial: what the study says, or a whole GPU for one that is to be alone."""

    # made once for each share: Tune keeps that of every trial, of 3 kB
    made = {share: tune.PlacementGroupFactory([{"CPU": study.resources.cpu, "GPU": share}]) for share in (gpu, 1.0)}

    def of_trial(config: dict[str, Any]) -> Any:
        return made[_share(config, gpu)]

    return of_trial


def run_trial(
    config: dict[str, Any],
    study_json: str,
    checkpoints: Path,
    threads: int,
    train: Train,
    *,
    gpu: float,
    confirm: bool,
) -> None:
    """Train one trial in a worker, reporting what it yields; a failure is reported, not raised."""
    device = "cuda" if ray.get_gpu_ids() else "cpu"
    about = {"host": socket.gethostname(), "device": device}
    try:
        if device == "cuda":
            _keep_to_share(_share(config, gpu))
        study = _study(study_json)
        # where nobody looks at it, it would only keep a worker waiting
        wanted = confirm or not set(MEASURED).isdisjoint(study.objectives)
        facts = train(
            study,
            Configuration.from_json(config["configuration"]),
            int(config["seed"]),
            device=device,
            threads=threads,
            checkpoint=checkpoints / f"trial-{config['trial_id']:05d}.pt",
            confirm=confirm,
            micro_batches=config["micro_batches"],
            latency=wanted and device not in config["measured_on"],
        )
        epoch = 0
        for fact in facts:
            result = fact._asdict()
            _expect_finite(result)
            if "epoch" in result:
                epoch = result["epoch"]
                _expect_whole(result, confirm=confirm, last=epoch >= study.trainer.epochs)
            tune.report({**result, **about})
        if epoch < study.trainer.epochs:
            raise WrongResult(f"the trainer ended after epoch {epoch} of {study.trainer.epochs}")
    except Exception as error:
        message = str(error) if isinstance(error, ResnextSearchError) else traceback.format_exc()
        tune.report({"failure_class": type(error).__name__, "failure_message": message[-MESSAGE_CHARACTERS:], **about})


@cache
def _study(study_json: str) -> Study:
    """Read once by a worker: it trains many trials of a study."""
    return Study.model_validate_json(study_json)


def _share(config: dict[str, Any], gpu: float) -> float:
    return 1.0 if config["alone"] else gpu


def _keep_to_share(gpu: float) -> None:
    import torch  # only where there is a GPU: a trainer from a plug-in need not use torch
    from resnext_search.trainers.device import limit_memory

    if torch.cuda.is_available():  # not with the logical GPUs of a test
        limit_memory(gpu)


def _expect_finite(result: dict[str, Any]) -> None:
    for name, value in result.items():
        if isinstance(value, float) and not math.isfinite(value):
            raise NotFinite(f"{_where(result)}the {name.replace('_', ' ')} is {value}")


def _expect_whole(result: dict[str, Any], *, confirm: bool, last: bool) -> None:
    """What the journal would not take must fail its trial, not the study."""
    validation = ["validation_loss", "validation_error"]
    wanted = ["learning_rate", "train_loss", "seconds", *([] if confirm else validation)]
    wanted += ["test_error"] if confirm and last else []
    forbidden = validation if confirm else ["test_error"]
    if missing := [name for name in wanted if result.get(name) is None]:
        raise WrongResult(f"{_where(result)}the trainer yielded no {' and no '.join(missing)}")
    if known := [name for name in forbidden if result.get(name) is not None]:
        reason = "trains on the validation images" if confirm else "must not look at the test images"
        raise WrongResult(f"{_where(result)}the trainer yielded a {known[0]}; this trial {reason}")


def _where(result: dict[str, Any]) -> str:
    return f"epoch {result['epoch']}: " if "epoch" in result else ""


@ray.remote(num_cpus=0)
class RunningTrial:
    """Bears the name of a running trial in the dashboard's list of actors; does nothing.

    Workers are reused from trial to trial, so an actor that trains cannot be named after its trial.
    """


def name_tag(name: str) -> Any:
    """Start an actor with the name of a trial."""
    return RunningTrial.options(name=name).remote()  # type: ignore[attr-defined]


def remove(tag: Any) -> None:
    """End it; there may be none."""
    with suppress(Exception):  # a tag that is gone already, or a Ray that is: the trial is not touched by either
        ray.kill(tag)
