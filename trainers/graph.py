"""How is a GPU spared the waiting for Python? The kernels of a training step are recorded once, and sent as one.

A step of a small network is some hundred kernels, each over before the next has been asked for. A CUDA graph has them
all, with the addresses that they read and write: a step then copies its batch to where the recorded ones expect it.
What is computed is the same, by the same kernels; the learning rate is rounded to 32 bits, as it lies on the GPU.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from resnext_search.spaces.study.sections import Recipe
from resnext_search.trainers.data.dataset import Batch
from torch import Tensor

# Steps before one is recorded: the first makes the momenta and finds kernels, the second is like all that follow.
WARM_UP_STEPS = 2


def is_graphed(recipe: Recipe, device: torch.device, micro_batches: int) -> bool:
    """Whether the steps of a trial are a graph: where that is asked for, on a GPU, of batches that are not cut."""
    return recipe.graph and device.type == "cuda" and micro_batches == 1


class StepGraph:
    """The training step of one trial; all batches have one shape.

    The memory of a recorded step stays its own until this is gone: a trial lets go of it before the cache is emptied.
    Nothing here keeps the step itself, which belongs to the trial.
    """

    def __init__(self, optimizer: torch.optim.SGD, device: torch.device) -> None:
        self._rate = torch.zeros((), device=device)  # what is recorded reads it there in every step
        for group in optimizer.param_groups:
            group["lr"] = self._rate
        self._steps, self._device = 0, device

    def __call__(
        self, step: Callable[[Batch], Tensor], batch: Batch, rate: float, replayed: Callable[[], None]
    ) -> Tensor:
        """Train on a batch with a learning rate; returns the loss, a tensor of shape `()` of its own.

        The first steps are what they are without a graph, beside other work of the GPU. `step` trains on the batch that
        it is given, and is called no more once it is recorded; `replayed` is told of every step without such a call.
        """
        self._rate.fill_(rate)
        self._steps += 1
        if self._steps <= WARM_UP_STEPS:
            return _beside(step, batch, self._device)
        if self._steps == WARM_UP_STEPS + 1:
            self._record(step, batch)
        else:
            for place, given in zip(self._batch, batch, strict=True):
                place.copy_(given)
            replayed()
        self._graph.replay()
        return self._loss.clone()  # the next step writes into the same one

    def _record(self, step: Callable[[Batch], Tensor], batch: Batch) -> None:
        """Nothing is computed while it is recorded."""
        self._batch, self._graph = Batch(*(tensor.clone() for tensor in batch)), torch.cuda.CUDAGraph()
        # other threads may use the GPU meanwhile, as those that decode images do
        stream = _stream_beside(self._device)
        with torch.cuda.graph(self._graph, stream=stream, capture_error_mode="thread_local"):
            self._loss = step(self._batch)


def _beside(step: Callable[[Batch], Tensor], batch: Batch, device: torch.device) -> Tensor:
    """A step in a stream that is not the usual one, which cannot be recorded; those before and after it wait."""
    usual, stream = torch.cuda.current_stream(device), _stream_beside(device)
    stream.wait_stream(usual)
    with torch.cuda.stream(stream):
        loss = step(batch)
    usual.wait_stream(stream)
    return loss


@functools.cache
def _stream_beside(device: torch.device) -> torch.cuda.Stream:
    """One of a process: cuBLAS keeps 32 MiB for every stream in which it was ever used."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
