"""What is a problem of the optimizer benchmark: a feasible set with known true errors, and the box around it.

Our optimizer searches the enumerated candidates. Peers that know no feasible set search `box`, a plain product of
ranges; what they propose there is either projected onto the nearest candidate or judged by `cost`, against `band`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from resnext_search.search.optimizer.optimizer import Optimizer
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.spaces import Configuration, FeasibleSet
from resnext_search.spaces.search_space.knobs import Knob

Point = Mapping[str, float | str]


@dataclass(frozen=True)
class Dimension:
    """One side of the box: a real or whole number between two ends, or one of a few words."""

    name: str
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    integer: bool = False
    words: tuple[str, ...] = ()

    def coordinates(self, values: Sequence[float | str]) -> np.ndarray:
        """Values in the unit interval, `(n, 1)`; words are corners of a simplex of side 1, `(n, len(words))`."""
        if self.words:
            return np.array([[value == word for word in self.words] for value in values], dtype=float) / np.sqrt(2)
        scaled = Knob(self.name, self.low, self.high, log=self.log).to_unit(np.array(values, dtype=float))
        return scaled[:, None]


class Problem(ABC):
    """A problem; a subclass says what its errors are and how its box is laid out.

    Args:
        name: For the table.
        feasible: The architectures that may be tried.
        knobs: What else is searched.
        box: The ranges that a peer searches.
        target: The regret that a method is timed to reach.
    """

    band: tuple[float, float]  # what `cost` may be
    best: float  # the lowest true error that any method could reach

    def __init__(
        self, name: str, feasible: FeasibleSet, knobs: Sequence[Knob], box: Sequence[Dimension], target: float
    ) -> None:
        self.name, self.feasible, self.knobs, self.box, self.target = name, feasible, tuple(knobs), tuple(box), target
        self.pool = Candidates(feasible, knobs)

    @abstractmethod
    def true(self, configuration: Configuration) -> float:
        """The error without noise."""

    @abstractmethod
    def observe(self, configuration: Configuration, generator: np.random.Generator) -> float:
        """The error that one trial reports."""

    @abstractmethod
    def point(self, configuration: Configuration) -> Point:
        """Where a configuration lies in the box."""

    @abstractmethod
    def configuration(self, point: Point) -> Configuration:
        """What a point of the box stands for, in the band or not."""

    @abstractmethod
    def cost(self, point: Point) -> float:
        """What the band limits, on the scale that a model of it finds easiest."""

    def regret(self, configuration: Configuration) -> float:
        """How much higher than the best the true error is."""
        return self.true(configuration) - self.best

    def optimizer(self, seed: int) -> Optimizer:
        """Our optimizer of this problem."""
        return Optimizer(self.feasible, self.knobs, ["validation_error"], seed)

    def violations(self, point: Point) -> tuple[float, float]:
        """How far the cost lies below and above the band, in widths of the band; at most 0 inside."""
        low, high = self.band
        cost = self.cost(point)
        return (low - cost) / (high - low), (cost - high) / (high - low)

    @cached_property
    def coordinates(self) -> np.ndarray:
        """`(candidates, k)` array: where the candidates lie in the box, every side of which is 1 long."""
        points = [self.point(self.pool.configuration(number)) for number in range(len(self.pool))]
        return np.concatenate([side.coordinates([point[side.name] for point in points]) for side in self.box], axis=1)

    def nearest(self, point: Point, taken: Collection[int]) -> int:
        """The candidate nearest to a point among those not taken; ties go to the first."""
        here = np.concatenate([side.coordinates([point[side.name]]) for side in self.box], axis=1)
        distance = ((self.coordinates - here) ** 2).sum(axis=1)
        distance[list(taken)] = np.inf
        return int(distance.argmin())
