"""Does a trial on this device compute what it computes on a processor, wait for nothing, and come out the same?"""

from __future__ import annotations

from typing import Any

import torch
from resnext_search.trainers.device import precision
from resnext_search.trainers.resnext import build_network
from torch import Tensor
from torch.nn import functional

from benchmarks.device.networks import CPU, NETWORKS, Network, endless_steps
from benchmarks.device.report import Report

# In 32 bits a single ReLU that flips is an error of 1e-3 to 1e-2: chance, as bfloat16's rounding is.
LIMITS = {"64 bits": 1e-9, "32 bits": 3e-2, "bfloat16": 0.35}
IMAGES = 32
WITHOUT_WAITING = 40  # on a GPU more batches than are prepared at once


def batches(report: Report) -> None:
    """Augmentation draws its numbers on the processor, so that every device sees the same images."""
    of = NETWORKS["fashion 4M 8x3d"]
    theirs, ours = of.trial(CPU), of.trial(report.device)
    order = theirs.splits.train[:256]
    given, expected = (
        list(trial.batches.training(order, 64, trial.generator("augment", 1))) for trial in (ours, theirs)
    )
    worst = max(float((a.images.cpu() - b.images).abs().max()) for a, b in zip(given, expected, strict=True))
    labels = all(torch.equal(a.labels.cpu(), b.labels) for a, b in zip(given, expected, strict=True))
    last = all(batch.images.is_contiguous(memory_format=torch.channels_last) for batch in given)
    report.check(
        "batches are those of the CPU",
        "difference < 1e-5, same labels, channels last",
        worst < 1e-5 and labels and last and len(given) == 4,
        difference=worst,
        same_labels=labels,
        channels_last=last,
    )


def gradients(report: Report) -> None:
    """Of one batch, against 64 bits on the processor."""
    for label in ("fashion 4M 1x16d", "fashion 4M 8x3d", "cifar 47M 8x3d"):
        expected, loss = _gradient(NETWORKS[label], CPU, "64 bits")
        for kind, limit in LIMITS.items():
            name = f"gradient of {label} in {kind}"
            if kind == "bfloat16" and not report.on_gpu:
                report.not_here(name, "it computes in 32 bits")
                continue
            found, its_loss = _gradient(NETWORKS[label], report.device, kind)
            error = float((found - expected).norm() / expected.norm())
            cosine = float(functional.cosine_similarity(found, expected, dim=0))
            figures = {"error": error, "cosine": cosine, "loss_difference": abs(its_loss - loss)}
            report.check(name, f"relative error < {limit:g}", error < limit, **figures)


def _gradient(of: Network, device: torch.device, kind: str) -> tuple[Tensor, float]:
    """All of it in one row of 64 bits on the processor, and the loss."""
    template = of.study(device).network_template()
    generator, dtype = torch.Generator().manual_seed(3), torch.float64 if kind == "64 bits" else torch.float32
    images = torch.randn(IMAGES, template.channels, template.resolution, template.resolution, generator=generator)
    labels = torch.randint(template.classes, (IMAGES,), generator=generator).to(device)
    network = build_network(template, of.configuration.architecture).to(device, dtype)
    network = network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    with precision(device if kind == "bfloat16" else CPU):
        logits = network(images.to(device, dtype).contiguous(memory_format=torch.channels_last))
    loss = functional.cross_entropy(logits, labels)
    torch.autograd.backward(loss)
    found = [
        parameter.grad.double().cpu().flatten() for parameter in network.parameters() if parameter.grad is not None
    ]
    return torch.cat(found), float(loss.detach())


def waiting(report: Report) -> None:
    """A look at a number in every step would keep Python waiting for the GPU."""
    for graph in (False, True):
        name = f"{WITHOUT_WAITING} steps{' as a graph' * graph} wait for nothing"
        if not report.on_gpu:
            report.not_here(name, "it computes while it is asked")
            continue
        steps = endless_steps(NETWORKS["cifar 47M 1x16d"].trial(report.device, graph=graph))
        for _ in range(4):
            next(steps)
        torch.cuda.set_sync_debug_mode("error")
        try:
            for _ in range(WITHOUT_WAITING):
                next(steps)
            waited = "no"
        except RuntimeError as error:
            waited = str(error).partition("\n")[0]
        finally:
            torch.cuda.set_sync_debug_mode("default")
        report.check(name, "no call that waits", waited == "no", waited=waited)


def repeats(report: Report) -> None:
    """The same trial twice: nothing is promised on a GPU, but where the recipe asks for the same bits."""
    for deterministic in (False, True):
        (first, error), (second, other) = (_trained(report, deterministic=deterministic) for _ in range(2))
        figures = {"weights_differ_by": float((first - second).abs().max()), "errors": f"{error:.4g} and {other:.4g}"}
        if report.on_gpu and not deterministic:
            report.figure("the same trial twice", **figures)
        else:
            name = f"the same trial twice{', deterministic' * deterministic}"
            report.check(name, "the same bits", bool(torch.equal(first, second)), **figures)


def graphs(report: Report) -> None:
    """The step as a graph against usual steps: with kernels that give the same bits, at a rate that 32 bits hold."""
    name = "a graph of the step gives the numbers of usual steps"
    if not report.on_gpu:
        report.not_here(name, "it has no graphs, and trains step by step")
        return
    recipe = {"deterministic": True, "schedule": "step", "learning_rate": 0.0625, "warmup_epochs": 0.0, "epochs": 8}
    (first, error), (second, other) = (_trained(report, graph=graph, **recipe) for graph in (False, True))
    figures = {"weights_differ_by": float((first - second).abs().max()), "errors": f"{error:.4g} and {other:.4g}"}
    report.check(name, "the same bits", bool(torch.equal(first, second)), **figures)


def _trained(report: Report, **recipe: Any) -> tuple[Tensor, float]:
    """The weights after two epochs on digits, and the validation error in percent."""
    trial = NETWORKS["digits 1M 2x12d"].trial(report.device, **recipe)
    for epoch in (1, 2):
        for _ in trial.steps(epoch):
            pass
    images = trial.splits.validation
    wrong = trial.predict(images).argmax(dim=1) != trial.labels[images]
    weights = torch.cat([parameter.detach().flatten() for parameter in trial.network.parameters()])
    return weights, 100 * float(wrong.float().mean())
