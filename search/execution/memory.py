"""What comes next for a trial that found too little memory on its GPU? Never a result: it is trained again, with more.

First it gets a GPU alone: its numbers are then those of any other trial. Then its batches go through the network in
parts. The steps stay those of whole batches, only the norms see fewer images, so the journal keeps the number of parts.
"""

from __future__ import annotations

from typing import NamedTuple

# The class of torch's error, of whatever trainer it comes from; `device_errors.py` knows what else means the same.
OUT_OF_MEMORY = "OutOfMemoryError"
# With fewer images at a time a network errs visibly more (Wu & He 2018, arXiv:1803.08494, Fig. 1: batch norm).
FEWEST_IMAGES = 16


class MemoryPlan(NamedTuple):
    """What a trial is given: a GPU alone or its share of one, and parts in which a batch goes through the network."""

    alone: bool
    micro_batches: int

    def __str__(self) -> str:
        parts = f", batches in {self.micro_batches} parts" if self.micro_batches > 1 else ""
        return f"{'alone on a GPU' if self.alone else 'again'}{parts}"


def more_memory(plan: MemoryPlan, gpu: float, batch_size: int) -> MemoryPlan | None:
    """The next thing to try after a plan, with the GPUs of a trial and its images a step; None if nothing is left.

    >>> print(more_memory(MemoryPlan(alone=False, micro_batches=1), gpu=0.25, batch_size=128))
    alone on a GPU
    >>> print(more_memory(MemoryPlan(alone=True, micro_batches=1), gpu=0.25, batch_size=128))
    alone on a GPU, batches in 2 parts
    >>> more_memory(MemoryPlan(alone=True, micro_batches=8), gpu=0.25, batch_size=128) is None
    True
    """
    if gpu < 1 and not plan.alone:
        return plan._replace(alone=True)
    parts = 2 * plan.micro_batches
    return plan._replace(micro_batches=parts) if batch_size // parts >= FEWEST_IMAGES else None
