"""Ax's `fast` generation strategy as a method, with an outcome constraint and projected onto the feasible set.

The constraint is on a metric, the cost on a log scale; a trial outside the band reports that metric alone, which Ax
models on its own. Ax chooses by `get_best_parameterization`, with its model.
"""

from __future__ import annotations

import logging
import warnings
from contextlib import contextmanager
from typing import Any

from ax.api.client import Client
from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig
from resnext_search.spaces.seeds import derive_seed

from benchmarks.search.optimizer.method import Method
from benchmarks.search.optimizer.problem import Dimension, Point, Problem

ERROR, COST = "validation_error", "cost"


class Fast(Method):
    """Ax's default strategy without its own start, projected."""

    def __init__(self, problem: Problem, seed: int, start: int) -> None:
        super().__init__(problem, seed, start)
        logging.getLogger("ax").setLevel(logging.CRITICAL)
        self._client = Client(random_seed=derive_seed(seed, "ax") % 2**31)
        self._client.configure_experiment(parameters=[_parameter(side) for side in problem.box])
        low, high = problem.band
        within = None if self.projected else [f"{COST} >= {low}", f"{COST} <= {high}"]
        self._client.configure_optimization(objective=f"-{ERROR}", outcome_constraints=within)
        self._client.configure_generation_strategy(method="fast", initialization_budget=0, initialize_with_center=False)
        self._asked: tuple[int, Point] | None = None
        self._numbers: dict[int, int] = {}  # ours by Ax's

    def ask(self) -> Point:
        """Ask for a trial."""
        with _quietly():
            [self._asked] = self._client.get_next_trials(max_trials=1).items()
        return self._asked[1]

    def tell(self, point: Point, error: float | None) -> None:
        """Complete the trial asked for; if it was moved, that one fails, and the other is attached."""
        asked, self._asked = self._asked, None
        with _quietly():
            if asked is not None and dict(asked[1]) == dict(point):
                index = asked[0]
            else:
                if asked is not None:
                    self._client.mark_trial_failed(asked[0])
                index = self._client.attach_trial(
                    {side.name: _typed(side, point[side.name]) for side in self.problem.box}
                )
            data = {} if error is None else {ERROR: error}
            self._client.complete_trial(index, data if self.projected else {**data, COST: self.problem.cost(point)})
        self._numbers[index] = len(self._numbers)

    def chosen(self) -> int | None:
        """What Ax finds best by its model."""
        with _quietly():
            try:
                _, _, index, _ = self._client.get_best_parameterization()
            except RuntimeError:  # its cross-validation fails where trials lack a metric (Ax 1.3.1): then as reported
                _, _, index, _ = self._client.get_best_parameterization(use_model_predictions=False)
        return self._numbers[index]


class ConstrainedFast(Fast):
    """The same, with an outcome constraint."""

    projected = False


def _parameter(side: Dimension) -> Any:
    if side.words:
        return ChoiceParameterConfig(name=side.name, values=list(side.words), parameter_type="str", is_ordered=False)
    return RangeParameterConfig(
        name=side.name,
        bounds=(side.low, side.high),
        parameter_type="int" if side.integer else "float",
        scaling="log" if side.log else "linear",
    )


def _typed(side: Dimension, value: float | str) -> Any:
    return str(value) if side.words else int(value) if side.integer else float(value)


@contextmanager
def _quietly() -> Any:
    with warnings.catch_warnings(action="ignore"):
        yield
