"""What does a method propose from? All that was proposed and told so far, in the order of the proposals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.search.surrogate.latency_model import expected_latencies, latency_features
from resnext_search.search.surrogate.learning_curves import Curve, Stopped, observe
from resnext_search.search.surrogate.observations import Observations, can_learn
from resnext_search.spaces.architecture.complexity import Floats, Integers
from resnext_search.spaces.search_space.objectives import ERROR, OBJECTIVES
from resnext_search.spaces.study.configuration import Configuration

# The model is told of the last failures alone: each costs it as much as a trial that completed.
FAILURES_MODELLED = 200


@dataclass(frozen=True)
class Failure:
    """A trial that ended without a result; its configuration is not proposed again, its surroundings less.

    Its latency may have been measured all the same.
    """

    kind: str
    message: str = ""
    latency_ms: float | None = None


@dataclass(frozen=True)
class AcquisitionProblem:
    """Candidates to choose from, and the trials that an acquisition compares them with; d features, k costs."""

    features: Floats  # (m, d) of the candidates
    costs: Floats  # (m, k) their other objectives
    cost_deviations: Floats  # (m, k) of the logarithms of these, 0 where they are known
    observed_features: Floats  # (n, d) completed trials
    observed_costs: Floats  # (n, k) their other objectives, known
    pending_features: Floats  # (p, d) running trials, and stopped ones of which nothing can be said yet
    failed_features: Floats  # (f, d) failed trials


class SearchState:
    """Which candidates were proposed, by the number of the proposal, and what came of them.

    Configurations that somebody else has tried before, `known`, have the first numbers. They need not be candidates:
    their knobs may lie off the grid.
    """

    def __init__(
        self, pool: Candidates, objectives: Sequence[str], seed: int, known: Sequence[Configuration] = ()
    ) -> None:
        self.pool, self.seed = pool, seed
        self.costs = tuple(name for name in objectives if name != ERROR)
        self.known = tuple(known)
        self._known_features = pool.features_of(known) if known else np.empty((0, len(pool.feature_names)))
        self._known_architectures = np.array([pool.feasible.index(one.architecture) for one in known], dtype=np.int64)
        self.candidates: list[int] = []
        self.outcomes: dict[int, float | Stopped | Failure] = {}
        self.curves: dict[int, Curve] = {}
        # by cost that is not known before a trial
        self.told_costs: dict[str, dict[int, float]] = {name: {} for name in self.costs if not OBJECTIVES[name].known}
        self._latency_features = latency_features(pool.feasible)

    @property
    def numbers(self) -> range:
        """Those of all that was tried, whoever proposed it."""
        return range(len(self.known) + len(self.candidates))

    @property
    def tried(self) -> Integers:
        """`(n,)` array of the candidates that were proposed.

        Without what was known: a search that tries all configurations of its space tries those too.
        """
        return np.array(self.candidates, dtype=np.int64)

    @property
    def teaches(self) -> bool:
        """Whether the completed trials say anything to a model."""
        return can_learn(len(self.pool.feature_names), self.completed().values())

    def completed(self) -> dict[int, float]:
        """Errors by proposal, in the order of the proposals."""
        return {number: error for number, error in sorted(self.outcomes.items()) if isinstance(error, float)}

    def observe(self) -> tuple[list[int], Observations]:
        """The n proposals of which an error is known or estimated, and these as `(n, d)` and `(n,)` arrays."""
        ended = {number: outcome for number, outcome in self.outcomes.items() if not isinstance(outcome, Failure)}
        return observe(ended, self.curves, self._features)

    def problem(self, candidates: Integers, observed: Sequence[int]) -> AcquisitionProblem:
        """Which of these `(m,)` candidates is next? Proposals neither failed nor observed count as running."""
        completed = list(self.completed())
        failed = sorted(number for number, outcome in self.outcomes.items() if isinstance(outcome, Failure))
        settled = {*observed, *failed}
        pending = [number for number in self.numbers if number not in settled]
        costs, deviations = self._costs_of_architectures()
        architectures = candidates // len(self.pool.knob_rows)
        return AcquisitionProblem(
            self.pool.features(candidates),
            costs[architectures],
            deviations[architectures],
            self._features(completed),
            costs[self._architectures(completed)],
            self._features(pending),
            self._features(failed[-FAILURES_MODELLED:]),
        )

    def measured(self, cost: str) -> dict[int, float]:
        """A cost by architecture, in the order of the proposals; of several the first counts."""
        told, measured = self.told_costs[cost], dict[int, float]()
        numbers = sorted(told)
        for architecture, number in zip(self._architectures(numbers).tolist(), numbers, strict=True):
            measured.setdefault(architecture, told[number])
        return measured

    def _features(self, proposals: Sequence[int]) -> Floats:
        known, made = self._split(proposals)
        return np.concatenate([self._known_features[known], self.pool.features(self.tried[made])])

    def _architectures(self, proposals: Sequence[int]) -> Integers:
        known, made = self._split(proposals)
        return np.concatenate([self._known_architectures[known], self.tried[made] // len(self.pool.knob_rows)])

    def _split(self, ascending: Sequence[int]) -> tuple[Integers, Integers]:
        """Numbers as places among what was known, and among the candidates that were proposed."""
        numbers = np.array(ascending, dtype=np.int64)
        return numbers[numbers < len(self.known)], numbers[numbers >= len(self.known)] - len(self.known)

    def _costs_of_architectures(self) -> tuple[Floats, Floats]:
        """`(architectures, k)` arrays: objectives as shares of the largest, and the deviations of their logarithms."""
        costs = np.empty((len(self.pool.feasible), len(self.costs)))
        deviations = np.zeros_like(costs)
        for column, name in enumerate(self.costs):
            if known := OBJECTIVES[name].known:
                costs[:, column] = known(self.pool.feasible)
            else:
                measured = self.measured(name)
                costs[:, column], deviations[:, column] = expected_latencies(self._latency_features, measured)
        return costs / costs.max(axis=0), deviations
