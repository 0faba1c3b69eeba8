"""What does a trial train: network, optimizer and data on its device, and one epoch's steps.

Everything random comes from generators that are derived from the trial's seed, and those of an epoch from its number
too: an epoch does not depend on how its trial got there, which is what makes a resumed trial equal an undisturbed one:
bit for bit on processors, on a GPU as far as `prepare` promises it.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator

import torch
from resnext_search.spaces.architecture.training_cost import judged_at_once
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.versions import PROGRAM, versions
from resnext_search.trainers.data.dataset import Batch, Look
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.data.split_check import fewer_than_a_batch
from resnext_search.trainers.data.splits import splits_of
from resnext_search.trainers.device import precision, prepare
from resnext_search.trainers.graph import StepGraph, is_graphed
from resnext_search.trainers.resnext import build_network, counted_at_once
from resnext_search.trainers.schedule import learning_rate_at, parameter_groups
from torch import Tensor
from torch.nn import functional


class TrainingRun:
    """Network, optimizer and data of one trial, on its device; arguments as in `train`.

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
        birth: str = "",
        confirm: bool = False,
        micro_batches: int = 1,
    ) -> None:
        self.recipe, self.seed, self.device = configuration.recipe(study.trainer), seed, device
        prepare(device, threads, deterministic=self.recipe.deterministic)
        self.confirm, self.identity = confirm, identity_of(study, configuration, seed, birth=birth, confirm=confirm)
        self.micro_batches = micro_batches
        self.may_stop = study.search.early_stopping != "none"
        dataset = load_dataset(study.data)
        self.splits = splits_of(dataset, study, seed, confirm=confirm)
        self.steps_per_epoch = len(self.splits.train) // self.recipe.batch_size
        if self.steps_per_epoch == 0:
            raise fewer_than_a_batch(len(self.splits.train), self.recipe.batch_size)
        look = Look(self.splits.mean, self.splits.std, self.recipe.augment, study.facts().flip)
        self.batches, self.labels = dataset.batches(look, device, threads), dataset.labels
        of_a_part = max(self.recipe.batch_size // micro_batches, 1)
        self._most_judged = judged_at_once(study.network_template(), configuration.architecture, of_a_part)
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
        self.graph = StepGraph(self.optimizer, device) if is_graphed(self.recipe, device, micro_batches) else None

    def generator(self, *purpose: str | int) -> torch.Generator:
        """A CPU generator of its own for one purpose."""
        return torch.Generator().manual_seed(derive_seed(self.seed, *purpose))

    def steps(self, epoch: int) -> Iterator[Tensor]:
        """Train one epoch; yields the loss after each step, a tensor of shape `()` on the device."""
        size = self.recipe.batch_size
        shuffled = torch.randperm(len(self.splits.train), generator=self.generator("order", epoch))
        order = self.splits.train[shuffled]
        self.network.train()
        with counted_at_once(self.network) as uncalled:
            for step, batch in enumerate(self.batches.training(order, size, self.generator("augment", epoch))):
                # the rate in the middle of the step: neither the first nor the last step is one of length 0
                done = epoch - 1 + (step + 0.5) / self.steps_per_epoch
                rate = learning_rate_at(self.recipe, done)
                if self.graph is not None:
                    yield self.graph(self._step, batch, rate, uncalled)
                    continue
                for group in self.optimizer.param_groups:
                    group["lr"] = rate
                yield self._step(batch)

    def _step(self, batch: Batch) -> Tensor:
        """Move the weights by a batch, at the rate that the optimizer has; returns the loss."""
        self.optimizer.zero_grad()
        loss = self._gradients(batch)
        self.optimizer.step()
        return loss

    def _gradients(self, batch: Batch) -> Tensor:
        """Leave the gradients of the batch's mean loss in the parameters; returns that loss."""
        size = len(batch.labels)
        losses = []
        for images, labels in zip(*(torch.chunk(tensor, self.micro_batches) for tensor in batch), strict=True):
            with precision(self.device):
                logits = self.network(images)
            smoothing = self.recipe.label_smoothing
            loss = functional.cross_entropy(logits, labels, label_smoothing=smoothing)
            if len(labels) < size:  # of a whole batch it is the mean already
                loss = loss * (len(labels) / size)
            torch.autograd.backward(loss)
            losses.append(loss.detach())
        return losses[0] if len(losses) == 1 else torch.stack(losses).sum()

    @torch.inference_mode()
    def predict(self, numbers: Tensor) -> Tensor:
        """Logits, `(images, classes)` on the CPU, of the images with these `(images,)` numbers, not augmented."""
        self.network.eval()
        size, padded = self.batches_of(numbers)
        with precision(self.device):
            logits = [self.network(images) for images, _ in self.batches.plain(padded, size)]
        return torch.cat(logits)[: len(numbers)].cpu()

    def batches_of(self, numbers: Tensor) -> tuple[int, Tensor]:
        """In what batches these images go through the network to be judged: the size, and their `(images,)` numbers.

        On processors as they are trained: other batches may give other last digits, and nothing is gained. On a GPU in
        few large ones of one size, the last filled up with the first images: for every other shape it would look for
        kernels anew.
        """
        size = max(self.recipe.batch_size // self.micro_batches, 1)
        if self.device.type != "cuda" or len(numbers) == 0:
            return size, numbers
        batches = math.ceil(len(numbers) / max(size, self._most_judged))
        size = math.ceil(len(numbers) / batches)
        return size, torch.cat([numbers, numbers[: size * batches - len(numbers)]])


def _images(data: DataConfig) -> dict[str, object]:
    """The same images seen in the same way, wherever they lie; a view that is usual is not said, as it never was."""
    seen = data.model_dump(exclude={"root", "memory"})
    return {key: value for key, value in seen.items() if (key, value) != ("view", "middle")}


def identity_of(
    study: Study, configuration: Configuration, seed: int, *, birth: str = "", confirm: bool = False
) -> str:
    """Whose a state is: the study by its birth, and everything that a trial's result depends on, as text."""
    fold = study.fold_of(seed)
    return json.dumps(
        {
            "data": _images(study.data),
            "template": dataclasses.asdict(study.network_template()),
            # its values, whatever they are called; with a graph they give the same numbers
            "recipe": study.trainer.model_dump(exclude={"recipe", "graph"}),
            "study_seed": study.root_seed,
            "configuration": configuration.to_json(),
            "seed": seed,
            "confirm": confirm,
            "state": 2,  # how `trainers/checkpoint.py` writes it; what was written otherwise is not read
            "birth": birth,
            "version": versions().get(PROGRAM),
        }
        | ({} if fold is None else {"fold": fold})  # so that what was begun without folds is read as before
    )
