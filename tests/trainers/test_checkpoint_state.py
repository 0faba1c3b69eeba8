"""A network and its optimizer come back as they were, in a few pieces."""

from __future__ import annotations

import pytest
import torch
from resnext_search.trainers.checkpoint import pack, restore, state_of, unpack
from torch import nn


def trained(seed: int, momentum: float) -> tuple[nn.Module, torch.optim.SGD]:
    """A small network, channels last, after two steps."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=momentum)
    for _ in range(2):
        optimizer.zero_grad()
        torch.autograd.backward(network(torch.randn(2, 3, 8, 8)).square().mean())
        optimizer.step()
    return network, optimizer


def test_numbers_of_a_kind_lie_in_one_row_and_come_back_to_their_shapes_and_layouts() -> None:
    first = torch.arange(24.0).reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    packed = pack([first, torch.tensor([7, 8]), torch.tensor([[24.0], [25.0]])])

    assert packed["torch.float32"].tolist() == list(range(26))  # in the order of the numbers, not of the memory
    assert packed["torch.int64"].tolist() == [7, 8]

    places = [torch.zeros_like(first), torch.zeros(2, dtype=torch.int64), torch.zeros(2, 1)]
    unpack(packed, places)
    assert torch.equal(places[0], first)
    assert places[0].is_contiguous(memory_format=torch.channels_last)
    assert places[1].tolist() == [7, 8]
    assert places[2].tolist() == [[24.0], [25.0]]


@pytest.mark.parametrize("momentum", [0.9, 0.0])
def test_the_next_step_is_the_one_that_would_have_come(momentum: float) -> None:
    network, optimizer = trained(0, momentum)
    other, its_optimizer = trained(1, momentum)
    its_optimizer = torch.optim.SGD(other.parameters(), lr=0.1, momentum=momentum)  # one that has made no step

    restore(state_of(network, optimizer), other, its_optimizer)

    images = torch.randn(2, 3, 8, 8)
    for one, steps in ((network, optimizer), (other, its_optimizer)):
        steps.zero_grad()
        torch.autograd.backward(one(images).square().mean())
        steps.step()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, other.state_dict()[name]), name


def test_a_state_does_not_change_with_the_network_that_it_was_taken_of() -> None:
    network, optimizer = trained(0, 0.9)
    state = state_of(network, optimizer)
    before = state["network"]["torch.float32"].clone()
    with torch.no_grad():
        network[0].weight.zero_()
    assert torch.equal(state["network"]["torch.float32"], before)
