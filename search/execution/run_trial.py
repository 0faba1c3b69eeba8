"""What does a worker do with a trial? It trains, and reports a latency, every epoch, and a failure if one is raised.

Knows no scheduler: whoever starts workers hands in the device and how to report. Workers import this file, so it never
imports Ax.
"""

from __future__ import annotations

import json
import math
import socket
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnext_search.results.journal.folder import checkpoint_name
from resnext_search.results.journal.rows import Machine
from resnext_search.search.execution.device_errors import forget_frames, is_out_of_memory, leaves_device_unusable
from resnext_search.search.execution.memory import OUT_OF_MEMORY
from resnext_search.spaces.errors import ResnextSearchError, escaped
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study

if TYPE_CHECKING:
    from resnext_search.trainers.checkpoint import Carrier

Train = Callable[..., Iterator[Any]]
Report = Callable[[dict[str, Any]], object]

MESSAGE_CHARACTERS = 4_000


class NotFinite(ResnextSearchError):
    """A trainer yielded something that is no finite number."""


class WrongResult(ResnextSearchError):
    """A trainer yielded less than a trial has to give, or what it must not know."""


def share_of(order: Mapping[str, Any], gpu: float) -> float:
    """GPUs of a trial: those of all of them, or a whole one if it is to be alone."""
    return 1.0 if order["alone"] else gpu


def run_trial(
    order: Mapping[str, Any],
    study_json: str,
    checkpoints: Path,
    train: Train,
    *,
    gpu: float,
    confirm: bool,
    device: str,
    report: Report,
    carrier: Carrier | None = None,
) -> None:
    """Train one trial, reporting what it yields; a failure is reported, and not raised but for what is said below.

    Args:
        order: What `Dispatcher.order` says of it.
        study_json: The study.
        checkpoints: The folder for them; of this worker alone, where a carrier takes them away.
        train: As `run_study` says.
        gpu: GPUs of a trial that is not alone.
        confirm: Whether it trains on the validation images too, and is tested.
        device: `cpu` or `cuda`.
        report: Is told a latency, every epoch, and a failure by its class and the tail of its traceback; with the first
            of them, in JSON, on what `machine` the trial runs. Too little memory of a GPU is an `OutOfMemoryError`,
            however it shows itself. Each comes with host and device, and with the model that `computes`.
        carrier: Brings the state that the trial goes on from, and takes that of every epoch; without it they are files.

    Raises:
        Exception: After which this process cannot use its GPU any more. It has been reported; the process must end, and
            the trial goes to another one.
    """
    about, unsaid = {"host": socket.gethostname(), "device": device}, dict[str, str]()  # what reports say besides
    try:
        if device == "cuda":
            _keep_to_share(share_of(order, gpu))
        facts_of_machine = _hardware(device)
        unsaid = {"machine": json.dumps(facts_of_machine)}
        about["computes"] = Machine(**facts_of_machine).computes
        study = _study(study_json)
        # where nobody looks at it, it would only keep a worker waiting
        wanted = confirm or study.has_measured_objectives
        facts = train(
            study,
            Configuration.from_json(order["configuration"]),
            int(order["seed"]),
            device=device,
            threads=study.resources.cpu,
            checkpoint=checkpoints / checkpoint_name(order["trial_id"]),
            birth=order["birth"],
            confirm=confirm,
            micro_batches=order["micro_batches"],
            # an older journal does not say on what GPU or processor: what it has stands for all of the kind
            latency=wanted and not {about["computes"], device} & set(order["measured_on"]),
            **({} if carrier is None else {"carrier": carrier}),
        )
        epoch = 0
        for fact in facts:
            result = fact._asdict()
            _expect_finite(result)
            if "epoch" in result:
                epoch = result["epoch"]
                _expect_whole(result, confirm=confirm, last=epoch >= study.trainer.epochs)
            report({**result, **about, **unsaid})
            unsaid = {}
        if epoch < study.trainer.epochs:
            raise WrongResult(f"the trainer ended after epoch {epoch} of {study.trainer.epochs}")
    except Exception as error:
        message = str(error) if isinstance(error, ResnextSearchError) else traceback.format_exc()
        message = "\n".join(map(escaped, message.split("\n")))[-MESSAGE_CHARACTERS:]
        failure = OUT_OF_MEMORY if is_out_of_memory(error) else type(error).__name__
        unusable = device == "cuda" and leaves_device_unusable(error)
        forget_frames(error)
        if device == "cuda" and not unusable:  # before it is told: who trains next may begin at once
            _give_memory_back(device)
        report({"failure_class": failure, "failure_message": message, **about, **unsaid})
        if unusable:
            raise


@cache
def _study(study_json: str) -> Study:
    """Read once by a worker: it trains many trials of a study."""
    return Study.model_validate_json(study_json)


def _hardware(device: str) -> dict[str, Any]:
    from resnext_search.trainers.hardware import hardware  # torch: only where a trial runs

    return hardware(device)


def _keep_to_share(gpu: float) -> None:
    import torch  # only where there is a GPU: a trainer from a plug-in need not use torch
    from resnext_search.trainers.device import limit_memory

    if torch.cuda.is_available():  # not with the logical GPUs of a test
        limit_memory(gpu)


def _give_memory_back(device: str) -> None:
    import torch  # as above
    from resnext_search.trainers.device import release

    release(torch.device(device))


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
