"""How many trials share a GPU? So many that it is at work while each of them starts its next kernels.

A small network leaves a GPU idle: its kernels are done before the processor has started the next ones. What is known
of that stands in the constants here: **estimates for a large GPU, from published measurements and counts of operators;
none was measured with this program.** Too many trials on a GPU take turns, each slower and together as fast; too few
leave it idle.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.spaces.architecture.complexity import complexity, convolutions
from resnext_search.spaces.architecture.training_cost import training_flops

# Kernels of a training step for each convolution, with its norm and ReLU, forward and back: 29 layers have about 500.
KERNELS_A_CONVOLUTION = 16
# What a processor takes to start a kernel (12 to 24 µs with Python), and a GPU at least for one (2 to 2.5 µs).
LAUNCH_SECONDS, KERNEL_SECONDS = 20e-6, 2.5e-6
# What a large GPU computes of such networks in 16 bits: memory holds it up, not its multipliers.
OPERATIONS_A_SECOND = 40e12
# Memory of a GPU of which nothing is known, as on another machine: hardly one that trains has less.
UNKNOWN_GPU_BYTES = 8 * 2**30
# Ray counts shares of a GPU in parts of 10,000.
PARTS = 10_000


class Step(NamedTuple):
    """A training step of a network: multiply-adds of an image, convolutions, and images of a batch."""

    multiply_adds: int
    convolutions: int
    images: int

    @classmethod
    def of(cls, template: Template, architecture: Architecture, images: int) -> Step:
        """The step of a network with so many images."""
        layers = convolutions(template, architecture.cardinality, architecture.group_widths, architecture.blocks)
        cost = int(complexity(template, architecture).multiply_adds)
        return cls(cost, sum(int(layer.repeats) for layer in layers), images)

    def trials_to_keep_busy(self) -> int:
        """How many trials that do such steps keep a GPU at work: the time to start their kernels by that to run them.

        >>> Step(4_170_000, convolutions=13, images=64).trials_to_keep_busy()
        7
        >>> Step(748_000_000, convolutions=31, images=128).trials_to_keep_busy()
        1
        """
        kernels = KERNELS_A_CONVOLUTION * self.convolutions
        computing = training_flops(self.multiply_adds, self.images) / OPERATIONS_A_SECOND
        return max(1, round(kernels * LAUNCH_SECONDS / (kernels * KERNEL_SECONDS + computing)))


class Gpus(NamedTuple):
    """The GPUs that a study may use, as far as they are known.

    Args:
        number: Of all machines.
        cores: Processor cores for each, on the machine with the fewest; None where that is not known.
        memory_bytes: Of the smallest; None where that is not known.
    """

    number: float = 1
    cores: float | None = None
    memory_bytes: int | None = None


class Sharing(NamedTuple):
    """How many trials share a GPU, and why, as a sentence without its end."""

    trials: int
    why: str

    @property
    def gpu(self) -> float:
        """GPUs of a trial: rounded down to what Ray can count, so that all of them fit.

        >>> Sharing(1, "").gpu, Sharing(6, "").gpu
        (1.0, 0.1666)
        """
        return PARTS // self.trials / PARTS


def sharing(step: Step, needed_bytes: int, gpus: Gpus, *, cpu: int, at_once: int | None = None) -> Sharing:
    """How many trials are to share each of some GPUs.

    As many as keep one at work, and no more than its memory holds, than there are cores, and, since Ray fills one GPU
    before it takes the next, than leave work to every GPU; at least one.

    Args:
        step: Of the network that takes a GPU longest.
        needed_bytes: Memory of a GPU that a trial needs at most.
        gpus: What is known of them.
        cpu: Cores of a trial.
        at_once: How many trials may run at once, if that is limited.
    """
    busy = step.trials_to_keep_busy()
    networks = f"networks of {step.multiply_adds / 1e6:,.1f} million multiply-adds"
    if busy == 1:
        return Sharing(1, f"one trial a GPU: {networks} keep it busy")
    memory = UNKNOWN_GPU_BYTES if gpus.memory_bytes is None else gpus.memory_bytes
    limits = {"": busy, "its memory holds no more": memory // needed_bytes}
    if gpus.cores is not None:
        limits["there are cores for no more"] = int(gpus.cores / cpu + 1e-9)
    if at_once is not None:
        limits["search.parallel allows no more"] = math.ceil(at_once / gpus.number)
    limit = min(limits, key=limits.__getitem__)  # of equal ones the first
    trials = max(1, limits[limit])
    there = f"{memory / 2**30:.0f}{' that it is taken to have' if gpus.memory_bytes is None else ''}"
    more = f"; {busy} would fill it, but {limit}" if limit else ""
    share = f"{trials} trials share a GPU" if trials > 1 else "one trial a GPU"
    why = f"{networks} leave it idle{more}; each needs {needed_bytes / 2**30:.1f} GiB of {there}"
    return Sharing(trials, f"{share}: {why}")
