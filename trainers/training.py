"""What does one trial do: train one configuration with one seed, epoch by epoch, from its checkpoint if it has one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from resnext_search.spaces.correctness import pack_correct
from resnext_search.spaces.errors import ResnextSearchError
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study
from resnext_search.trainers.checkpoint import (
    Carrier,
    decoded,
    encoded,
    read_checkpoint,
    restore,
    state_of,
    write_checkpoint,
)
from resnext_search.trainers.device import release
from resnext_search.trainers.schedule import learning_rate_at
from resnext_search.trainers.training_run import TrainingRun
from torch import Tensor
from torch.nn import functional


class Epoch(NamedTuple):
    """What one epoch gave.

    Args:
        epoch: Its number, from 1.
        learning_rate: At its end.
        train_loss: Mean over its steps, with label smoothing and augmentation.
        validation_loss: Mean cross-entropy over the validation images; None in a run that keeps none.
        validation_error: Validation images not recognised, top-1, in percent; None in a run that keeps none.
        seconds: Wall time of training and validation.
        test_error: Test images not recognised, top-1, in percent; only after the last epoch of a run that confirms.
        test_correct: Which test images were recognised, as `pack_correct` writes it; like `test_error`.
    """

    epoch: int
    learning_rate: float
    train_loss: float
    validation_loss: float | None
    validation_error: float | None
    seconds: float
    test_error: float | None = None
    test_correct: str | None = None


# At least so much time passes between two states of a trial on a GPU.
GPU_STATE_SECONDS = 5.0


class Rhythm:
    """Says after an epoch whether the state of a trial is to be kept, by the device on which it trains.

    On processors it always is: an epoch of the smallest shipped study takes a hundred times as long as its state (750
    and 7 ms of a busy core). On a GPU it may take less than a disk does to write it.

    Args:
        device: Where the trial trains.
        clock: Seconds since some moment.
    """

    def __init__(self, device: torch.device, clock: Callable[[], float] = time.monotonic) -> None:
        self._between = 0.0 if device.type == "cpu" else GPU_STATE_SECONDS
        self._clock, self._kept_at = clock, clock()

    def is_due(self) -> bool:
        """Whether it is, counted from the state before, or from where the trial was begun or went on."""
        now = self._clock()
        if now - self._kept_at < self._between:
            return False
        self._kept_at = now
        return True


class TrainingDiverged(ResnextSearchError):
    """The loss is no longer a finite number, but NaN or infinite; epochs are counted from 1."""

    def __init__(self, epoch: int, loss: float) -> None:
        super().__init__(f"training diverged in epoch {epoch}: the loss is {loss}", hint="Try a lower learning rate.")
        self.epoch, self.loss = epoch, loss

    def __reduce__(self) -> tuple[object, ...]:
        """Cross a process border (pickle) with epoch and loss."""
        return (TrainingDiverged, (self.epoch, self.loss))


def train(
    study: Study,
    configuration: Configuration,
    seed: int,
    *,
    device: torch.device | str = "cpu",
    threads: int = 1,
    checkpoint: Path | None = None,
    carrier: Carrier | None = None,
    birth: str = "",
    confirm: bool = False,
    micro_batches: int = 1,
) -> Iterator[Epoch]:
    """Train a configuration; yields after every epoch.

    Args:
        study: Says data, template and recipe. Its seed divides the data, the same way for all trials; with folds it is
            the trial's seed that says on which fold it is judged.
        configuration: The architecture, and the knobs that override the recipe.
        seed: The trial's own: weights, order of the images, augmentation.
        device: Where to train.
        threads: Processor threads; results on the CPU are the same, bit for bit, for the same number of them.
        checkpoint: A file that is written after every epoch, on a GPU after one that ends 5 s or more after the file
            was written: before the next one begins, and before the last one is yielded, or any if the study stops
            trials early. If it exists, the epochs in it are yielded again and training continues after them.
        carrier: Takes the state where it is given, as often, and brings it, in place of that file; no state after the
            last epoch.
        birth: Of the study: nothing is taken from a checkpoint of another one.
        confirm: Train on training and validation images together, and read the test images once, after the last
            epoch: a run that is evidence, and chooses nothing.
        micro_batches: Parts in which a batch is sent through the network, to save memory. The weights move once a
            batch, by the mean gradient; only the norms see smaller batches.

    Raises:
        DataError: The data set is missing, or has fewer images than one batch.
        TrainingDiverged: The loss stopped being finite; raised at the end of the epoch in which it did.
    """
    where = torch.device(device)
    trial = None
    try:  # what is made of a trial when its memory does not suffice is given back too
        trial = TrainingRun(
            study,
            configuration,
            seed,
            device=where,
            threads=threads,
            birth=birth,
            confirm=confirm,
            micro_batches=micro_batches,
        )
        yield from train_epochs(trial, checkpoint, carrier)
    finally:
        del trial
        release(where)


def train_epochs(trial: TrainingRun, checkpoint: Path | None = None, carrier: Carrier | None = None) -> Iterator[Epoch]:
    """Train a trial that was made; otherwise as `train`."""
    epochs = _restore(trial, checkpoint, carrier)
    yield from epochs
    rhythm = Rhythm(trial.device)
    if carrier is not None:
        for number in range(len(epochs) + 1, trial.recipe.epochs + 1):
            epochs.append(_run_epoch(trial, number))
            if number < trial.recipe.epochs and rhythm.is_due():
                carrier.keep(encoded(trial.identity, _state(trial, epochs)), number)
            yield epochs[-1]
        return
    # the disk is waited for while the epoch is reported: before it, a worker of the digits study would wait 46 to 52 ms
    # between two trials (n=3), and not 38 to 40 (n=5)
    with ThreadPoolExecutor(max_workers=1) as beside:
        for number in range(len(epochs) + 1, trial.recipe.epochs + 1):
            epochs.append(_run_epoch(trial, number))
            writing = [beside.submit(_writing(trial, epochs, checkpoint))] if checkpoint and rhythm.is_due() else []
            # when the end of a trial is reported its checkpoint is deleted, and must not appear after that
            if number == trial.recipe.epochs or trial.may_stop:
                _wait(writing)
            yield epochs[-1]
            _wait(writing)


def _run_epoch(trial: TrainingRun, number: int) -> Epoch:
    began = time.perf_counter()
    # summed on the device and looked at once: a look at every step would make a GPU wait for it
    train_loss = float(sum(trial.steps(number), torch.zeros((), device=trial.device))) / trial.steps_per_epoch
    if not math.isfinite(train_loss):
        raise TrainingDiverged(number, train_loss)
    rate = learning_rate_at(trial.recipe, number)
    epoch = Epoch(number, rate, train_loss, validation_loss=None, validation_error=None, seconds=0.0)
    if not trial.confirm:
        loss, correct = _judge(trial, number, trial.splits.validation)
        epoch = epoch._replace(validation_loss=loss, validation_error=_percent_wrong(correct))
    elif number == trial.recipe.epochs:
        _, correct = _judge(trial, number, trial.splits.test)
        epoch = epoch._replace(test_error=_percent_wrong(correct), test_correct=pack_correct(correct.numpy()))
    return epoch._replace(seconds=time.perf_counter() - began)


def _judge(trial: TrainingRun, number: int, images: Tensor) -> tuple[float, Tensor]:
    """Mean cross-entropy over the images with these numbers, and for each whether it was recognised."""
    logits, labels = trial.predict(images), trial.labels[images]
    loss = float(functional.cross_entropy(logits, labels))
    if not math.isfinite(loss):
        raise TrainingDiverged(number, loss)
    return loss, logits.argmax(dim=1) == labels


def _percent_wrong(correct: Tensor) -> float:
    return 100 * int((~correct).sum()) / len(correct)


def _writing(trial: TrainingRun, epochs: list[Epoch], path: Path) -> Callable[[], None]:
    """What writes a checkpoint of a trial as it is now, whatever becomes of it meanwhile."""
    return partial(write_checkpoint, path, trial.identity, _state(trial, epochs))


def _state(trial: TrainingRun, epochs: list[Epoch]) -> dict[str, Any]:
    return {**state_of(trial.network, trial.optimizer), "epochs": [list(epoch) for epoch in epochs]}


def _wait(writing: list[Future[None]]) -> None:
    for one in writing:
        one.result()


def _restore(trial: TrainingRun, checkpoint: Path | None, carrier: Carrier | None) -> list[Epoch]:
    """Bring a fresh trial to where its checkpoint stands; returns the epochs that are done."""
    state = None
    if carrier is not None:
        brought = carrier.begin()
        state = None if brought is None else decoded(brought, trial.identity, checkpoint)
    elif checkpoint is not None:
        state = read_checkpoint(checkpoint, trial.identity)
    if state is None:
        return []
    restore(state, trial.network, trial.optimizer)
    return [Epoch(*values) for values in state["epochs"]]
