"""Optuna's samplers as methods: TPE and GPSampler, each with constraints and projected onto the feasible set.

Constraints are set as Optuna's documentation has it: two numbers, at most 0 inside the band, here in widths of the
band on the log scale. A trial outside it has no error, but GPSampler learns from completed trials only: it is told the
worst error so far. Optuna chooses by `study.best_trial`: the lowest error told inside the band.
"""

from __future__ import annotations

import warnings

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.trial import TrialState

from benchmarks.search.optimizer.method import Method
from benchmarks.search.optimizer.problem import Dimension, Point, Problem

optuna.logging.set_verbosity(optuna.logging.ERROR)


class OptunaMethod(Method):
    """A sampler of Optuna."""

    def __init__(self, problem: Problem, seed: int, start: int) -> None:
        super().__init__(problem, seed, start)
        self._distributions = {side.name: _distribution(side) for side in problem.box}
        self._study = optuna.create_study(sampler=self._sampler())
        self._asked: optuna.Trial | None = None
        self._worst = 0.0

    def _sampler(self) -> BaseSampler:
        raise NotImplementedError

    def ask(self) -> Point:
        """Ask for a trial with the whole box."""
        self._asked = self._study.ask(self._distributions)
        return dict(self._asked.params)

    def tell(self, point: Point, error: float | None) -> None:
        """Tell the trial asked for; if it was moved, that one fails, which samplers ignore, and the other is added."""
        self._worst = max(self._worst, error or 0.0)
        value = self._worst if error is None else error
        constraints = {} if self.projected else dict(zip(("low", "high"), self.problem.violations(point), strict=True))
        asked, self._asked = self._asked, None
        if asked is not None and dict(asked.params) == dict(point):
            for name, violation in constraints.items():
                asked.set_constraint(name, violation)
            self._study.tell(asked, value)
            return
        if asked is not None:
            self._study.tell(asked, state=TrialState.FAIL)
        self._study.add_trial(
            optuna.trial.create_trial(
                params=dict(point), distributions=self._distributions, value=value, constraints=constraints or None
            )
        )


class TPE(OptunaMethod):
    """Tree-structured Parzen estimator, multivariate, projected."""

    def _sampler(self) -> BaseSampler:
        with warnings.catch_warnings(action="ignore"):  # "multivariate" is experimental
            return TPESampler(seed=self.seed, multivariate=True, n_startup_trials=self.start)


class ConstrainedTPE(TPE):
    """The same, with constraints."""

    projected = False


class GP(OptunaMethod):
    """Optuna's own Gaussian process, projected."""

    def _sampler(self) -> BaseSampler:
        return GPSampler(seed=self.seed, n_startup_trials=self.start)


class ConstrainedGP(GP):
    """The same, with constraints."""

    projected = False


def _distribution(side: Dimension) -> BaseDistribution:
    if side.words:
        return CategoricalDistribution(side.words)
    if side.integer:
        return IntDistribution(round(side.low), round(side.high), log=side.log)
    return FloatDistribution(side.low, side.high, log=side.log)
