"""What is a method of the optimizer benchmark: it asks and is told, in points of the box. And our own methods."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from resnext_search.search.optimizer import Proposal
from resnext_search.spaces.seeds import derive_seed

from benchmarks.optimizer.problem import Point, Problem


class Method(ABC):
    """Proposes points and learns from what it is told; made afresh for every race.

    The first trials are told without having been asked for: the space-filling start that all methods share.

    Args:
        problem: What is searched.
        seed: Seed of its proposals.
        start: Trials of the start.
    """

    projected = True  # whether proposals are moved to the nearest candidate not yet tried, or taken as they are

    def __init__(self, problem: Problem, seed: int, start: int) -> None:
        self.problem, self.seed, self.start = problem, seed, start

    @abstractmethod
    def ask(self) -> Point:
        """Propose a point."""

    @abstractmethod
    def tell(self, point: Point, error: float | None) -> None:
        """Report a trial, at the point asked for or at another; None: it was outside the band, and has no error."""

    def chosen(self) -> int | None:
        """Number of the trial that the method would hand over; None: that with the lowest error told."""
        return None


class Random(Method):
    """Draws candidates of the feasible set; those tried are moved off by the projection."""

    def __init__(self, problem: Problem, seed: int, start: int) -> None:
        super().__init__(problem, seed, start)
        self._generator = np.random.default_rng(derive_seed(seed, "random"))

    def ask(self) -> Point:
        """A random candidate."""
        pool = self.problem.pool
        return self.problem.point(pool.configuration(int(self._generator.integers(len(pool)))))

    def tell(self, point: Point, error: float | None) -> None:
        """Nothing is learned."""


class Ours(Method):
    """The optimizer of this project."""

    def __init__(self, problem: Problem, seed: int, start: int) -> None:
        super().__init__(problem, seed, start)
        self._optimizer = problem.optimizer(seed)
        self._asked: Proposal | None = None

    def ask(self) -> Point:
        """What the optimizer proposes: always a candidate."""
        [self._asked] = self._optimizer.ask()
        return self.problem.point(self._asked.configuration)

    def tell(self, point: Point, error: float | None) -> None:
        """Attach what was not asked for, and report."""
        assert error is not None, "ours never leaves the band"
        asked, self._asked = self._asked, None
        configuration = self.problem.configuration(point)
        if asked is None:
            asked = self._optimizer.attach(configuration, "sobol")
        assert asked.configuration == configuration, "ours is never moved"
        self._optimizer.tell(asked.proposal_id, {"validation_error": error})

    def chosen(self) -> int | None:
        """The trial with the lowest error by the model."""
        return self._optimizer.chosen()
