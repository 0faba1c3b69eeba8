"""How fast could a network be trained at best here? The time of its bare convolutions and matrix products."""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
from resnext_search.trainers.resnext import build_network
from torch import Tensor, nn

from benchmarks.loop.loops import STUDY, configuration

REPEATS = 12
Work = Callable[[], object]


def floor_seconds(cardinality: int, batch: int) -> float:
    """Seconds of a step's operators: forward, and backward for inputs (but the first layer's) and weights.

    Each operator alone, on tensors of its shapes, channels last, in the threads that torch has now; the median of 12.
    """
    network = build_network(STUDY.network_template(), configuration(cardinality).architecture)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    works: list[Work] = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(lambda layer, inputs, output: works.extend(_works(layer, inputs[0], output)))
    facts = STUDY.facts()
    images = torch.randn(batch, facts.channels, facts.resolution, facts.resolution)
    with torch.no_grad():
        network(images.contiguous(memory_format=torch.channels_last))
    return sum(_seconds(work) for work in works)


def _works(layer: nn.Module, inputs: Tensor, output: Tensor) -> list[Work]:
    """What has to be computed for one layer in a step."""
    inputs, gradient = inputs.clone(), torch.randn_like(output)
    if isinstance(layer, nn.Linear):
        weight = layer.weight.detach()
        return [lambda: inputs @ weight.T, lambda: gradient @ weight, lambda: gradient.T @ inputs]
    assert isinstance(layer, nn.Conv2d)
    weight = layer.weight.detach()
    how = (list(layer.stride), list(layer.padding), [1, 1], False, [0, 0], layer.groups)  # type: ignore[arg-type]
    wanted = [inputs.shape[1] != STUDY.facts().channels, True, False]  # nobody asks for the gradient of an image
    return [
        lambda: torch.ops.aten.convolution(inputs, weight, None, *how),
        lambda: torch.ops.aten.convolution_backward(gradient, inputs, weight, None, *how, wanted),
    ]


def _seconds(work: Work) -> float:
    times = []
    for _ in range(REPEATS + 2):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return median(times[2:])
