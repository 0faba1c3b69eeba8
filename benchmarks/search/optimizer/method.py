"""What is a method of the optimizer benchmark: it asks and is told, in points of the box. And our own methods."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from resnext_search.search.optimizer.optimizer import Optimizer, Proposal
from resnext_search.search.surrogate.observations import Observations
from resnext_search.search.surrogate.study_model import rank
from resnext_search.spaces import Configuration
from resnext_search.spaces.seeds import derive_seed

from benchmarks.search.optimizer.problem import Point, Problem


class Method(ABC):
    """Proposes points and learns from what it is told; made afresh for every race.

    The first trials begin and are told without having been asked for: the space-filling start that all methods share.

    Args:
        problem: What is searched.
        seed: Seed of its proposals.
        start: Trials of the start.
    """

    projected = True  # whether proposals are moved to the nearest candidate not yet tried, or taken as they are

    def __init__(self, problem: Problem, seed: int, start: int) -> None:
        self.problem, self.seed, self.start = problem, seed, start

    def begin(self, point: Point) -> None:  # noqa: B027  most need not know
        """A trial of the start begins."""

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
        self._optimizer = self.optimizer()
        self._numbers: dict[Configuration, int] = {}
        self._told: list[tuple[Configuration, float]] = []

    def optimizer(self) -> Optimizer:
        """What proposes."""
        return self.problem.optimizer(self.seed)

    def begin(self, point: Point) -> None:
        """Attach what was not asked for."""
        self._add(self._optimizer.attach(self.problem.configuration(point), "sobol"))

    def ask(self) -> Point:
        """What the optimizer proposes: always a candidate, and never one proposed before."""
        [proposal] = self._optimizer.ask()
        self._add(proposal)
        return self.problem.point(proposal.configuration)

    def tell(self, point: Point, error: float | None) -> None:
        """Report; a trial that never began, as where suggestions are timed, is attached."""
        assert error is not None, "ours never leaves the band"
        configuration = self.problem.configuration(point)
        if configuration not in self._numbers:
            self.begin(point)
        self._optimizer.tell(self._numbers[configuration], {"validation_error": error})
        self._told.append((configuration, error))

    def chosen(self) -> int:
        """The trial with the lowest error by the model."""
        features = self._optimizer.pool.features_of([configuration for configuration, _ in self._told])
        errors = np.array([error for _, error in self._told])
        return int(rank(features, errors, Observations(features, errors))[0][0])

    def _add(self, proposal: Proposal) -> None:
        assert proposal.configuration not in self._numbers, "ours never proposes anything twice"
        self._numbers[proposal.configuration] = proposal.proposal_id


class OursOfTwo(Ours):
    """The same with activations as a second objective: timed, not raced."""

    def optimizer(self) -> Optimizer:
        """What proposes."""
        return Optimizer(self.problem.feasible, self.problem.knobs, ["validation_error", "activations"], self.seed)
