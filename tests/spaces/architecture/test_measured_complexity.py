"""The formula of `spaces/architecture/complexity.py` equals what is measured on the network, in every shipped space."""

from __future__ import annotations

import random
from importlib.resources import files

import pytest
import torch
from resnext_search.spaces import Architecture, Study, Template, load_study
from resnext_search.spaces.architecture.complexity import Complexity, complexity
from resnext_search.trainers.resnext import build_network
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

LARGE_SPACES = ("cifar10", "fashion_mnist", "imagenet")
DRAWN = 200


def shipped(name: str) -> Study:
    return load_study(str(files("resnext_search.spaces") / f"{name}.yaml"))


def measured(template: Template, architecture: Architecture) -> Complexity:
    """Counts of one image's way through the network, without memory for weights or maps."""
    with torch.device("meta"):
        network = build_network(template, architecture).eval()
        image = torch.empty(1, template.channels, template.resolution, template.resolution)
    activations = 0

    def note(_layer: nn.Module, _inputs: object, outputs: torch.Tensor) -> None:
        nonlocal activations
        activations += outputs.numel()

    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.forward = lambda input: input  # type: ignore[method-assign]  # not counted, but half the time
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.MaxPool2d):
            layer.register_forward_hook(note)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(image)
    # torch counts a multiply and an add as two, and leaves out the classifier's bias
    multiply_adds = counter.get_total_flops() // 2 + template.classes
    return Complexity(multiply_adds, sum(p.numel() for p in network.parameters()), activations)


@pytest.mark.slow
def test_counts_of_every_architecture_of_the_small_space_are_those_of_its_network() -> None:
    study = shipped("fixed_flops")
    template = study.network_template()
    feasible = study.feasible_set()
    wrong = [a for a in feasible if complexity(template, a) != measured(template, a)]
    assert len(feasible) > 500
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("space", LARGE_SPACES)
def test_counts_of_drawn_architectures_of_the_large_spaces_are_those_of_their_networks(space: str) -> None:
    study = shipped(space)
    template = study.network_template()
    feasible = study.feasible_set()
    drawn = [feasible[i] for i in random.Random(0).sample(range(len(feasible)), min(DRAWN, len(feasible)))]
    assert [a for a in drawn if complexity(template, a) != measured(template, a)] == []


@pytest.mark.parametrize("shortcut", ["projection", "identity", "none"])
@pytest.mark.parametrize("stride", [1, 2, 4])
def test_counts_hold_for_every_shortcut_and_stride_and_for_odd_maps(shortcut: str, stride: int) -> None:
    template = Template(planes=6, stages=3, resolution=27, stride=stride, shortcut=shortcut)  # type: ignore[arg-type]
    architecture = Architecture(3, (2, 3, 7), (2, 1, 3))
    assert measured(template, architecture) == complexity(template, architecture)


def test_counts_hold_for_the_imagenet_stem() -> None:
    template = Template(stem="imagenet", planes=8, stages=4, resolution=61, classes=7)
    architecture = Architecture(4, (2, 3, 5, 9), (1, 2, 1, 1))
    assert measured(template, architecture) == complexity(template, architecture)
