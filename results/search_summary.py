"""What does a report show that only the search knows? Its model's predictions and its plans, handed over as data.

`results` does not import `search`; `search/monitor/summary.py` makes the summary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Phase

Axis = Literal["cardinality", "depth", "width"]


@dataclass(frozen=True)
class Effect:
    """The lowest error in percent with one value of an axis: median, 95 % interval, and where it is expected."""

    axis: Axis
    value: int
    median: float
    low: float
    high: float
    best: Configuration


@dataclass(frozen=True)
class SurfacePoint:
    """The best candidate of a pair of C and depth, with its error in percent and the 95 % interval of that."""

    best: Configuration
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class Incumbent:
    """The configuration that would be handed over, of all that were trained to the end.

    Args:
        trial: Its first.
        architecture: Name of the network.
        origin: Where it came from: the search, or the tuning of an arm.
        error: Mean validation error of its trials, in percent.
        trials: How many there are.
        expected_error: By the model, in percent; None before there is one.
    """

    trial: int
    architecture: str
    origin: str
    error: float
    trials: int
    expected_error: float | None


@dataclass(frozen=True)
class SearchSummary:
    """All of it.

    Args:
        live: Whether a run is at work in the folder.
        planned_trials: By phase.
        planned_flops: Floating-point operations of the training, by phase; None where they are not known.
        architectures: Inside the band.
        incumbent: None before a trial was completed that could be handed over.
        effects: Empty while the model knows nothing.
        surface: Like them: every pair of C and depth at equal FLOPs.
        stopping: A sentence on what early stopping has saved and missed; None without it.
    """

    live: bool
    planned_trials: Mapping[Phase, int]
    planned_flops: Mapping[Phase, float] | None
    architectures: int
    incumbent: Incumbent | None = None
    effects: Sequence[Effect] = ()
    surface: Sequence[SurfacePoint] = ()
    stopping: str | None = None
