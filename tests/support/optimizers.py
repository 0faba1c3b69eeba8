"""A made-up truth over small feasible sets, and optimizers that search them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import pytest
from resnext_search.search.optimizer.ax_method import AxMethod
from resnext_search.search.optimizer.optimizer import Optimizer, Proposal
from resnext_search.search.optimizer.state import AcquisitionProblem
from resnext_search.spaces import Configuration, FeasibleSet
from resnext_search.spaces.search_space.knobs import Knob

from tests.support.helpers import tiny_study
from tests.support.journals import tiny_set

LEARNING_RATE = Knob("learning_rate", 0.01, 1.0, log=True)
THREE_RATES = Knob("learning_rate", 0.01, 1.0, log=True, values=(0.01, 0.1, 1.0))
Truth = Callable[[Configuration], float]
START = 7  # trials before the model proposes: C, channels, depth, share, the rate, and two more


@cache
def middle_set() -> FeasibleSet:
    """Some hundred architectures."""
    return tiny_study(
        "axes.blocks={min: 1, max: 4}", "axes.cardinality=[1, 2, 3, 4, 6, 8]", "budget.tolerance=15%"
    ).feasible_set()


def valley(configuration: Configuration) -> float:
    """An error in percent, lowest for many groups at a learning rate that falls with the depth, and made up."""
    architecture, rate = configuration.architecture, dict(configuration.knobs)["learning_rate"]
    best_rate = 0.3 * (8 / architecture.depth) ** 1.5
    off = math.log10(rate / best_rate)
    groups = math.log2(architecture.cardinality)
    return 12 - 2.2 * groups + 0.5 * groups**2 + 0.15 * architecture.width + 9 * off**2 + 0.8 * abs(off)


def tiny_optimizer(seed: int = 0, knob: Knob = LEARNING_RATE, **more: object) -> Optimizer:
    return Optimizer(tiny_set(), [knob], ["validation_error"], seed, **more)  # type: ignore[arg-type]


def ax_of(optimizer: Optimizer) -> AxMethod:
    """What holds the model."""
    method = optimizer._methods["ax"]
    assert isinstance(method, AxMethod)
    return method


def problems_of(optimizer: Optimizer, monkeypatch: pytest.MonkeyPatch) -> list[AcquisitionProblem]:
    """What the model will be asked."""
    seen: list[AcquisitionProblem] = []
    choose = ax_of(optimizer).choose

    def watched(problem: AcquisitionProblem) -> int:
        seen.append(problem)
        return choose(problem)

    monkeypatch.setattr(ax_of(optimizer), "choose", watched)
    return seen


def drive(optimizer: Optimizer, trials: int, truth: Truth = valley) -> list[Proposal]:
    """One trial after the other."""
    made = []
    for _ in range(trials):
        for proposal in optimizer.ask():
            optimizer.tell(proposal.proposal_id, {"validation_error": truth(proposal.configuration)})
            made.append(proposal)
    return made
