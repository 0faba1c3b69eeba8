"""Are networks trained as one what they are alone, does one that diverges spoil the others, and are they faster?"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from resnext_search.trainers.device import precision, prepare
from resnext_search.trainers.resnext import build_network
from torch import Tensor
from torch.nn import functional

from benchmarks.device.fused import Members
from benchmarks.device.networks import NETWORKS, Network
from benchmarks.device.report import Report, endless

# How many members of which network.
SIZES = {
    "fashion 4M 1x16d": (1, 4, 10),
    "fashion 4M 8x3d": (1, 4, 10),
    "cifar 47M 1x16d": (1, 4),
    "cifar 47M 8x3d": (1, 4),
}
SIZES_ON_CPU = {"digits 1M 2x12d": (1, 4, 10)}
LEAST_SECONDS = 6.0
STEPS_COMPARED, SAME_WITHIN = 5, 1e-10  # in 64 bits


def members(report: Report) -> None:
    """K = 1, 4 and 10, with 1x1 convolutions as groups and as batched products, step by step and as a graph."""
    prepare(report.device, torch.get_num_threads())
    for as_products in (False, True):
        apart = float(_apart(report, as_products).max())
        how = "batched products" if as_products else "groups"
        condition = f"losses of {STEPS_COMPARED} steps in 64 bits differ by {SAME_WITHIN:g} at most"
        report.check(f"members train as alone, as {how}", condition, apart < SAME_WITHIN, difference=apart)
        report.clean()
    for label, counts in (SIZES if report.on_gpu else SIZES_ON_CPU).items():
        for count in counts:
            for as_products in (False, True):
                if report.left() < LEAST_SECONDS:
                    report.figure(f"{count} members of {label}: no time is left")
                    continue
                _speed_of(report, label, count, as_products)
                report.clean()
    if not report.on_gpu:
        report.not_here("members as a graph", "it has no graphs")


class _Trained:
    """Members with images of their own, and an optimizer."""

    def __init__(self, of: Network, count: int, as_products: bool, device: torch.device, dtype: torch.dtype) -> None:
        study, generator = of.study(device), torch.Generator().manual_seed(7)
        template, self.size, self.count, self.device = study.network_template(), study.trainer.batch_size, count, device
        seeds = [torch.Generator().manual_seed(seed) for seed in range(count)]
        self.network = Members(template, of.configuration.architecture, seeds, as_products=as_products)
        self.network = self.network.to(device, dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        shape = (self.size, count * template.channels, template.resolution, template.resolution)
        images = torch.randn(shape, generator=generator).to(device, dtype)
        self.images = images.contiguous(memory_format=torch.channels_last)
        self.labels = torch.randint(template.classes, (count, self.size), generator=generator).to(device)
        self.optimizer = torch.optim.SGD(
            self.network.parameters(),
            lr=torch.tensor(0.01, device=device) if device.type == "cuda" else 0.01,
            momentum=0.9,
            nesterov=True,
            fused=device.type == "cuda",
        )

    def step(self) -> Tensor:
        """Train on the batch; returns the members' losses, `(K,)`. Of their sum each has its own gradient."""
        self.optimizer.zero_grad()
        with precision(self.device):
            logits = self.network(self.images)
        each = functional.cross_entropy(logits.flatten(0, 1), self.labels.flatten(), reduction="none")
        losses = each.view(self.count, self.size).mean(dim=1)
        torch.autograd.backward(losses.sum())
        self.optimizer.step()
        return losses.detach()


def _apart(report: Report, as_products: bool) -> Tensor:
    """How far the losses of two members lie from those of the same networks alone, relative, step by step."""
    of = NETWORKS["digits 1M 2x12d"]
    together = _Trained(of, 2, as_products, report.device, torch.float64)
    found = torch.stack([together.step() for _ in range(STEPS_COMPARED)])
    parts = zip(together.images.chunk(2, dim=1), together.labels, strict=True)
    alone = [_losses_alone(of, member, *given) for member, given in enumerate(parts)]
    return (found / torch.stack(alone, dim=1) - 1).abs()


def _losses_alone(of: Network, seed: int, images: Tensor, labels: Tensor) -> Tensor:
    """Losses of some steps, `(steps,)`, in 64 bits."""
    template, generator = of.study(images.device).network_template(), torch.Generator().manual_seed(seed)
    network = build_network(template, of.configuration.architecture, generator=generator).to(images)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    losses = []
    for _ in range(STEPS_COMPARED):
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(images), labels)
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.detach())
    return torch.stack(losses)


def _speed_of(report: Report, label: str, count: int, as_products: bool) -> None:
    """Images a second of all members, and whether a member that is not finite leaves the others alone."""
    of = NETWORKS[label]
    trained = _Trained(of, count, as_products, report.device, torch.float32)
    steps = endless(trained.step)
    for _ in range(10 if report.on_gpu else 1):
        next(steps)
    ms, _ = report.clock(steps, 50 if report.on_gpu else 2)
    figures = {"ms": ms, "images_per_s_of_all": 1_000 * count * trained.size / ms}
    if report.on_gpu:
        ms, _ = report.clock(endless(_recorded(trained.step)), 100)
        figures |= {"graph_ms": ms, "graph_images_per_s_of_all": 1_000 * count * trained.size / ms}
    name = f"{count} member{'s' * (count > 1)} of {label}, {'batched products' if as_products else 'groups'}"
    if count == 1:
        report.figure(name, **figures)
        return
    first, *others = range(count)
    for part in trained.network.part_of(first):
        part.detach().fill_(math.nan)
    losses = trained.step()
    whole = all(bool(part.isfinite().all()) for member in others for part in trained.network.part_of(member))
    alone = whole and bool(losses[1:].isfinite().all()) and not bool(losses[0].isfinite())
    report.check(name, "NaN of one member reaches no other", alone, **figures)


def _recorded(step: Callable[[], object]) -> Callable[[], object]:
    """The step as a graph."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay
