"""How long does a network take for one image? A cost beside its error.

A latency is measured beside trials that train. Other work can only add to what a repeat takes, so the lowest of the
repeats counts, and how far their median lies above it is kept as a sign of how busy the machine was. With a load of 3
to 4 on two processor cores, measurements of the same 60 networks of `spaces/fixed_flops.yaml` differed by 12 % if the
lowest of 0.2 s of repeats was taken, by 31 % with the lower quartile and by 46 % with the median (standard deviation of
the logarithm, 4 measurements each). What this file measures differed by 17 % under such a load, and by 6 % without it
(`benchmarks/search/latency_model.py`).

A network of its own is built for it, with its own random numbers: a trial is the same, bit for bit, whether its latency
is measured or not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.spaces.search_space.objectives import Latency
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study
from resnext_search.trainers.device import precision, prepare
from resnext_search.trainers.resnext import build_network
from torch import Tensor, nn

# Repeats before the clock starts: the first ones allocate memory and choose kernels.
WARM_UP_REPEATS = 3
# The clock runs for at least so long, and for at least so many repeats.
LEAST_SECONDS = 0.25
LEAST_REPEATS = 5


def measure_latency(
    template: Template, architecture: Architecture, *, device: torch.device | str = "cpu", threads: int = 1
) -> Latency:
    """Measure how long inference takes, one image at a time; it takes a third of a second for a small network.

    Args:
        template: What the study keeps fixed.
        architecture: The network; its weights are fresh, as time does not depend on them.
        device: Where to measure; a repeat ends when the device has finished.
        threads: Processor threads. Torch goes on with this number, and as `prepare` says.

    >>> found = measure_latency(Template(planes=4, stages=2, resolution=8), Architecture.paper(2, 2, (1, 1)))
    >>> 0 < found.latency_ms < 1_000, found.latency_ms_spread >= 0
    (True, True)
    """
    prepare(torch.device(device), threads)  # as for training: whether a worker has trained before must not matter
    network = build_network(template, architecture).eval()
    network.to(torch.device(device), memory_format=torch.channels_last)  # type: ignore[call-overload]
    # a black image: another one may vanish in a deep network with fresh weights, and numbers next to 0 are slow
    image = torch.zeros(1, template.channels, template.resolution, template.resolution, device=device)
    image = image.contiguous(memory_format=torch.channels_last)
    repeats: list[float] = []
    with torch.inference_mode(), precision(torch.device(device)):
        for _ in range(WARM_UP_REPEATS):
            _milliseconds(network, image)
        began = time.perf_counter()
        while len(repeats) < LEAST_REPEATS or time.perf_counter() - began < LEAST_SECONDS:
            repeats.append(_milliseconds(network, image))
    return Latency(min(repeats), statistics.median(repeats) - min(repeats))


@dataclass(frozen=True)
class MeasuredFirst:
    """Trains as `train` does, and yields the latency of the architecture before the first epoch."""

    train: Callable[..., Iterator[Any]]

    def __call__(
        self, study: Study, configuration: Configuration, seed: int, *, latency: bool = True, **where: Any
    ) -> Iterator[Any]:
        """Measure and train; arguments as in `trainers.train`.

        Without `latency`, for an architecture that was measured before on this device, nothing is measured.
        """
        if latency:
            device, threads = where.get("device", "cpu"), where.get("threads", 1)
            yield measure_latency(study.network_template(), configuration.architecture, device=device, threads=threads)
        yield from self.train(study, configuration, seed, **where)


def _milliseconds(network: nn.Module, image: Tensor) -> float:
    began = time.perf_counter()
    network(image)
    if image.is_cuda:  # a GPU works on after the call
        torch.cuda.synchronize(image.device)
    return 1_000 * (time.perf_counter() - began)
