"""The network: the paper's three forms are one function, torchvision's networks are among ours, weights are seeded."""

from __future__ import annotations

import math
from itertools import product
from typing import get_args

import pytest
import torch
import torchvision
from resnext_search.spaces import Architecture, Template
from resnext_search.spaces.architecture.names import parse_name
from resnext_search.trainers.resnext import Form, Linear, build_network, copy_weights, counted_at_once, in_form_of
from torch import nn
from torch.nn import functional

SMALL = Template(planes=4, stages=2, resolution=8, channels=1)
IMAGENET = Template(stem="imagenet", stages=4, resolution=224, classes=1000)
OTHER_FORMS = ("separate", "concatenated")
# the second is as `matched` makes them: widths that do not double, and not a power of two
ARCHITECTURES = [
    Architecture(1, (6, 12), (1, 2)),
    Architecture(4, (3, 5), (2, 1)),
    Architecture(5, (1, 2), (1, 1)),
]
SHAPES = [
    *(Template(planes=4, stages=2, resolution=8, channels=1, shortcut=s) for s in ("projection", "identity", "none")),
    Template(planes=4, stages=2, resolution=9, stride=2),
    Template(planes=4, stages=2, resolution=17, stem="imagenet"),
]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(template: Template, images: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    shape = (images, template.channels, template.resolution, template.resolution)
    pixels = torch.randn(shape, generator=seeded(1), dtype=torch.float64)
    return pixels, torch.arange(images) % template.classes


def both_forms(template: Template, architecture: Architecture, form: Form) -> tuple[nn.Module, nn.Module]:
    """A grouped network with norms that are not neutral, and the same network in another form."""
    grouped = build_network(template, architecture, generator=seeded(2)).double()
    generator = seeded(3)
    for layer in grouped.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5, generator=generator)
            nn.init.uniform_(layer.bias, -0.5, 0.5, generator=generator)
    other = build_network(template, architecture, form).double()
    copy_weights(grouped, other)
    return grouped, other


@pytest.mark.parametrize("form", OTHER_FORMS)
@pytest.mark.parametrize(("template", "architecture"), list(product(SHAPES, ARCHITECTURES)))
def test_all_forms_give_the_same_output_and_the_same_gradients(
    template: Template, architecture: Architecture, form: Form
) -> None:
    grouped, other = both_forms(template, architecture, form)
    images, labels = batch(template)
    for train in (True, False):
        grouped.train(train)
        other.train(train)
        torch.testing.assert_close(other(images), grouped(images), rtol=0, atol=1e-9)
    for network in (grouped.train(), other.train()):
        torch.autograd.backward(functional.cross_entropy(network(images), labels))
    expected = in_form_of(other, {name: p.grad for name, p in grouped.named_parameters() if p.grad is not None})
    found = {name: p.grad for name, p in other.named_parameters()}
    assert found.keys() == expected.keys()
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=lambda a: a.name)
def test_all_forms_have_the_same_loss_over_twenty_steps(architecture: Architecture) -> None:
    images, labels = batch(SMALL, images=12)
    losses: dict[str, list[float]] = {}
    for form in get_args(Form):
        network = build_network(SMALL, architecture, form, seeded(4)).double()
        optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-3)
        losses[form] = []
        for _ in range(20):
            loss = functional.cross_entropy(network(images), labels)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            losses[form].append(loss.item())
    assert losses["grouped"][-1] < losses["grouped"][0] / 2  # it learned, so the steps were not idle
    for form in OTHER_FORMS:
        assert losses[form] == pytest.approx(losses["grouped"], abs=1e-9)


@pytest.mark.parametrize("form", get_args(Form))
def test_every_form_has_as_many_parameters(form: Form) -> None:
    grouped, other = both_forms(SMALL, ARCHITECTURES[1], form)
    assert sum(p.numel() for p in other.parameters()) == sum(p.numel() for p in grouped.parameters())


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("1x64d-50", torchvision.models.resnet50),
        ("32x4d-50", torchvision.models.resnext50_32x4d),
        ("64x4d-101", torchvision.models.resnext101_64x4d),
        ("1x128d-50", torchvision.models.wide_resnet50_2),
    ],
)
def test_the_state_of_torchvisions_networks_has_our_names_and_shapes(name: str, published: type[nn.Module]) -> None:
    with torch.device("meta"):
        theirs = published().state_dict()
        ours = build_network(IMAGENET, parse_name(name, IMAGENET)).state_dict()
    assert list(ours) == list(theirs)
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("1x64d-50", torchvision.models.resnet50),
        ("32x4d-50", torchvision.models.resnext50_32x4d),
        ("64x4d-101", torchvision.models.resnext101_64x4d),
    ],
)
def test_with_torchvisions_weights_the_output_is_torchvisions(name: str, published: type[nn.Module]) -> None:
    """Random weights and norms that are not neutral: published ones would have to be downloaded."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = published(weights=None).eval()
        for layer in theirs.modules():
            if isinstance(layer, nn.BatchNorm2d):
                for tensor in (layer.weight, layer.running_var):
                    nn.init.uniform_(tensor, 0.8, 1.2)
                for tensor in (layer.bias, layer.running_mean):
                    nn.init.uniform_(tensor, -0.1, 0.1)
    with torch.device("meta"):  # no weights of ours: those of torchvision become the network's own
        ours = build_network(IMAGENET, parse_name(name, IMAGENET)).eval()
    ours.load_state_dict(theirs.state_dict(), assign=True)
    images = torch.randn(2, 3, 64, 64, generator=seeded(5))
    with torch.inference_mode():
        logits = ours(images)
        torch.testing.assert_close(logits, theirs(images), rtol=0, atol=1e-5)
    assert logits.shape == (2, 1000)
    assert logits.std() > 0.1  # so 1e-5 says something


def test_a_padded_identity_keeps_every_second_pixel_and_adds_zero_channels() -> None:
    block = build_network(Template(planes=1, stages=2, shortcut="identity"), Architecture(1, (1, 1), (1, 1)))
    shortcut = block.get_submodule("layer2.0.downsample")
    images = torch.arange(4 * 3 * 3, dtype=torch.float32).view(1, 4, 3, 3)
    out = shortcut(images)
    assert out.shape == (1, 8, 2, 2)
    assert out[0, 0].tolist() == [[0, 2], [6, 8]]
    assert not out[0, 4:].any()


def test_without_shortcuts_nothing_is_added() -> None:
    network = build_network(
        Template(planes=2, stages=1, resolution=4, channels=1, shortcut="none"), Architecture(1, (1,), (2,))
    )
    with torch.no_grad():
        network.get_submodule("layer1.1.bn3").weight.zero_()  # type: ignore[operator]
        features = network[:5](torch.randn(2, 1, 4, 4, generator=seeded(6)))
    assert not features.any()


def test_weights_depend_on_the_generator_alone_and_leave_the_global_one_alone() -> None:
    before = torch.get_rng_state()
    first, second, other = (build_network(SMALL, ARCHITECTURES[1], generator=seeded(s)).state_dict() for s in (7, 7, 8))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["conv1.weight"], other["conv1.weight"])
    unseeded = build_network(SMALL, ARCHITECTURES[1]).state_dict()
    assert torch.equal(unseeded["fc.weight"], build_network(SMALL, ARCHITECTURES[1]).state_dict()["fc.weight"])


@pytest.mark.parametrize("form", get_args(Form))
@pytest.mark.parametrize("template", SHAPES)
def test_no_weight_is_left_as_the_memory_happened_to_be(
    template: Template, form: Form, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *sizes, **more: empty(*sizes, **more).fill_(math.nan))
    network = build_network(template, Architecture(4, (3, 5), (2, 1)), form)
    assert all(tensor.isfinite().all() for tensor in network.state_dict().values())


def test_weights_start_as_in_the_papers_code() -> None:
    network = build_network(Template(planes=64), Architecture.paper(8, 16, (1, 1, 1)), generator=seeded(9))
    state = network.state_dict()
    # 3x3, 128 channels out in all groups together: variance 2 / (9 * 128)
    assert state["layer1.0.conv2.weight"].std().item() == pytest.approx(math.sqrt(2 / (9 * 128)), rel=0.02)
    assert state["layer1.0.conv3.weight"].std().item() == pytest.approx(math.sqrt(2 / 256), rel=0.02)
    assert (state["layer1.0.bn3.weight"] == 1).all()
    assert not state["layer1.0.bn3.bias"].any()
    assert (state["layer1.0.bn3.running_var"] == 1).all()
    assert not state["fc.bias"].any()
    assert state["fc.weight"].abs().max().item() == pytest.approx(1 / math.sqrt(1024), rel=0.01)


def test_weights_of_another_architecture_are_refused() -> None:
    source, target = (build_network(SMALL, Architecture(2, (w, 4), (1, 1))) for w in (2, 3))
    with pytest.raises(RuntimeError, match="size mismatch"):
        copy_weights(source, target)


# ------------------------------------------------------------------ on a device that computes in 16 bits


DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch sees")),
]


@pytest.mark.parametrize("device", DEVICES)
def test_two_classes_that_bfloat16_cannot_tell_apart_keep_their_order(device: str) -> None:
    """Between 4 and 8 it has steps of 1/32: 5 and 5.01 are one number, and the first class would win."""
    classifier = Linear(1, 2, device=device)
    with torch.no_grad():
        classifier.weight.copy_(torch.tensor([[5.0], [5.01]]))
        classifier.bias.zero_()
    with torch.autocast(device, torch.bfloat16):
        logits = classifier(torch.ones(1, 1, device=device, dtype=torch.bfloat16))
        tie = functional.linear(torch.ones(1, 1, device=device), classifier.weight)
    assert (logits.dtype, logits.argmax().item()) == (torch.float32, 1)
    assert (tie.dtype, tie.argmax().item()) == (torch.bfloat16, 0)
    logits.sum().backward()
    assert classifier.weight.grad is not None
    assert classifier.weight.grad.dtype == torch.float32


def test_norms_are_told_at_the_end_how_many_batches_they_have_seen() -> None:
    network = build_network(SMALL, ARCHITECTURES[0])
    names, pixels = list(network.state_dict()), torch.zeros(2, 1, 8, 8)
    network(pixels)
    with counted_at_once(network) as uncalled:
        assert network.bn1.num_batches_tracked is None  # so that there is nothing to add to
        network(pixels)
        uncalled()
        network.eval()(pixels)  # which norms do not count
        network.train()(pixels)
    seen = [int(count) for name, count in network.state_dict().items() if name.endswith("num_batches_tracked")]
    assert set(seen) == {4}
    assert list(network.state_dict()) == names


def test_norms_are_whole_after_a_step_that_fails() -> None:
    network = build_network(SMALL, ARCHITECTURES[0])
    with pytest.raises(RuntimeError, match="to have 1 channels"), counted_at_once(network):
        network(torch.zeros(2, 3, 8, 8))
    assert int(network.bn1.num_batches_tracked) == 1
