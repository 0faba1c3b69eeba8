"""Several networks of one architecture as one: K members side by side, channels of member k together, `[N, K*C, H, W]`.

Whether that is faster than K processes is what `members.py` looks at; trials do not train so.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.trainers.resnext import Conv2d, Undrawn, build_network
from torch import Tensor, nn


class Members(nn.Module):
    """Takes the images of all members, `(images, K * channels, side, side)`; gives `(K, images, classes)` logits."""

    def __init__(
        self,
        template: Template,
        architecture: Architecture,
        generators: Sequence[torch.Generator],
        *,
        as_products: bool,
    ) -> None:
        super().__init__()
        count = len(generators)
        alone = [build_network(template, architecture, generator=one).state_dict() for one in generators]
        self.network = build_network(template, architecture)
        _widen(self.network, count, as_products)
        state = self.network.state_dict()
        for name, tensor in state.items():
            parts = [of[name] for of in alone]
            if tensor.ndim > 0:
                tensor.copy_(torch.stack(parts) if name.startswith("fc.") else torch.cat(parts))

    def forward(self, images: Tensor) -> Tensor:
        """As the class says."""
        return self.network(images)  # type: ignore[no-any-return]

    def part_of(self, member: int) -> list[Tensor]:
        """What one member has of every parameter."""
        count = self.network.fc.weight.shape[0]  # type: ignore[union-attr,index]
        return [parameter.chunk(int(count))[member] for parameter in self.network.parameters()]


class MemberLinear(nn.Module):
    """The classifiers, one for each member."""

    def __init__(self, count: int, like: nn.Linear) -> None:
        super().__init__()
        self.count = count
        self.weight = nn.Parameter(torch.empty(count, like.out_features, like.in_features))
        self.bias = nn.Parameter(torch.empty(count, like.out_features))

    def forward(self, features: Tensor) -> Tensor:
        """`(images, K * inputs)` to `(K, images, classes)`; in 32 bits, as the classifier of a network."""
        kind = features.device.type
        with torch.autocast(kind, enabled=False):
            rows = features.to(self.weight.dtype).view(len(features), self.count, -1).transpose(0, 1)
            return torch.baddbmm(self.bias[:, None], rows, self.weight.transpose(1, 2))


class Products(Undrawn, nn.Module):
    """1x1 convolutions of all members as one batched matrix product over maps that are channels last."""

    def __init__(self, count: int, like: nn.Conv2d) -> None:
        super().__init__()
        self.count, self.stride = count, like.stride[0]
        self.weight = nn.Parameter(torch.empty(count * like.out_channels, like.in_channels, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """`(images, K * inputs, side, side)` to `(images, K * outputs, side / stride, side / stride)`."""
        images = images[:, :, :: self.stride, :: self.stride]
        count, channels, height, width = images.shape
        pixels = images.permute(0, 2, 3, 1).reshape(count * height * width, self.count, channels // self.count)
        weight = self.weight.view(self.count, -1, channels // self.count).transpose(1, 2)
        outputs = torch.bmm(pixels.transpose(0, 1), weight).transpose(0, 1)
        return outputs.reshape(count, height, width, -1).permute(0, 3, 1, 2)


def _widen(module: nn.Module, count: int, as_products: bool) -> None:
    """Put layers for so many members in the place of those for one."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d):
            pointwise = child.kernel_size == (1, 1) and child.groups == 1
            module.add_module(name, Products(count, child) if as_products and pointwise else _grouped(count, child))
        elif isinstance(child, nn.BatchNorm2d):
            module.add_module(name, nn.BatchNorm2d(count * child.num_features))
        elif isinstance(child, nn.Linear):
            module.add_module(name, MemberLinear(count, child))
        else:
            _widen(child, count, as_products)


def _grouped(count: int, like: nn.Conv2d) -> nn.Conv2d:
    """So many convolutions as the groups of one."""
    channels = (count * like.in_channels, count * like.out_channels)
    return Conv2d(
        *channels,
        like.kernel_size,
        like.stride,
        like.padding,
        groups=count * like.groups,
        bias=False,  # type: ignore[arg-type]
    )
