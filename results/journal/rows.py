"""What stands in the journal: a trial, an epoch, a latency, and the words for where a trial is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal, NamedTuple

from resnext_search.spaces.search_space.objectives import Latency
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Phase

Proposer = str  # a method of the search by its name in `METHODS`, or `plan` in tune and confirm

State = Literal["queued", "running", "completed", "stopped", "failed", "interrupted"]
# What early stopping says of a trial: it ends here, or it would have ended here and is trained on as a check.
Stop = Literal["stopped", "audited"]

# States that a trial does not leave.
ENDED: tuple[State, ...] = ("completed", "stopped", "failed")
# The search's trial 7, confirmed on fresh seeds, is the arm `finalist-0007`.
FINALIST = "finalist-"
# An arm at its second best learning rate: what it would have done there.
RUNNER_UP = "runner-up-"


def last_line(message: str | None) -> str:
    """What a failure says in one line: of a traceback, the error; empty without any words."""
    return "".join((message or "").strip().splitlines()[-1:])


@dataclass(frozen=True)
class Trial:
    """One row of the table `trials`, with the number of epochs and their seconds."""

    trial_id: int
    phase: Phase
    arm: str | None
    state: State
    configuration: Configuration
    seed: int
    proposed_by: Proposer
    device: str | None
    host: str | None
    machine: str | None
    queued_at: float
    started_at: float | None
    ended_at: float | None
    attempts: int
    alone: bool
    micro_batches: int
    validation_error: float | None
    test_error: float | None
    test_correct: str | None
    stop_epoch: int | None
    checkpoint: str | None
    failure_class: str | None
    failure_message: str | None
    epochs: int
    seconds: float


@dataclass(frozen=True)
class EpochRow:
    """One row of the table `epochs`, without its trial."""

    epoch: int
    learning_rate: float
    train_loss: float
    validation_loss: float | None
    validation_error: float | None
    seconds: float


@dataclass(frozen=True)
class Machine:
    """One row of the table `machines`: what a host is, so that all of one kind are one row.

    Args:
        processor: Its model.
        cores: Logical ones, of the whole machine.
        memory_gib: All of it.
        gpu: That which trained; None where the processor did.
        driver: Of the GPU; None where it is not known.
        system: The operating system.
        versions: Of Python, the libraries and this program, by name.
    """

    processor: str
    cores: int
    memory_gib: float
    gpu: str | None
    driver: str | None
    system: str
    versions: Mapping[str, str]

    @property
    def key(self) -> str:
        """By which trials refer to it: the same for the same facts."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:16]

    @property
    def computes(self) -> str:
        """What the numbers of a trial come from: its GPU, or its processor."""
        return self.gpu or self.processor


# One row of the table `latencies`, without its architecture and device.
LatencyRow = Latency


class Look(NamedTuple):
    """One row of the table `looks`: what the runs said when every arm had so many seeds.

    Args:
        seeds: Seeds an arm.
        word: The verdict in one word.
        planned: Whether it is one of the looks, or the end, that the study was begun with.
        judged_at: When, in seconds since 1970.
    """

    seeds: int
    word: str
    planned: bool
    judged_at: float


@dataclass(frozen=True)
class FailureRow:
    """One row of the table `failures`: an attempt that failed, of a trial that was then tried again."""

    trial_id: int
    attempt: int
    failure_class: str
    failure_message: str
    epochs: int
    seconds: float
    failed_at: float
