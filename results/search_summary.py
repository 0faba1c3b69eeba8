"""What does a report show that only the search knows? Its model's predictions and its plans, handed over as data.

`results` does not import `search`; `search/monitor/outputs.py` fills these in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resnext_search.spaces.study.study import Phase


@dataclass(frozen=True)
class Prediction:
    """A configuration that is expected to err least of some, with that error without noise and its 95 % interval."""

    architecture: str
    blocks: str
    learning_rate: float | None
    error: float
    low: float
    high: float


@dataclass(frozen=True)
class Level:
    """A value of `cardinality` or `depth`, everything else at its best; and how many trials completed with it."""

    axis: str
    value: int
    best: Prediction
    trials: int


@dataclass(frozen=True)
class Place:
    """A pair of C and depth on the surface of equal FLOPs, with the d of the architecture that is best there."""

    cardinality: int
    depth: int
    width: int
    best: Prediction


@dataclass(frozen=True)
class Chosen:
    """The trial that the search would hand over, and the error that is expected of it; None before there is a model."""

    trial: int
    expected_error: float | None


@dataclass(frozen=True)
class SearchSummary:
    """All of it.

    Args:
        live: Whether a run is at work in the folder.
        planned_trials: By phase.
        planned_flops: Floating-point operations of the training, by phase; None where they are not known.
        architectures: Inside the band.
        chosen: None before a trial of the search has completed.
        levels: Empty while the model knows nothing.
        places: Like them.
        stopping: A sentence on what early stopping has saved and missed; None without it.
    """

    live: bool
    planned_trials: Mapping[Phase, int]
    planned_flops: Mapping[Phase, float] | None
    architectures: int
    chosen: Chosen | None = None
    levels: Sequence[Level] = ()
    places: Sequence[Place] = ()
    stopping: str | None = None
