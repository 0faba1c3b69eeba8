"""What is tried next? Bayesian optimization over the enumerated feasible set: `ask` proposes, `tell` reports.

A method (`search/optimizer/methods.py`) chooses among numbered candidates, so that nothing outside the FLOP band can
come out of it. No training, no Ray and no files, so that it can be tested and benchmarked alone.

Same seed and same reports in the same order of proposals give the same proposals, also when they are replayed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import SupportsFloat, TypeGuard

from resnext_search.search.optimizer.methods import method_named
from resnext_search.search.optimizer.state import Failure, SearchState
from resnext_search.search.surrogate.candidates import Candidates, Describe, network_features
from resnext_search.search.surrogate.learning_curves import Curve, Stopped
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.search_space.knobs import Knob
from resnext_search.spaces.search_space.methods import METHODS, START
from resnext_search.spaces.search_space.objectives import ERROR, OBJECTIVES
from resnext_search.spaces.study.configuration import Configuration

__all__ = ["Failure", "Optimizer", "Proposal"]

# A measured cost outside of these is a mistake, and its logarithm would be none: of a latency in milliseconds they are
# a picosecond and some thirty years.
LEAST_COST, MOST_COST = 1e-9, 1e12


@dataclass(frozen=True)
class Proposal:
    """A configuration to try; `proposed_by` names the method that chose it, as in `METHODS`."""

    proposal_id: int
    configuration: Configuration
    proposed_by: str


class Optimizer:
    """Proposes configurations inside the FLOP band.

    Args:
        feasible: The architectures.
        knobs: The searched knobs of the recipe.
        objectives: What is minimised: `validation_error`, and up to two others. `parameters` and `activations` are
            known exactly before a trial; `latency_ms` is once an architecture was measured, and modelled before.
        seed: Seed of the proposals.
        method: A name of `METHODS`: `ax`, or `sobol` for the space-filling baseline.
        describe: What the model sees of an architecture. For networks that are no ResNeXts, as a benchmark has them: no
            study passes it.
        known: Configurations inside the band that were tried before the search. They have the first proposal numbers,
            from 0, under which their outcomes are told, and spare up to half of the space-filling start.

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
        method: str = "ax",
        describe: Describe = network_features,
        known: Sequence[Configuration] = (),
    ) -> None:
        self.pool = Candidates(feasible, knobs, describe)
        self.method = method
        # As many space-filling trials as the model has features, and two more. What is known counts among them; but
        # arms are a handful of architectures, each with many learning rates, and tell a model next to nothing of the
        # others: half of the start is left in any case.
        start = len(self.pool.feature_names) + 2
        self.initial = max(start - len(known), (start + 1) // 2)
        self._methods = {name: method_named(name) for name in (START, method)}
        self._state = SearchState(self.pool, objectives, seed, known)

    def ask(self, n: int = 1) -> list[Proposal]:
        """Propose up to `n` configurations, none of them proposed before; fewer when the pool is exhausted.

        Proposals that have not been told count as running: the model expects of them what it predicts.
        """
        proposals: list[Proposal] = []
        for _ in range(n):
            if len(self._state.candidates) >= len(self.pool):
                break
            proposer = self._proposer()
            proposals.append(self._add(self._methods[proposer].propose(self._state), proposer))
        return proposals

    @property
    def fixed(self) -> int:
        """How many of the next proposals are the same whatever comes of trials: those of the space-filling design."""
        left = len(self.pool) if not METHODS[self.method].learns else self.initial
        return max(0, min(left, len(self.pool)) - len(self._state.candidates))

    def attach(self, configuration: Configuration, proposed_by: str) -> Proposal:
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
        state = self._state
        if proposal_id not in state.numbers:
            raise UsageError(f"proposal {proposal_id}: unknown; {len(state.numbers)} were made")
        if proposal_id in state.outcomes:
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
        costs = {}
        for name in state.told_costs:
            if (cost := _reported(outcome, name)) is not None or isinstance(settled, float):
                costs[name] = _cost(proposal_id, name, cost)
        for name in costs:
            state.told_costs[name][proposal_id] = costs[name]
        state.outcomes[proposal_id] = settled
        if curve is not None and not isinstance(settled, Failure):
            state.curves[proposal_id] = curve

    def _add(self, candidate: int, proposed_by: str) -> Proposal:
        self._state.candidates.append(candidate)
        return Proposal(self._state.numbers[-1], self.pool.configuration(candidate), proposed_by)

    def _proposer(self) -> str:
        """The method, or the space-filling start as long as it needs one."""
        starts = len(self._state.candidates) < self.initial or not self._state.teaches
        return START if METHODS[self.method].learns and starts else self.method


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
