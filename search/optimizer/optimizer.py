"""What is tried next? Bayesian optimization over the enumerated feasible set: `ask` proposes, `tell` reports.

Ax fits the model and proposes, with a generator that scores every candidate of the pool in one batch, so that nothing
outside the FLOP band can come out of it (`search/optimizer/ax_method.py`). No training, no Ray and no files, so that it
can be tested and benchmarked alone.

Same seed and same reports in the same order of proposals give the same proposals, also when they are replayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Literal, SupportsFloat, TypeGuard

import numpy as np
from resnext_search.search.optimizer.ax_method import BandGenerator, Choice
from resnext_search.search.surrogate.candidates import Candidates, Describe, network_features, proposal_generator
from resnext_search.search.surrogate.effects import Effect, learned_effects
from resnext_search.search.surrogate.gaussian_process import one_thread
from resnext_search.search.surrogate.latency_model import expected_latencies, latency_features
from resnext_search.search.surrogate.learning_curves import Curve, Learned, Stopped, learned
from resnext_search.search.surrogate.observations import Observations, can_learn
from resnext_search.search.surrogate.study_model import rank
from resnext_search.spaces.architecture.complexity import Integers
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.search_space.knobs import Floats, Knob
from resnext_search.spaces.search_space.objectives import ERROR, OBJECTIVES
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.configuration import Configuration

# The model is told of the last failures alone: each costs it as much as a trial that completed.
FAILURES_MODELLED = 200

# A measured cost outside of these is a mistake, and its logarithm would be none: of a latency in milliseconds they are
# a picosecond and some thirty years.
LEAST_COST, MOST_COST = 1e-9, 1e12

Proposer = Literal["sobol", "ax"]


@dataclass(frozen=True)
class Proposal:
    """A configuration to try; `proposed_by` says what chose it: `sobol` or `ax`."""

    proposal_id: int
    configuration: Configuration
    proposed_by: Proposer


@dataclass(frozen=True)
class Failure:
    """A trial that ended without a result; its configuration is not proposed again, its surroundings less.

    Its latency may have been measured all the same.
    """

    kind: str
    message: str = ""
    latency_ms: float | None = None


class Optimizer:
    """Proposes configurations inside the FLOP band.

    Args:
        feasible: The architectures.
        knobs: The searched knobs of the recipe.
        objectives: What is minimised: `validation_error`, and up to two others. `parameters` and `activations` are
            known exactly before a trial; `latency_ms` is once an architecture was measured, and modelled before.
        seed: Seed of the proposals.
        method: `ax`, or `sobol` for the space-filling baseline.
        describe: What the model sees of an architecture.

    >>> from resnext_search.spaces import Band, Template, enumerate_feasible
    >>> from resnext_search.spaces.search_space.feasible import Axes
    >>> space = enumerate_feasible(Template(planes=4, stages=2, resolution=8),
    ...                            Axes((1, 2), (1, 2, 3, 4), ((1, 1), (1, 2), (2, 2))), Band(95_000, 0.2))
    >>> optimizer = Optimizer(space, [Knob("learning_rate", 0.01, 1.0, log=True)], ["validation_error"], seed=0)
    >>> [proposal] = optimizer.ask()
    >>> optimizer.tell(proposal.proposal_id, {"validation_error": 12.5})
    >>> proposal.configuration.architecture in space
    True
    """

    def __init__(
        self,
        feasible: FeasibleSet,
        knobs: Sequence[Knob],
        objectives: Sequence[str],
        seed: int,
        *,
        method: Proposer = "ax",
        describe: Describe = network_features,
    ) -> None:
        self.pool = Candidates(feasible, knobs, describe)
        self.seed = seed
        self.method = method
        # as many space-filling trials as the model has features, and two more
        self.initial = len(self.pool.features) + 2
        self.costs = tuple(name for name in objectives if name != ERROR)
        self._candidates: list[int] = []  # by proposal
        self._outcomes: dict[int, float | Stopped | Failure] = {}  # by proposal
        self._curves: dict[int, Curve] = {}  # by proposal
        # by cost that is not known before a trial, and proposal
        self._told_costs: dict[str, dict[int, float]] = {name: {} for name in self.costs if not OBJECTIVES[name].known}
        self._latency_features = latency_features(feasible)
        self._generator = BandGenerator(self.pool.features)

    def ask(self, n: int = 1) -> list[Proposal]:
        """Propose up to `n` configurations, none of them proposed before; fewer when the pool is exhausted.

        Proposals that have not been told count as running: the model expects of them what it predicts.
        """
        proposals: list[Proposal] = []
        for _ in range(n):
            if len(self._candidates) >= len(self.pool):
                break
            candidate, proposed_by = self._next()
            proposals.append(self._add(candidate, proposed_by))
        return proposals

    def attach(self, configuration: Configuration, proposed_by: Proposer) -> Proposal:
        """Take in a proposal made earlier, as when a study continues; the order must be that of the proposals.

        Raises:
            UsageError: The configuration is not a candidate: it lies outside the band or off the grid.
        """
        try:
            candidate = self.pool.find(configuration)
        except ValueError as error:
            raise UsageError(str(error)) from error
        return self._add(candidate, proposed_by)

    def tell(
        self, proposal_id: int, outcome: Mapping[str, float] | Stopped | Failure, curve: Curve | None = None
    ) -> None:
        """Report what came of a proposal.

        Args:
            proposal_id: Of a proposal that was asked for or attached.
            outcome: The metrics, of which `validation_error` is used, and `latency_ms` if that is an objective: how
                uncertain they are, the models find out from all trials together. Or that it was stopped early, or a
                failure; of these the latency need not be known.
            curve: How it got there: from the curves of completed trials it is estimated what stopped ones are worth.

        Raises:
            UsageError: The proposal is unknown or was told before; the error is missing or no percentage; or the
                latency is an objective, and missing or no positive number.
        """
        if proposal_id not in range(len(self._candidates)):
            raise UsageError(f"proposal {proposal_id}: unknown; {len(self._candidates)} were made")
        if proposal_id in self._outcomes:
            raise UsageError(f"proposal {proposal_id}: told before")
        error = _reported(outcome, ERROR)
        settled: float | Stopped | Failure
        if isinstance(outcome, Failure):
            settled = outcome
        elif _is_number(error, 0, 100):
            settled = outcome if isinstance(outcome, Stopped) else float(error)
        else:
            raise UsageError(
                f"proposal {proposal_id}: {ERROR} is {_found(error)}; a percentage from 0 to 100 is needed",
                hint="Tell a Failure instead.",
            )
        found = {name: _reported(outcome, name) for name in self._told_costs}
        may_lack = not isinstance(settled, float)
        costs = [
            (name, _cost(proposal_id, name, cost)) for name, cost in found.items() if cost is not None or not may_lack
        ]
        for name, cost in costs:
            self._told_costs[name][proposal_id] = cost
        self._outcomes[proposal_id] = settled
        if curve is not None and not isinstance(settled, Failure):
            self._curves[proposal_id] = curve

    def chosen(self) -> int | None:
        """The completed proposal whose error is lowest by the model, ties to the first; None before any completed."""
        completed = self._completed()
        if not completed:
            return None
        errors = np.array(list(completed.values()))
        order, _ = rank(self._places(list(completed)), errors, self._observations(self._learned()))
        return list(completed)[int(order[0])]

    def effects(self) -> list[Effect]:
        """The best error to be expected at every cardinality and at every depth; empty before there is a model."""
        completed = self._completed()
        if not can_learn(len(self.pool.features), completed.values()):
            return []
        with one_thread():
            return learned_effects(self.pool, self._observations(self._learned()), self.seed)

    def _add(self, candidate: int, proposed_by: Proposer) -> Proposal:
        self._candidates.append(candidate)
        return Proposal(len(self._candidates) - 1, self.pool.configuration(candidate), proposed_by)

    def _next(self) -> tuple[int, Proposer]:
        number, taken = len(self._candidates), np.array(self._candidates, dtype=np.int64)
        completed = self._completed()
        if (
            self.method == "sobol"
            or number < self.initial
            or not can_learn(len(self.pool.features), completed.values())
        ):
            candidate = self.pool.spread(number, derive_seed(self.seed, "design"), taken)
            assert candidate is not None  # `ask` has seen that the pool is not exhausted
            return candidate, "sobol"
        candidates = self.pool.sample(proposal_generator(self.seed, number), taken)
        with one_thread():
            told = self._learned()
            self._generator.fit(self._observations(told))
            return int(candidates[self._generator.choose(self._choice(candidates, completed, told))]), "ax"

    def _completed(self) -> dict[int, float]:
        """Errors by proposal, in the order of the proposals."""
        return {number: error for number, error in sorted(self._outcomes.items()) if isinstance(error, float)}

    def _learned(self) -> Learned:
        """The errors of completed trials, and what those that were stopped would have reached."""
        return learned(
            {number: outcome for number, outcome in self._outcomes.items() if not isinstance(outcome, Failure)},
            self._curves,
        )

    def _observations(self, told: Learned) -> Observations:
        return Observations(self._places(told.numbers), told.errors, told.variances)

    def _choice(self, candidates: Integers, completed: Mapping[int, float], told: Learned) -> Choice:
        failed = sorted(number for number, outcome in self._outcomes.items() if isinstance(outcome, Failure))
        known = {*told.numbers, *failed}
        pending = [number for number in range(len(self._candidates)) if number not in known]
        costs, deviations = self._costs_of_architectures()
        observed, architectures = self._architectures(list(completed)), candidates // len(self.pool.knob_rows)
        return Choice(
            self.pool.places(candidates),
            costs[architectures],
            deviations[architectures],
            self._places(list(completed)),
            costs[observed],
            self._places(pending),
            self._places(failed[-FAILURES_MODELLED:]),
        )

    def _places(self, proposals: Sequence[int]) -> Floats:
        return self.pool.places(np.array([self._candidates[number] for number in proposals], dtype=np.int64))

    def _architectures(self, proposals: Sequence[int]) -> Integers:
        numbers = np.array([self._candidates[number] for number in proposals], dtype=np.int64)
        return numbers // len(self.pool.knob_rows)

    def _costs_of_architectures(self) -> tuple[Floats, Floats]:
        """`(architectures, k)` arrays of the objectives beside the error, and the deviations of their logarithms.

        Each is a share of the largest in the feasible set.
        """
        costs = np.empty((len(self.pool.feasible), len(self.costs)))
        deviations = np.zeros_like(costs)
        for place, name in enumerate(self.costs):
            if known := OBJECTIVES[name].known:
                costs[:, place] = known(self.pool.feasible)
            else:
                costs[:, place], deviations[:, place] = expected_latencies(self._latency_features, self._measured(name))
        return costs / costs.max(axis=0), deviations

    def _measured(self, cost: str) -> dict[int, float]:
        """A cost by architecture, in the order of the proposals; of several the first counts."""
        told = self._told_costs[cost]
        numbers = sorted(told)
        measured: dict[int, float] = {}
        for architecture, number in zip(self._architectures(numbers).tolist(), numbers, strict=True):
            measured.setdefault(architecture, told[number])
        return measured


def _reported(outcome: object, name: str) -> object:
    """An objective as it was told; None if it was not."""
    if isinstance(outcome, Mapping):
        return outcome.get(name)
    return getattr(outcome, "error" if name == ERROR else name, None)


def _cost(proposal_id: int, name: str, cost: object) -> float:
    if _is_number(cost, LEAST_COST, MOST_COST):
        return float(cost)
    raise UsageError(
        f"proposal {proposal_id}: {name} is {_found(cost)}; a positive number of {OBJECTIVES[name].unit} is needed",
        hint="It is an objective: measure it, or make the optimizer without it.",
    )


def _found(value: object) -> str:
    return "missing" if value is None else repr(value)


def _is_number(value: object, low: float, high: float) -> TypeGuard[SupportsFloat]:
    return isinstance(value, Real) and not isinstance(value, bool) and bool(low <= value <= high)  # type: ignore[operator]
