"""SMAC3's random forest as a method, projected onto the feasible set; it has no constraints.

The facade is that for hyperparameters, with a model trained anew for every proposal (its default is every eighth) and
without its own start. SMAC chooses its incumbent: the lowest cost told.
"""

from __future__ import annotations

import logging
import tempfile
import warnings
from pathlib import Path
from typing import Any

from ConfigSpace import Categorical, Configuration, ConfigurationSpace, Float, Integer
from resnext_search.spaces.seeds import derive_seed
from smac import HyperparameterOptimizationFacade as Facade
from smac import Scenario
from smac.runhistory import TrialInfo, TrialValue

from benchmarks.optimizer.method import Method
from benchmarks.optimizer.problem import Dimension, Point, Problem


class Forest(Method):
    """SMAC3 with its random forest."""

    def __init__(self, problem: Problem, seed: int, start: int) -> None:
        super().__init__(problem, seed, start)
        self._folder = tempfile.TemporaryDirectory()  # SMAC wants one, for the life of the method
        self._space = ConfigurationSpace(seed=seed)
        self._space.add([_parameter(side) for side in problem.box])
        scenario = Scenario(
            self._space,
            deterministic=True,
            n_trials=10_000,
            seed=derive_seed(seed, "smac") % 2**31,
            output_directory=Path(self._folder.name),
        )
        with warnings.catch_warnings(action="ignore"):
            self._smac = Facade(
                scenario,
                lambda config, seed: 0.0,  # never called: we ask and tell
                initial_design=Facade.get_initial_design(scenario, n_configs=0),
                config_selector=Facade.get_config_selector(scenario, retrain_after=1),
                logging_level=logging.CRITICAL,
                overwrite=True,
            )

    def ask(self) -> Point:
        """Ask for a configuration."""
        return dict(self._smac.ask().config)

    def tell(self, point: Point, error: float | None) -> None:
        """Tell the configuration tried, which SMAC takes whether it asked for it or not."""
        assert error is not None, "what is projected lies in the band"
        values = {side.name: point[side.name] for side in self.problem.box}
        trial = TrialInfo(Configuration(self._space, values=values), seed=0)  # the seed of deterministic scenarios
        self._smac.tell(trial, TrialValue(cost=error, time=0.0), save=False)


def _parameter(side: Dimension) -> Any:
    if side.words:
        return Categorical(side.name, list(side.words))
    if side.integer:
        return Integer(side.name, (round(side.low), round(side.high)), log=side.log)
    return Float(side.name, (side.low, side.high), log=side.log)
