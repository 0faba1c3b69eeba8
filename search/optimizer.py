"""What is tried next? Bayesian optimization over the enumerated feasible set: `ask` proposes, `tell` reports.

The only file that imports Ax and BoTorch. Ax holds the experiment and fits the model; its candidate generator is
replaced by one that scores every candidate of the pool in one batch, so that nothing outside the FLOP band can come
out of it. No training, no Ray and no files, so that it can be tested and benchmarked alone.

Same seed and same reports in the same order of proposals give the same proposals, also when they are replayed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from ax.adapter.registry import Generators
from ax.adapter.transforms.log import Log
from ax.adapter.transforms.standardize_y import StandardizeY
from ax.adapter.transforms.unit_x import UnitX
from ax.adapter.transforms.winsorize import Winsorize
from ax.api.client import Client
from ax.api.configs import RangeParameterConfig
from ax.core.search_space import SearchSpaceDigest
from ax.generation_strategy.generation_node import GenerationNode
from ax.generation_strategy.generation_strategy import GenerationStrategy
from ax.generation_strategy.generator_spec import GeneratorSpec
from ax.generators.torch.botorch_modular.acquisition import Acquisition
from botorch.acquisition.analytic import LogExpectedImprovement
from botorch.models import SingleTaskGP
from botorch.utils.sampling import manual_seed
from resnext_search.search.expected_gain import log_expected_gain
from resnext_search.search.pool import Pool, proposal_generator
from resnext_search.spaces import Configuration, FeasibleSet
from resnext_search.spaces.complexity import Integers
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.knobs import Knob
from resnext_search.spaces.seeds import derive_seed
from torch import Tensor

ERROR = "validation_error"

Proposer = Literal["sobol", "ax"]


@dataclass(frozen=True)
class Proposal:
    """A configuration to try; `proposed_by` says what chose it: `sobol` or `ax`."""

    proposal_id: int
    configuration: Configuration
    proposed_by: Proposer


@dataclass(frozen=True)
class Failure:
    """A trial that ended without a result; its configuration is not proposed again, its surroundings less."""

    kind: str
    message: str = ""


class Optimizer:
    """Proposes configurations inside the FLOP band.

    Args:
        feasible: The architectures.
        knobs: The searched knobs of the recipe.
        objectives: What is minimised: `validation_error`, and up to two of `parameters` and `activations`, which are
            known exactly before a trial and are not modelled.
        seed: Seed of the proposals.
        method: `ax`, or `sobol` for the space-filling baseline.

    >>> from resnext_search.spaces import Band, Template, enumerate_feasible
    >>> from resnext_search.spaces.feasible import Axes
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
    ) -> None:
        self.pool = Pool(feasible, knobs)
        self.seed = seed
        self.method = method
        # as many space-filling trials as there are free parameters, and two more
        self.initial = len(self.pool.names) + 2
        self.known_objectives = tuple(name for name in objectives if name != ERROR)
        self._candidates: list[int] = []  # by proposal
        self._outcomes: dict[int, float | Failure] = {}  # by proposal
        self._experiment = _Experiment(self.pool) if self.pool.names else None

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

    def tell(self, proposal_id: int, outcome: Mapping[str, float] | Failure) -> None:
        """Report what came of a proposal.

        Args:
            proposal_id: Of a proposal that was asked for or attached.
            outcome: The metrics, of which `validation_error` is used; or a failure.

        Raises:
            UsageError: The proposal is unknown or was told before, or the error is missing or not finite.
        """
        if not 0 <= proposal_id < len(self._candidates):
            raise UsageError(f"proposal {proposal_id}: unknown; {len(self._candidates)} were made")
        if proposal_id in self._outcomes:
            raise UsageError(f"proposal {proposal_id}: told before")
        if isinstance(outcome, Failure):
            self._outcomes[proposal_id] = outcome
        else:
            error = outcome.get(ERROR)
            if error is None or not math.isfinite(error):
                raise UsageError(
                    f"proposal {proposal_id}: {ERROR} is {'missing' if error is None else error}; "
                    "a finite number is needed",
                    hint="Tell a Failure instead.",
                )
            self._outcomes[proposal_id] = error
        if self._experiment is not None:
            self._experiment.finish(proposal_id, self._outcomes[proposal_id])

    def _add(self, candidate: int, proposed_by: Proposer) -> Proposal:
        number = len(self._candidates)
        self._candidates.append(candidate)
        if self._experiment is not None:
            self._experiment.attach(number, candidate)
        return Proposal(number, self.pool.configuration(candidate), proposed_by)

    def _next(self) -> tuple[int, Proposer]:
        number, taken = len(self._candidates), np.array(self._candidates, dtype=np.int64)
        errors = {number: value for number, value in self._outcomes.items() if not isinstance(value, Failure)}
        enough = number >= self.initial and len(set(errors.values())) > 1
        if self._experiment is None or self.method == "sobol" or not enough:
            candidate = self.pool.spread(number, derive_seed(self.seed, "design"), taken)
            assert candidate is not None  # `ask` has seen that the pool is not exhausted
            return candidate, "sobol"
        return self._best_of(self.pool.sample(proposal_generator(self.seed, number), taken), number), "ax"

    def _best_of(self, candidates: Integers, number: int) -> int:
        """The candidate with the largest expected gain, by a model of what was told."""
        assert self._experiment is not None  # with nothing to vary there is nothing to model
        by_state: dict[str, list[int]] = {"observed": [], "failed": [], "pending": []}
        for proposal, candidate in enumerate(self._candidates):
            outcome = self._outcomes.get(proposal)
            state = "pending" if outcome is None else "failed" if isinstance(outcome, Failure) else "observed"
            by_state[state].append(candidate)
        observed, failed, pending = (np.array(rows, dtype=np.int64) for rows in by_state.values())
        choice = self._experiment.choice
        choice.units, choice.costs = self._units(candidates), self._costs(candidates)
        choice.observed_units, choice.observed_costs = self._units(observed), self._costs(observed)
        choice.pending_units, choice.failed_units = self._units(pending), self._units(failed)
        with manual_seed(derive_seed(self.seed, "fit", number) % 2**32), _one_thread():
            return int(candidates[self._experiment.choose()])

    def _units(self, candidates: Integers) -> Tensor:
        return torch.tensor(self.pool.units(candidates))

    def _costs(self, candidates: Integers) -> Tensor:
        """`(n, k)` tensor of the known objectives, each as a share of the largest in the feasible set."""
        architectures = candidates // len(self.pool.knob_rows)
        columns = [np.asarray(getattr(self.pool.feasible.counts, name), dtype=float) for name in self.known_objectives]
        scaled = [column[architectures] / column.max() for column in columns]
        return torch.tensor(np.stack(scaled, axis=1) if scaled else np.empty((len(candidates), 0)))


class _Experiment:
    """The study as Ax sees it: one trial a proposal, one metric, parameters on the ranges that the pool spans."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.choice = _Choice()
        self.client = Client()
        self.client.configure_experiment(
            parameters=[
                RangeParameterConfig(
                    name=name,
                    bounds=pool.bounds[name],
                    parameter_type="float",
                    scaling="log" if name in pool.log_names else "linear",
                )
                for name in pool.names
            ]
        )
        self.client.configure_optimization(objective=f"-{ERROR}")
        self.strategy = _generation_strategy(self.choice)
        self.client.set_generation_strategy(self.strategy)

    def attach(self, number: int, candidate: int) -> None:
        index = self.client.attach_trial(self.pool.parameters(candidate))
        assert index == number  # trials are numbered as proposals are

    def finish(self, number: int, outcome: float | Failure) -> None:
        if isinstance(outcome, Failure):
            self.client.mark_trial_failed(number, failed_reason=outcome.kind)
        else:
            self.client.complete_trial(number, raw_data={ERROR: outcome})

    def choose(self) -> int:
        """Let Ax fit its model to what was told and pick one of `self.choice`; returns its position there.

        `Client.get_next_trials` would make a trial whose parameters went through Ax's transforms and back, and so
        differ in the last bit from those that a replay attaches. Instead every trial is attached, with the pool's
        own numbers.
        """
        self.strategy.gen(experiment=self.client._experiment, n=1)
        return self.choice.best


class _Choice:
    """What passes between `Optimizer.ask` and the acquisition that Ax builds deep inside: choices in, one out."""

    units: Tensor  # (m, d) candidates to choose from
    costs: Tensor  # (m, k) their known objectives
    observed_units: Tensor  # (n, d) completed trials
    observed_costs: Tensor  # (n, k) their known objectives
    pending_units: Tensor  # (p, d) running trials
    failed_units: Tensor  # (f, d) failed trials
    best: int  # position of the choice that was made


class BandAcquisition(Acquisition):
    """Scores the enumerated candidates, and nothing else.

    Overrides the two steps of Ax's `Acquisition` that would leave the band: instead of optimizing over a box, the
    expected gain of every candidate is computed in one batch and the largest taken.
    """

    def _instantiate_acquisition(self) -> None:
        # Ax wants some acquisition function to stand here; the choice is made in `optimize`
        self.acqf = LogExpectedImprovement(model=self._model, best_f=0.0, maximize=False)
        self.models_used = [self.surrogate.model_name_by_metric]
        self.acq_function_sequence = None

    def optimize(
        self, n: int, search_space_digest: SearchSpaceDigest, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Pick the candidate with the largest expected gain; ties go to the first.

        Returns:
            `(1, d)` tensor of the candidate in Ax's transformed space, its `(1,)` log gain, and a weight of one.
        """
        choice: _Choice = self.options["choice"]
        fitted = self._model
        assert isinstance(fitted, SingleTaskGP)  # what Ax fits to one metric on a continuous space
        model = _with_fantasies(fitted, choice.pending_units, choice.failed_units)
        with torch.no_grad():
            front = fitted.posterior(choice.observed_units).mean.squeeze(-1)
            posterior = model.posterior(choice.units.unsqueeze(1))  # one by one: their covariances are not needed
            mean, deviation = posterior.mean.flatten(), posterior.variance.clamp(min=1e-12).sqrt().flatten()
        gains = log_expected_gain(mean, deviation, choice.costs, front, choice.observed_costs, _reference(front))
        choice.best = int(gains.argmax())
        return choice.units[choice.best : choice.best + 1], gains[choice.best : choice.best + 1], torch.ones(1)


def _with_fantasies(model: SingleTaskGP, pending: Tensor, failed: Tensor) -> SingleTaskGP:
    """The model as if running trials had ended as predicted, and failed ones as badly as the worst that did not."""
    if not len(pending) and not len(failed):
        return model
    places = torch.cat([pending, failed])
    with torch.no_grad():
        outcomes = model.posterior(places).mean
        outcomes[len(pending) :] = model.train_targets.max()
        conditioned = model.condition_on_observations(places, outcomes)
    assert isinstance(conditioned, SingleTaskGP)
    return conditioned


def _reference(front: Tensor) -> float:
    """Error from which on a trial gains nothing: somewhat above the median of the trials so far.

    The worst trial would do too, but then cheap networks that hardly learn gain more than good ones.
    """
    return float(front.median() + 0.1 * (front.median() - front.min()))


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread within the block.

    While a study runs, its trials keep all cores busy: on two such cores a proposal took 0.3 s with one thread and 4 to
    7 s with two, which wait for each other. And bits may depend on the number of threads; so they do not here.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _generation_strategy(choice: _Choice) -> GenerationStrategy:
    """One node, no fallback: Ax's fallback is Sobol over the box, which knows nothing of the band."""
    spec = GeneratorSpec(
        Generators.BOTORCH_MODULAR,
        generator_kwargs={
            "acquisition_class": BandAcquisition,
            "acquisition_options": {"choice": choice},
            "botorch_acqf_class": LogExpectedImprovement,
            "warm_start_refit": False,  # a fit must not depend on the fits before it, which a replay does not make
            "use_p_feasible": False,
            # diverged trials end near chance: winsorized, they do not flatten everything that is better
            "transforms": [Log, UnitX, Winsorize, StandardizeY],
            "fit_tracking_metrics": False,
        },
    )
    node = GenerationNode(name="band", generator_specs=[spec], should_deduplicate=False)
    return GenerationStrategy(name="band", nodes=[node])
