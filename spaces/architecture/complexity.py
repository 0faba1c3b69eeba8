"""How much does a network cost: multiply-adds, parameters and activations, exactly and before it is built.

One function lists the layers; the counts are sums over that list. The numbers of an architecture may be integers or
integer arrays: the same list then counts a million architectures at once (`search_space/feasible.py`).

Conventions, those of the paper and of pycls: a multiply and an add count once; convolutions and the classifier count
(the classifier with its bias, one per class), norms, activation functions and pooling do not. Parameters include the
norms' scale and shift. Activations are the outputs of the convolutions, of the stem's max-pool and of the classifier,
for one image.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from resnext_search.spaces.architecture.architecture import Architecture, Template, halved

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


class Complexity(NamedTuple):
    """What one image costs (multiply-adds, activations) and what is stored (parameters).

    Each a number, or `(...)` int64 arrays of one shape: an element a network.
    """

    multiply_adds: int | Integers
    parameters: int | Integers
    activations: int | Integers


class Layer(NamedTuple):
    """A convolution with its norm, or the classifier; of one network, or of many in `(...)` arrays of one shape.

    Args:
        repeats: How often the layer stands in the network.
        kernel: Side of the kernel, in pixels.
        inputs: Channels in.
        outputs: Channels out.
        groups: Groups; each output channel sees `inputs / groups` channels.
        side: Side of the output map, in pixels.
    """

    repeats: int | Integers
    kernel: int
    inputs: int | Integers
    outputs: int | Integers
    groups: int
    side: int

    @property
    def weights(self) -> int | Integers:
        """Weights of the kernel; a number, or a `(...)` array like the layer's."""
        return self.kernel**2 * (self.inputs // self.groups) * self.outputs

    @property
    def multiply_adds(self) -> int | Integers:
        """Multiply-adds of all repeats: every weight once for every pixel of the output map; as `weights`."""
        return self.repeats * self.weights * self.side**2


def convolutions(
    template: Template, cardinality: int, group_widths: Sequence[int | Integers], blocks: Sequence[int | Integers]
) -> Iterator[Layer]:
    """List the convolutions of a network, in the order of its forward pass.

    Group widths and blocks, one a stage, are integers, or `(...)` arrays in which every element is another network.

    Source:
        Xie et al. 2017, arXiv:1611.05431, Table 1 and Fig. 3(c); the stride is on the 3x3 convolution.
    """
    stem_kernel = 7 if template.stem == "imagenet" else 3
    stem_side = halved(template.resolution) if template.stem == "imagenet" else template.stem_side()
    yield Layer(1, stem_kernel, template.channels, template.planes, 1, stem_side)
    for stage, (width, count) in enumerate(zip(group_widths, blocks, strict=True)):
        yield from stage_convolutions(template, cardinality, stage, width, count)


def stage_convolutions(
    template: Template, cardinality: int, stage: int, width: int | Integers, count: int | Integers
) -> Iterator[Layer]:
    """List the convolutions of one stage (from 0). They depend on no other: what goes in and out is the template's.

    Its group width and how many blocks it has are integers, or `(...)` arrays of them that broadcast.
    """
    side_in, side = template.stage_sides(stage)
    inputs = template.output_channels(stage - 1) if stage > 0 else template.planes
    inner, outputs = cardinality * width, template.output_channels(stage)
    # first block: comes in at the larger map, changes the number of channels
    yield Layer(1, 1, inputs, inner, 1, side_in)
    yield Layer(1, 3, inner, inner, cardinality, side)
    yield Layer(1, 1, inner, outputs, 1, side)
    if template.shortcut == "projection":
        yield Layer(1, 1, inputs, outputs, 1, side)
    # the other blocks
    yield Layer(count - 1, 1, outputs, inner, 1, side)
    yield Layer(count - 1, 3, inner, inner, cardinality, side)
    yield Layer(count - 1, 1, inner, outputs, 1, side)


def count(
    template: Template, cardinality: int, group_widths: Sequence[int | Integers], blocks: Sequence[int | Integers]
) -> Complexity:
    """Count multiply-adds, parameters and activations; arguments as in `convolutions`.

    Returns:
        Integers, or `(...)` arrays of the broadcast shape of the arguments. Counts are for one image.
    """
    features = template.output_channels(template.stages - 1)
    multiply_adds: int | Integers = features * template.classes + template.classes
    parameters: int | Integers = features * template.classes + template.classes
    activations: int | Integers = template.classes
    if template.stem == "imagenet":  # the max-pool's output, which pycls counts too
        activations += template.planes * template.stem_side() ** 2
    for layer in convolutions(template, cardinality, group_widths, blocks):
        multiply_adds = multiply_adds + layer.multiply_adds
        parameters = parameters + layer.repeats * (layer.weights + 2 * layer.outputs)
        activations = activations + layer.repeats * layer.outputs * layer.side**2
    return Complexity(multiply_adds, parameters, activations)


def complexity(template: Template, architecture: Architecture) -> Complexity:
    """Exact complexity of one architecture.

    Source:
        Published counts it reproduces: pycls `dev/model_complexity.json`, torchvision's model pages.

    >>> complexity(Template(stem="imagenet", stages=4, resolution=224, classes=1000),
    ...            Architecture.paper(32, 4, (3, 4, 6, 3)))
    Complexity(multiply_adds=4230480872, parameters=25028904, activations=14602216)
    """
    return count(template, architecture.cardinality, architecture.group_widths, architecture.blocks)


def bottleneck_parameters(cardinality: int, width: int, channels: int = 256) -> int:
    """Weights of one ResNeXt bottleneck, without its norms: C groups of d channels, so many at both ends of the block.

    Source:
        Xie et al. 2017, arXiv:1611.05431, eq. (4): C (256 d + 3·3 d d + d 256).

    >>> bottleneck_parameters(cardinality=32, width=4)
    70144
    """
    return cardinality * (channels * width + 3 * 3 * width * width + width * channels)
