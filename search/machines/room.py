"""How many trials does a cluster hold, and what is said of one that holds none? Its machines come and go.

Knows the machines that it is shown, and no Ray.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from resnext_search.search.planning.calibration import room
from resnext_search.spaces.study.study import Study

# How long what was seen of a cluster is taken to be so.
LOOK_EVERY_SECONDS = 1.0


class Node(NamedTuple):
    """One machine of a cluster, or the only one."""

    cpus: float
    gpus: float
    number: str = ""  # Ray's, of a machine of a cluster
    name: str = "this machine"

    def room(self, cpu: float, gpu: float) -> int:
        """How many trials of so many cores and GPUs fit on it."""
        return room(self.cpus, self.gpus, cpu, gpu)


class RoomNow:
    """How many trials fit on the machines that are there: called, it looks, once a second at most.

    Args:
        look: The machines that are there.
        cpu, gpu: Cores and GPUs of a trial.
        clock: Seconds since some moment.
    """

    def __init__(
        self,
        look: Callable[[], Sequence[Node]],
        cpu: float,
        gpu: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look, self._of_a_trial, self._clock = look, (cpu, gpu), clock
        self._looked_at = -LOOK_EVERY_SECONDS + clock()
        self._room = 0

    def __call__(self) -> int:
        """As of the last look."""
        if self._clock() - self._looked_at >= LOOK_EVERY_SECONDS:
            self._looked_at = self._clock()
            self._room = sum(node.room(*self._of_a_trial) for node in self._look())
        return self._room


def too_small(study: Study, gpu: float, nodes: Sequence[Node]) -> str:
    """What machines on which no trial fits have, and what it wants."""
    there = "; ".join(f"{node.cpus:g} cores and {node.gpus:g} GPUs" for node in nodes) or "nothing"
    return (
        f"resources: a trial wants {study.resources.cpu} cores and {gpu:g} GPUs "
        f"on one machine; there {'are' if nodes else 'is'} {there}"
    )


def waiting_words(study: Study, gpu: float, nodes: Sequence[Node]) -> str:
    """What is waited for on a cluster, while no trial runs."""
    cpu = study.resources.cpu
    wanted = f"a trial wants {_count(cpu, 'core')} and {_count(gpu, 'GPU')}"
    fitting = sum(node.room(cpu, gpu) >= 1 for node in nodes)
    having = f"{_count(fitting, 'node')} could hold one, and none has begun" if fitting else "no node has it"
    return (
        f"waiting for room: {wanted}; {having}; {_count(len(nodes), 'node')} {'is' if len(nodes) == 1 else 'are'} there"
    )


def _count(number: float, what: str) -> str:
    return f"{number:g} {what}{'s' * (number != 1)}"
