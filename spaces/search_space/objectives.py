"""What can be minimised: the validation error, and beside it costs of a network.

A row here is all that the search, the tables and the charts know of an objective. A known cost is exact before any
trial; a measured one is a field of `Latency` too, and a column of the journal's table `latencies`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

from resnext_search.spaces.architecture.complexity import Integers
from resnext_search.spaces.search_space.feasible import FeasibleSet

Objective = Literal["validation_error", "parameters", "activations", "latency_ms"]

ERROR: Objective = "validation_error"


class Latency(NamedTuple):
    """What the network of an architecture takes for one image, measured on a device.

    Args:
        latency_ms: Lowest wall time of a repeat, in milliseconds.
        latency_ms_spread: By how much the median of the repeats lies above it, in milliseconds.
    """

    latency_ms: float
    latency_ms_spread: float


# The same for the columns of a table.
LATENCY_MEANING = (
    "milliseconds that inference of one image takes on the trial's device: the lowest of many repeats, "
    'and by how much their median lies above it; see "Latency". Empty if the trial failed before anything'
    " was measured"
)


class ObjectiveFacts(NamedTuple):
    """What is known of an objective.

    Args:
        label: Name and unit, for people.
        known: Its `(n,)` values for the architectures of a feasible set; None if trials tell it.
        unit: What it is measured in, if it is a field of `Latency`: a positive number of these.
        worst: Its place in the reference point of the hypervolume; None for a tenth more than the dearest has.
    """

    label: str
    known: Callable[[FeasibleSet], int | Integers] | None = None
    unit: str = ""
    worst: float | None = None


OBJECTIVES: dict[str, ObjectiveFacts] = {
    "validation_error": ObjectiveFacts("validation error, %", worst=100.0),
    "parameters": ObjectiveFacts("parameters", lambda feasible: feasible.counts.parameters),
    "activations": ObjectiveFacts("activations of one image", lambda feasible: feasible.counts.activations),
    "latency_ms": ObjectiveFacts("latency of one image, ms", unit="milliseconds"),
}

# What may be an objective beside the error; those that a trial has to measure.
COSTS = tuple(name for name in OBJECTIVES if name != ERROR)

MEASURED = tuple(name for name, facts in OBJECTIVES.items() if facts.unit)
