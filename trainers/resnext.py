"""What is the network of an architecture?

The paper shows one block in three forms (its Fig. 3) that compute the same function: separate paths whose outputs are
summed, paths that are concatenated early, and one grouped convolution. All three are here so that a test can hold them
to it; trials train the grouped form, which is the fast one.

Parameters of the grouped form have torchvision's names, so published weights of the same layout can be loaded.
"""

from __future__ import annotations

import math
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import torch
from resnext_search.spaces.architecture.architecture import Architecture, Template
from torch import Tensor, nn
from torch.nn import functional

Form = Literal["separate", "concatenated", "grouped"]

# Of the name of a path's tensor: the block, the number of the path, and the layer in it with what it holds.
_PATH_NAME = re.compile(r"(?P<block>.+)\.paths\.(?P<path>\d+)\.(?P<layer>[^.]+)\.(?P<kind>[^.]+)")


def build_network(
    template: Template, architecture: Architecture, form: Form = "grouped", generator: torch.Generator | None = None
) -> nn.Sequential:
    """Build a network with fresh weights, on the default device (under `torch.device("meta")`: shapes alone).

    Args:
        template: What the study keeps fixed.
        architecture: Cardinality, widths and blocks.
        form: Which of the paper's forms a block has. From generators in the same state all three get the same weights.
        generator: Where the weights are drawn from, on the CPU; without it, one with seed 0. The global generator of
            torch is neither used nor moved.

    Returns:
        A network that takes `(images, channels, resolution, resolution)` and gives `(images, classes)` logits.

    Source:
        Xie et al. 2017, arXiv:1611.05431, Table 1, Fig. 3 and appendix A. Type A shortcuts: He et al. 2016.
    """
    network = _stack(template, architecture, form)
    if torch.get_default_device().type == "meta":
        return network
    generator = generator or torch.Generator().manual_seed(0)
    if form == "grouped":
        _draw_weights(network, generator)
    else:
        copy_weights(build_network(template, architecture, generator=generator), network)
    return network


def copy_weights(source: nn.Module, target: nn.Module) -> None:
    """Give a network of any form the weights and running statistics of the same architecture in grouped form."""
    target.load_state_dict(in_form_of(target, source.state_dict()))


def in_form_of(target: nn.Module, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cut tensors of the grouped form into those of another form: weights, gradients, or a whole state.

    A path owns a range of the grouped layers' channels: rows of a weight, but columns of the last 1x1 convolution,
    whose outputs all paths share.

    Args:
        target: A network of the form that is wanted.
        tensors: Name and tensor of the grouped form; names left out here are left out of the result.

    Returns:
        Each of the shape that `target` has under that name: `(outputs, inputs, kernel, kernel)` of a
        convolution, `(channels,)` of a norm.
    """
    cut = {}
    for name, like in target.state_dict().items():
        path = _PATH_NAME.fullmatch(name)
        whole = tensors.get(f"{path['block']}.{path['layer']}.{path['kind']}" if path else name)
        if whole is None:
            continue
        if path and whole.ndim > 0:  # batches seen is a single number, the same in every path
            axis = 1 if path["layer"] == "conv3" else 0
            whole = whole.narrow(axis, int(path["path"]) * like.shape[axis], like.shape[axis])
        cut[name] = whole
    return cut


class Undrawn:
    """A layer that draws no weights of its own: those of torch would be overwritten at once (see `_draw_weights`)."""

    def reset_parameters(self) -> None:
        """Called by torch's constructors."""


class Conv2d(Undrawn, nn.Conv2d):
    """A convolution whose weights are still to be drawn."""


class Linear(Undrawn, nn.Linear):
    """The classifier; its weights are still to be drawn."""

    def forward(self, features: Tensor) -> Tensor:
        """`(images, inputs)` to `(images, classes)` logits, in 32 bits even where the network computes in bfloat16.

        Bfloat16 has steps of 1/32 between 4 and 8: of the images that a network is not sure of, some would have two
        classes at the same logit, and be given to the one with the lower number.
        """
        kind = features.device.type  # `meta`, on which costs are counted, knows no autocast
        if not (torch.amp.is_autocast_available(kind) and torch.is_autocast_enabled(kind)):
            return super().forward(features)
        with torch.autocast(kind, enabled=False):
            return functional.linear(features.float(), self.weight, self.bias)


@contextmanager
def counted_at_once(network: nn.Module) -> Iterator[Callable[[], None]]:
    """Within the block the norms of a network that trains do not count its batches; afterwards they have.

    What it gives is to be called for every batch that reaches the norms without a call of the network.

    Their counters (`num_batches_tracked`) are used by nothing, but have torchvision's names in what is saved. Each of
    them would be a kernel of its own in every step: 31 of the 145 of a forward pass of a ResNeXt-29.
    """
    norms = [layer for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    counts, passes = [norm.num_batches_tracked for norm in norms], 0

    def count(_: nn.Module = network, __: Any = None) -> None:
        nonlocal passes
        passes += network.training

    hook = network.register_forward_pre_hook(count)
    try:
        for norm in norms:
            norm.num_batches_tracked = None
        yield count
    finally:
        hook.remove()
        for norm, seen in zip(norms, counts, strict=True):
            norm.num_batches_tracked = None if seen is None else seen.add_(passes)


class Block(nn.Module):
    """What the three forms share: norm of the aggregated 1x1 convolution, plus the shortcut, ReLU."""

    def __init__(
        self, inputs: int, width: int, cardinality: int, outputs: int, stride: int, downsample: nn.Module | None
    ) -> None:
        super().__init__()
        self.add_paths(inputs, width, cardinality, outputs, stride)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = downsample

    def add_paths(self, inputs: int, width: int, cardinality: int, outputs: int, stride: int) -> None:
        """Make all layers up to the norm of the aggregated 1x1 convolution."""
        raise NotImplementedError

    def aggregate(self, images: Tensor) -> Tensor:
        """Output of the last 1x1 convolution, summed over the paths; shapes as in `forward`."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """`(images, inputs, side, side)` to `(images, outputs, side / stride, side / stride)`."""
        transformed = self.bn3(self.aggregate(images))
        if self.downsample is not None:
            transformed = transformed + self.downsample(images)
        return functional.relu(transformed, inplace=True)


class GroupedBlock(Block):
    """Fig. 3(c): 1x1, norm, ReLU, grouped 3x3, norm, ReLU, 1x1; norm, shortcut, ReLU."""

    def add_paths(self, inputs: int, width: int, cardinality: int, outputs: int, stride: int) -> None:
        """As `Block` says."""
        inner = cardinality * width
        self.conv1 = Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = Conv2d(inner, inner, 3, stride, padding=1, groups=cardinality, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = Conv2d(inner, outputs, 1, bias=False)

    def aggregate(self, images: Tensor) -> Tensor:
        """All paths at once; shapes as in `Block.forward`."""
        narrow = functional.relu(self.bn1(self.conv1(images)), inplace=True)
        return self.conv3(functional.relu(self.bn2(self.conv2(narrow)), inplace=True))  # type: ignore[no-any-return]


class ConcatenatedBlock(Block):
    """Fig. 3(b): C paths of 1x1, norm, ReLU, 3x3, norm, ReLU; concatenated; 1x1; norm, shortcut, ReLU."""

    def add_paths(self, inputs: int, width: int, cardinality: int, outputs: int, stride: int) -> None:
        """As `Block` says."""
        self.paths = nn.ModuleList(_path(inputs, width, stride) for _ in range(cardinality))
        self.conv3 = Conv2d(cardinality * width, outputs, 1, bias=False)

    def aggregate(self, images: Tensor) -> Tensor:
        """The last convolution sums over the paths, since it sums over its inputs; shapes as in `Block.forward`."""
        return self.conv3(torch.cat([path(images) for path in self.paths], dim=1))  # type: ignore[no-any-return]


class SeparateBlock(Block):
    """Fig. 3(a): C paths of 1x1, norm, ReLU, 3x3, norm, ReLU, 1x1; summed; norm, shortcut, ReLU."""

    def add_paths(self, inputs: int, width: int, cardinality: int, outputs: int, stride: int) -> None:
        """As `Block` says."""
        self.paths = nn.ModuleList(_path(inputs, width, stride) for _ in range(cardinality))
        for path in self.paths:
            path.add_module("conv3", Conv2d(width, outputs, 1, bias=False))

    def aggregate(self, images: Tensor) -> Tensor:
        """The sum that the paper writes; shapes as in `Block.forward`."""
        return torch.stack([path(images) for path in self.paths]).sum(dim=0)


_BLOCKS: dict[Form, type[Block]] = {
    "grouped": GroupedBlock,
    "concatenated": ConcatenatedBlock,
    "separate": SeparateBlock,
}


class PaddedIdentity(nn.Module):
    """Type A shortcut: every `stride`-th pixel, and zeros for the channels that the input lacks."""

    def __init__(self, stride: int, missing_channels: int) -> None:
        super().__init__()
        self.stride, self.missing_channels = stride, missing_channels

    def forward(self, images: Tensor) -> Tensor:
        """`(images, inputs, side, side)` to `(images, inputs + missing, side / stride, side / stride)`."""
        return functional.pad(images[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.missing_channels))


def _path(inputs: int, width: int, stride: int) -> nn.Sequential:
    """One of C transformations, up to where the forms part; layers named as in the grouped form."""
    return nn.Sequential(
        OrderedDict[str, nn.Module](
            conv1=Conv2d(inputs, width, 1, bias=False),
            bn1=nn.BatchNorm2d(width),
            relu1=nn.ReLU(inplace=True),
            conv2=Conv2d(width, width, 3, stride, padding=1, bias=False),
            bn2=nn.BatchNorm2d(width),
            relu2=nn.ReLU(inplace=True),
        )
    )


def _shortcut(template: Template, inputs: int, outputs: int, stride: int) -> nn.Module | None:
    if template.shortcut == "none":
        return None
    if inputs == outputs and stride == 1:
        return nn.Identity()
    if template.shortcut == "identity":
        return PaddedIdentity(stride, outputs - inputs)
    return nn.Sequential(Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


def _stack(template: Template, architecture: Architecture, form: Form) -> nn.Sequential:
    """The layers in the order of the forward pass, under torchvision's names."""
    planes = template.planes
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if template.stem == "imagenet":
        layers["conv1"] = Conv2d(template.channels, planes, 7, stride=2, padding=3, bias=False)
    else:
        layers["conv1"] = Conv2d(template.channels, planes, 3, stride=template.stride, padding=1, bias=False)
    layers["bn1"], layers["relu"] = nn.BatchNorm2d(planes), nn.ReLU(inplace=True)
    if template.stem == "imagenet":
        layers["maxpool"] = nn.MaxPool2d(3, stride=2, padding=1)

    inputs = planes
    for stage, (width, count) in enumerate(zip(architecture.group_widths, architecture.blocks, strict=True)):
        outputs, blocks = template.output_channels(stage), []
        for index in range(count):
            stride = 2 if stage > 0 and index == 0 else 1
            shortcut = _shortcut(template, inputs, outputs, stride)
            blocks.append(_BLOCKS[form](inputs, width, architecture.cardinality, outputs, stride, shortcut))
            inputs = outputs
        layers[f"layer{stage + 1}"] = nn.Sequential(*blocks)
    layers["avgpool"], layers["flatten"] = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    layers["fc"] = Linear(inputs, template.classes)
    return nn.Sequential(layers)


def _draw_weights(network: nn.Module, generator: torch.Generator) -> None:
    """Fill a grouped network: convolutions by their fan-out, classifier uniform with bias 0; norms are neutral.

    Source:
        The authors' published Lua code (facebookresearch/ResNeXt); the classifier's weight is Torch's default there.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            fan_out = math.prod(layer.kernel_size) * layer.out_channels
            nn.init.normal_(layer.weight, 0.0, math.sqrt(2.0 / fan_out), generator=generator)
        elif isinstance(layer, nn.Linear):
            limit = 1.0 / math.sqrt(layer.in_features)
            nn.init.uniform_(layer.weight, -limit, limit, generator=generator)
            nn.init.zeros_(layer.bias)
