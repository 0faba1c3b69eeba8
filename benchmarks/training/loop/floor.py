"""How fast could a network be trained at best here? The time of its bare convolutions and matrix products."""

from __future__ import annotations

import time
from statistics import median
from typing import NamedTuple

import torch
from resnext_search.trainers.resnext import build_network
from torch import Size, Tensor, nn

from benchmarks.training.loop.loops import STUDY, configuration

REPEATS = 12


class Operator(NamedTuple):
    """A layer that multiplies, and the shapes of what it reads and writes in a step."""

    layer: nn.Conv2d | nn.Linear
    reads: Size
    writes: Size

    def forward(self, inputs: Tensor) -> Tensor:
        """The layer's output."""
        if isinstance(self.layer, nn.Linear):
            return inputs @ self.layer.weight.T
        output: Tensor = torch.ops.aten.convolution(inputs, self.layer.weight, None, *self._how)
        return output

    def backward(self, gradient: Tensor, inputs: Tensor) -> Tensor | None:
        """The gradient of the inputs; that of the weights is computed too. Nobody asks for the gradient of an image."""
        if isinstance(self.layer, nn.Linear):
            _ = gradient.T @ inputs
            return gradient @ self.layer.weight
        wanted = [inputs.shape[1] != STUDY.facts().channels, True, False]
        found: tuple[Tensor | None, ...] = torch.ops.aten.convolution_backward(
            gradient, inputs, self.layer.weight, None, *self._how, wanted
        )
        return found[0]

    @property
    def _how(self) -> tuple[object, ...]:
        layer = self.layer
        assert isinstance(layer, nn.Conv2d)
        return list(layer.stride), list(layer.padding), [1, 1], False, [0, 0], layer.groups  # type: ignore[arg-type]


@torch.no_grad()
def floor_seconds(cardinality: int, batch: int) -> float:
    """Seconds of a step's operators: forward, and backward for inputs (but the first layer's) and weights.

    One after the other in the order of a step, each on what the one before it wrote, channels last, as torch is set up
    now: a step without its norms, activations, additions, loss and update. The median of 12.
    """
    network = build_network(STUDY.network_template(), configuration(cardinality).architecture)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    operators: list[Operator] = []
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(
                lambda layer, inputs, output: operators.append(Operator(layer, inputs[0].shape, output.shape))
            )
    facts = STUDY.facts()
    network(torch.randn(batch, facts.channels, facts.resolution, facts.resolution))
    times = []
    for _ in range(REPEATS + 2):
        began = time.perf_counter()
        _step(operators)
        times.append(time.perf_counter() - began)
    return median(times[2:])


def _step(operators: list[Operator]) -> None:
    """Run them forward and backward; each takes the newest tensor of its shape, or zeros where there is none yet."""
    newest: dict[Size, Tensor] = {}
    read = []
    for operator in operators:
        read.append(_of_shape(newest, operator.reads))
        newest[operator.writes] = operator.forward(read[-1])
    for operator, inputs in zip(reversed(operators), reversed(read), strict=True):
        gradient = operator.backward(_of_shape(newest, operator.writes), inputs)
        if gradient is not None:
            newest[operator.reads] = gradient


def _of_shape(newest: dict[Size, Tensor], shape: Size) -> Tensor:
    if shape not in newest:
        zeros = torch.zeros(shape)
        newest[shape] = zeros.contiguous(memory_format=torch.channels_last) if len(shape) == 4 else zeros
    return newest[shape]
