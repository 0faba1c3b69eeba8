"""The memory predicted for training, against what a real network keeps, and against a GPU where there is one."""

from __future__ import annotations

import pytest
import torch
from resnext_search.spaces import Architecture, Template
from resnext_search.spaces.architecture import training_cost
from resnext_search.spaces.architecture.training_cost import judged_at_once, kept_bytes, training_bytes
from resnext_search.trainers.device import precision, prepare, release
from resnext_search.trainers.resnext import build_network
from torch.nn import functional

CIFAR = Template(planes=16, stages=3, resolution=32, channels=3, classes=10)
NETWORKS = {
    "projection": (CIFAR, Architecture.paper(8, 4, (2, 2, 2))),
    "identity": (
        Template(planes=16, stages=3, resolution=32, channels=3, classes=10, shortcut="identity"),
        Architecture.paper(1, 16, (1, 2, 3)),
    ),
    "imagenet stem": (
        Template(stem="imagenet", planes=64, stages=4, resolution=64, channels=3, classes=100),
        Architecture.paper(32, 4, (1, 1, 1, 1)),
    ),
}
IMAGES = 4


def kept_by_torch(template: Template, architecture: Architecture) -> int:
    """Bytes of the tensors that a forward pass saves, weights and statistics left out; each storage once."""
    network = build_network(template, architecture).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    own = {tensor.untyped_storage().data_ptr() for tensor in network.state_dict().values()}
    saved: dict[int, int] = {}

    def note(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    images = torch.zeros(IMAGES, template.channels, template.resolution, template.resolution)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        logits = network(images.contiguous(memory_format=torch.channels_last))
        loss = functional.cross_entropy(logits, torch.zeros(IMAGES, dtype=torch.long))
    assert loss.requires_grad
    return sum(saved.values())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_keeps_what_was_predicted(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(training_cost, "VALUE_BYTES", 4)  # on a processor numbers are float32
    template, architecture = NETWORKS[name]
    predicted = IMAGES * kept_bytes(template, architecture)
    # what is left out are the norms' means and deviations, once a batch
    assert predicted < kept_by_torch(template, architecture) < 1.01 * predicted


@pytest.mark.parametrize(
    ("template", "images", "expected"),
    [
        # the largest map has 32 channels of 4x4, so four take 4 kB: 2,048 are the most
        (Template(planes=8, stages=2, stride=2, resolution=8), 32, 2_048),
        # 256 channels of 56x56 are 802,816 values, as has the stem: four are 6.4 MB, 41 in a quarter of a GiB
        (Template(stem="imagenet", stages=4, resolution=224, classes=1000), 1, 41),
    ],
)
def test_as_many_images_are_judged_at_once_as_memory_holds(template: Template, images: int, expected: int) -> None:
    architecture = Architecture.paper(1, 8, (1,) * template.stages)
    assert judged_at_once(template, architecture, images) == expected


def test_weights_count_once_a_network_and_maps_once_an_image() -> None:
    template, architecture = NETWORKS["projection"]
    one, two, three = (training_bytes(template, architecture, images) for images in (1, 2, 3))
    assert three - two == two - one == kept_bytes(template, architecture)
    # 6 million multiply-adds' worth of ResNeXt has some 0.1 million weights, at 14 bytes each
    weights = sum(tensor.numel() for tensor in build_network(template, architecture).parameters())
    assert one - kept_bytes(template, architecture) == 14 * weights


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU that torch sees")
@pytest.mark.parametrize("name", NETWORKS)
def test_a_gpu_holds_what_was_predicted(name: str) -> None:
    """At the peak a gradient of the largest map stands beside what is kept; cuDNN's scratch memory comes on top."""
    template, architecture = NETWORKS[name]
    gpu, images = torch.device("cuda"), 256
    prepare(gpu, 1)
    release(gpu)
    network = build_network(template, architecture).to(gpu, memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, nesterov=True, fused=True)
    batch = torch.zeros(images, template.channels, template.resolution, template.resolution, device=gpu)
    torch.cuda.reset_peak_memory_stats()
    for _ in range(3):
        with precision(gpu):
            logits = network(batch.contiguous(memory_format=torch.channels_last))
        optimizer.zero_grad()
        functional.cross_entropy(logits.float(), torch.zeros(images, dtype=torch.long, device=gpu)).backward()
        optimizer.step()
    predicted = training_bytes(template, architecture, images)
    assert 0.8 * predicted < torch.cuda.max_memory_allocated() < 2 * predicted
