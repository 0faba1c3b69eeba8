"""What does one trial do: train one configuration with one seed, epoch by epoch.

Everything random comes from generators that are derived from the trial's seed, and those of an epoch from its number
too: an epoch does not depend on how its trial got there, which is what makes a resumed trial equal an undisturbed one.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from resnext_search.spaces.correctness import pack_correct
from resnext_search.spaces.errors import DataError, ResnextSearchError
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.sections import Recipe
from resnext_search.spaces.study.study import Study
from resnext_search.trainers.checkpoint import read_checkpoint, restore, state_of, write_checkpoint
from resnext_search.trainers.data.dataset import Batch, Look
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.data.splits import split, split_for_confirmation
from resnext_search.trainers.device import precision, prepare, release
from resnext_search.trainers.resnext import build_network
from torch import Tensor, nn
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


class TrainingDiverged(ResnextSearchError):
    """The loss is no longer a finite number.

    Args:
        epoch: The epoch in which it happened, from 1.
        loss: The loss: NaN or infinite.
    """

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
    confirm: bool = False,
    micro_batches: int = 1,
) -> Iterator[Epoch]:
    """Train a configuration; yields after every epoch.

    Args:
        study: Says data, template and recipe. Its seed divides the data, the same way for all trials.
        configuration: The architecture, and the knobs that override the recipe.
        seed: The trial's own: weights, order of the images, augmentation.
        device: Where to train.
        threads: Processor threads; results on the CPU are the same, bit for bit, for the same number of them.
        checkpoint: A file that is written after every epoch: before the next one begins, and before the last one is
            yielded, or any if the study stops trials early. If it exists, the epochs in it are yielded again and
            training continues after them.
        confirm: Train on training and validation images together, and read the test images once, after the last
            epoch: a run that is evidence, and chooses nothing.
        micro_batches: Parts in which a batch is sent through the network, to save memory. The weights move once a
            batch, by the mean gradient; only the norms see smaller batches.

    Raises:
        DataError: The data set is missing, or has fewer images than one batch.
        TrainingDiverged: The loss stopped being finite; raised at the end of the epoch in which it did.
    """
    trial = Trial(
        study,
        configuration,
        seed,
        device=torch.device(device),
        threads=threads,
        confirm=confirm,
        micro_batches=micro_batches,
    )
    try:
        yield from train_epochs(trial, checkpoint)
    finally:
        used = trial.device
        del trial
        release(used)


def train_epochs(trial: Trial, checkpoint: Path | None = None) -> Iterator[Epoch]:
    """Train a trial that was made; otherwise as `train`."""
    epochs = _restore(trial, checkpoint) if checkpoint else []
    yield from epochs
    # the disk is waited for while the epoch is reported: between two trials of the digits study a worker waited 46 to
    # 52 ms (n=3), and waits 38 to 40 (n=5)
    with ThreadPoolExecutor(max_workers=1) as beside:
        for number in range(len(epochs) + 1, trial.recipe.epochs + 1):
            epochs.append(_run_epoch(trial, number))
            writing = [beside.submit(_writing(trial, epochs, checkpoint))] if checkpoint else []
            # when the end of a trial is reported its checkpoint is deleted, and must not appear after that
            if number == trial.recipe.epochs or trial.may_stop:
                _wait(writing)
            yield epochs[-1]
            _wait(writing)


# Where a schedule of steps divides the learning rate by 10, in shares of the epochs.
_STEPS = {"step": (1 / 2, 3 / 4), "step-thirds": (1 / 3, 2 / 3)}


def learning_rate_at(recipe: Recipe, epochs_done: float) -> float:
    """Learning rate when so many epochs, with fractions, are done: a straight rise, then the recipe's schedule.

    Source:
        Loshchilov & Hutter 2017, arXiv:1608.03983 (half a cosine); Xie et al. 2017, appendix A (steps at half and
        three quarters) and the authors' train.lua (at the thirds of 90 epochs).

    >>> recipe = Recipe(epochs=10, warmup_epochs=2, learning_rate=0.4)
    >>> [round(learning_rate_at(recipe, done), 3) for done in (0, 1, 2, 6, 10)]
    [0.0, 0.2, 0.4, 0.2, 0.0]
    """
    if epochs_done < recipe.warmup_epochs:
        return recipe.learning_rate * epochs_done / recipe.warmup_epochs
    if recipe.schedule != "cosine":
        steps_down = sum(epochs_done >= recipe.epochs * share for share in _STEPS[recipe.schedule])
        return recipe.learning_rate / 10.0**steps_down
    share = (epochs_done - recipe.warmup_epochs) / max(recipe.epochs - recipe.warmup_epochs, 1e-9)
    return recipe.learning_rate * (1 + math.cos(math.pi * min(share, 1.0))) / 2


def parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """Parameters that are decayed, and (unless the recipe decays them too) norms and biases, which are not."""
    parameters = list(network.parameters())
    weights = [p for p in parameters if p.ndim > 1]
    others = [p for p in parameters if p.ndim <= 1]
    return [
        {"params": weights, "weight_decay": recipe.weight_decay},
        {"params": others, "weight_decay": recipe.weight_decay if recipe.decay_norms else 0.0},
    ]


class Trial:
    """Network, optimizer and data of one trial, on its device.

    Args:
        study: As in `train`; so are the others.
        configuration: What is trained.
        seed: The trial's own.
        device: Where to train.
        threads: Processor threads.
        confirm: As in `train`.
        micro_batches: As in `train`.

    Raises:
        DataError: The data set is missing, or has fewer images than one batch.
    """

    def __init__(
        self,
        study: Study,
        configuration: Configuration,
        seed: int,
        *,
        device: torch.device,
        threads: int,
        confirm: bool = False,
        micro_batches: int = 1,
    ) -> None:
        prepare(device, threads)
        self.recipe, self.seed, self.device = configuration.recipe(study.trainer), seed, device
        self.confirm, self.identity = confirm, _identity(study, configuration, seed, confirm)
        self.micro_batches = micro_batches
        self.may_stop = study.search.early_stopping != "none"
        dataset = load_dataset(study.data)
        if confirm:
            self.splits = split_for_confirmation(dataset, study.data, study.seed, derive_seed(seed, "images"))
        else:
            self.splits = split(dataset, study.data, study.seed)
        self.steps_per_epoch = len(self.splits.train) // self.recipe.batch_size
        if self.steps_per_epoch == 0:
            raise DataError(
                f"data: {len(self.splits.train):,} images to train on are fewer than one batch of "
                f"{self.recipe.batch_size:,}",
                hint="Lower trainer.batch_size (or axes.batch_size), or raise data.train_images.",
            )
        look = Look(self.splits.mean, self.splits.std, self.recipe.augment, study.facts().flip)
        self.batches, self.labels = dataset.batches(look, device, threads), dataset.labels
        network = build_network(study.network_template(), configuration.architecture, generator=self.generator("init"))
        # channels last: a step takes 30 to 50 % less time on a CPU with these small maps (torch 2.14, oneDNN)
        self.network = network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.SGD(
            parameter_groups(self.network, self.recipe),
            lr=self.recipe.learning_rate,
            momentum=self.recipe.momentum,
            nesterov=self.recipe.momentum > 0,
            fused=device.type == "cuda",  # on processors it gains nothing
        )

    def generator(self, *purpose: str | int) -> torch.Generator:
        """A CPU generator of its own for one purpose."""
        return torch.Generator().manual_seed(derive_seed(self.seed, *purpose))

    def steps(self, epoch: int) -> Iterator[Tensor]:
        """Train one epoch; yields the loss after each step, as a tensor on the device."""
        size = self.recipe.batch_size
        shuffled = torch.randperm(len(self.splits.train), generator=self.generator("order", epoch))
        order = self.splits.train[shuffled]
        self.network.train()
        for step, batch in enumerate(self.batches.training(order, size, self.generator("augment", epoch))):
            # the rate in the middle of the step: neither the first nor the last step is one of length 0
            done = epoch - 1 + (step + 0.5) / self.steps_per_epoch
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate_at(self.recipe, done)
            self.optimizer.zero_grad()
            loss = self._gradients(batch)
            self.optimizer.step()
            yield loss

    def _gradients(self, batch: Batch) -> Tensor:
        """Leave the gradients of the batch's mean loss in the parameters; returns that loss."""
        size = len(batch.labels)
        losses = []
        for images, labels in zip(*(torch.chunk(tensor, self.micro_batches) for tensor in batch), strict=True):
            with precision(self.device):
                logits = self.network(images)
            smoothing = self.recipe.label_smoothing
            loss = functional.cross_entropy(logits.float(), labels, label_smoothing=smoothing) * (len(labels) / size)
            torch.autograd.backward(loss)
            losses.append(loss.detach())
        return torch.stack(losses).sum()

    @torch.inference_mode()
    def predict(self, numbers: Tensor) -> Tensor:
        """Logits of the images with these numbers, `(images, classes)` on the CPU, without augmentation."""
        self.network.eval()
        size = max(self.recipe.batch_size // self.micro_batches, 1)
        with precision(self.device):
            return torch.cat([self.network(images).float() for images, _ in self.batches.plain(numbers, size)]).cpu()


def _run_epoch(trial: Trial, number: int) -> Epoch:
    began = time.perf_counter()
    # summed on the device and looked at once: a look at every step would make a GPU wait for it
    train_loss = float(sum(trial.steps(number), torch.zeros((), device=trial.device))) / trial.steps_per_epoch
    if not math.isfinite(train_loss):
        raise TrainingDiverged(number, train_loss)
    epoch = Epoch(
        epoch=number,
        learning_rate=learning_rate_at(trial.recipe, number),
        train_loss=train_loss,
        validation_loss=None,
        validation_error=None,
        seconds=0.0,
    )
    if not trial.confirm:
        loss, correct = _judge(trial, number, trial.splits.validation)
        epoch = epoch._replace(validation_loss=loss, validation_error=_percent_wrong(correct))
    elif number == trial.recipe.epochs:
        _, correct = _judge(trial, number, trial.splits.test)
        epoch = epoch._replace(test_error=_percent_wrong(correct), test_correct=pack_correct(correct.numpy()))
    return epoch._replace(seconds=time.perf_counter() - began)


def _judge(trial: Trial, number: int, images: Tensor) -> tuple[float, Tensor]:
    """Mean cross-entropy over the images with these numbers, and for each whether it was recognised."""
    logits, labels = trial.predict(images), trial.labels[images]
    loss = float(functional.cross_entropy(logits, labels))
    if not math.isfinite(loss):
        raise TrainingDiverged(number, loss)
    return loss, logits.argmax(dim=1) == labels


def _percent_wrong(correct: Tensor) -> float:
    return 100 * int((~correct).sum()) / len(correct)


# ------------------------------------------------------------------ checkpoint


def _identity(study: Study, configuration: Configuration, seed: int, confirm: bool) -> str:
    """Everything that a trial's result depends on, as text."""
    return json.dumps(
        {
            "data": study.data.model_dump(exclude={"root"}),  # the same images, wherever they lie
            "template": dataclasses.asdict(study.network_template()),
            "recipe": study.trainer.model_dump(exclude={"recipe"}),  # its values, whatever they are called
            "study_seed": study.seed,
            "configuration": configuration.to_json(),
            "seed": seed,
            "confirm": confirm,
            "state": 2,  # how `trainers/checkpoint.py` writes it; what was written otherwise is not read
        }
    )


def _writing(trial: Trial, epochs: list[Epoch], path: Path) -> Callable[[], None]:
    """What writes a checkpoint of a trial as it is now, whatever becomes of it meanwhile."""
    state = {**state_of(trial.network, trial.optimizer), "epochs": [list(epoch) for epoch in epochs]}
    return partial(write_checkpoint, path, trial.identity, state)


def _wait(writing: list[Future[None]]) -> None:
    for one in writing:
        one.result()


def _restore(trial: Trial, checkpoint: Path) -> list[Epoch]:
    """Bring a fresh trial to where its checkpoint stands; returns the epochs that are done."""
    state = read_checkpoint(checkpoint, trial.identity)
    if state is None:
        return []
    restore(state, trial.network, trial.optimizer)
    return [Epoch(*values) for values in state["epochs"]]
