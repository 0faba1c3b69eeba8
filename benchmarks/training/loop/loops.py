"""The training loops that are compared: ours, and the loop of PyTorch's classification examples.

All train the same network, from the same weights, by the same recipe. The plain loop reads PIL images through
torchvision's transforms in a DataLoader, as the examples for ImageNet and the references of torchvision do.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import torch
from resnext_search.spaces import Configuration, Study
from resnext_search.spaces.claim.arms import claim_arms
from resnext_search.trainers.data.augment import padding_of
from resnext_search.trainers.data.dataset import Batch, Dataset
from resnext_search.trainers.data.in_memory import MemoryDataset
from resnext_search.trainers.data.readers import load_dataset
from resnext_search.trainers.schedule import learning_rate_at
from resnext_search.trainers.training_run import TrainingRun
from torch.nn import functional
from torch.utils import data
from torchvision import transforms
from torchvision.transforms.functional import to_pil_image

CPU = torch.device("cpu")
CARDINALITIES = (1, 8, 32)
STUDY = Study.model_validate(
    {
        "name": "training-speed",
        "data": {"name": "fashion_mnist", "train_images": 6_000, "validation_images": 5_000},
        "template": {"stem": "cifar", "stride": 2, "planes": 16, "stages": 3},
        "budget": {"like": {"cardinality": 1, "width": 16, "blocks": [1, 1, 1]}},
        "axes": {
            "cardinality": list(CARDINALITIES),
            "width": {"min": 1, "max": 64},
            "blocks": [1],
            "learning_rate": {"min": 0.01, "max": 1.0},
        },
        "trainer": {"epochs": 6, "batch_size": 64, "learning_rate": 0.1},
        "claim": {
            "kind": "trade",
            "base": {"cardinality": 1, "width": 16, "blocks": [1, 1, 1]},
            "cardinality": list(CARDINALITIES),
        },
    }
)


def configuration(cardinality: int) -> Configuration:
    """The network with so many groups; all cost the same, within 2 %."""
    [found] = [arm.architecture for arm in claim_arms(STUDY) if arm.architecture.cardinality == cardinality]
    return Configuration(found)


class Ours:
    """What a trial does."""

    def __init__(self, cardinality: int, seed: int, threads: int) -> None:
        self.trial = TrainingRun(STUDY, configuration(cardinality), seed, device=CPU, threads=threads)

    def steps(self, epoch: int) -> Iterator[object]:
        """Train an epoch."""
        return self.trial.steps(epoch)

    def error(self) -> float:
        """Validation error."""
        numbers = self.trial.splits.validation
        return _percent_wrong(self.trial.predict(numbers), self.trial.labels[numbers])


class Plain(Ours):
    """The examples' loop, with the network and the optimizer of a trial: channels first, loss read at every step."""

    def __init__(self, cardinality: int, seed: int, threads: int) -> None:
        super().__init__(cardinality, seed, threads)
        self.trial.network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Batches of an epoch, by a DataLoader with one worker for each core."""
        splits = self.trial.splits
        side = load_images().images.shape[-1]
        moved = transforms.Compose(
            [transforms.RandomCrop(side, padding=padding_of(side)), transforms.RandomHorizontalFlip(), *self._plain()]
        )
        loader: data.DataLoader[Batch] = data.DataLoader(
            Pictures(splits.train, moved),
            self.trial.recipe.batch_size,
            shuffle=True,
            drop_last=True,
            num_workers=os.cpu_count() or 1,
            generator=torch.Generator().manual_seed(self.trial.seed * 1_000 + epoch),
        )
        for images, labels in loader:
            yield Batch(images, labels)

    def steps(self, epoch: int) -> Iterator[object]:
        """Train an epoch."""
        trial = self.trial
        trial.network.train()
        for step, (images, labels) in enumerate(self.batches(epoch)):
            for group in trial.optimizer.param_groups:
                group["lr"] = learning_rate_at(trial.recipe, epoch - 1 + (step + 0.5) / trial.steps_per_epoch)
            loss = functional.cross_entropy(trial.network(images), labels)
            trial.optimizer.zero_grad()
            torch.autograd.backward(loss)
            trial.optimizer.step()
            yield loss.item()

    @torch.no_grad()
    def error(self) -> float:
        """Validation error."""
        numbers = self.trial.splits.validation
        loader: data.DataLoader[Batch] = data.DataLoader(
            Pictures(numbers, transforms.Compose(self._plain())),
            self.trial.recipe.batch_size,
            num_workers=os.cpu_count() or 1,
        )
        self.trial.network.eval()
        logits = torch.cat([self.trial.network(images) for images, _ in loader])
        return _percent_wrong(logits, self.trial.labels[numbers])

    def _plain(self) -> list[object]:
        splits = self.trial.splits
        return [transforms.ToTensor(), transforms.Normalize((splits.mean / 255).tolist(), (splits.std / 255).tolist())]


class PlainOnOurData(Plain):
    """The same, with our data path only."""

    def batches(self, epoch: int) -> Iterator[Batch]:
        """Batches of an epoch, prepared in memory, channels first."""
        order = self.trial.splits.train[torch.randperm(len(self.trial.splits.train))]
        for images, labels in self.trial.batches.training(
            order, self.trial.recipe.batch_size, self.trial.generator("augment", epoch)
        ):
            yield Batch(images.contiguous(), labels)


class Pictures(data.Dataset):  # type: ignore[type-arg]
    """Images as PIL hands them out, as torchvision's own data sets do."""

    def __init__(self, numbers: torch.Tensor, transform: object) -> None:
        self.numbers, self.transform = numbers, transform
        self.dataset = load_images()

    def __len__(self) -> int:
        """How many there are."""
        return len(self.numbers)

    def __getitem__(self, place: int) -> tuple[torch.Tensor, int]:
        """One image, transformed, and its label."""
        number = int(self.numbers[place])
        image = to_pil_image(self.dataset.images[number])
        return self.transform(image), int(self.dataset.labels[number])  # type: ignore[operator]


def load_images() -> MemoryDataset:
    """The data set, in memory."""
    dataset: Dataset = load_dataset(STUDY.data)
    assert isinstance(dataset, MemoryDataset)
    return dataset


def _percent_wrong(logits: torch.Tensor, labels: torch.Tensor) -> float:
    return 100 * float((logits.argmax(dim=1) != labels).float().mean())


LOOPS: dict[str, type[Ours]] = {"plain": Plain, "plain, our data": PlainOnOurData, "ours": Ours}
