"""What the optimizer is told: each kind of bad report is refused and changes nothing, or is taken as documented."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from resnext_search.search.optimizer.optimizer import Failure, Optimizer, Proposal
from resnext_search.spaces import Configuration
from resnext_search.spaces.errors import UsageError

from tests.support.journals import tiny_set
from tests.support.optimizers import START, drive, tiny_optimizer, valley

FAILED, RUNNING = START, START + 1
GOOD = {"validation_error": 5.0}


def told_optimizer() -> Optimizer:
    """Seven results, a failure, and a proposal that runs: the next one is the model's."""
    optimizer = tiny_optimizer()
    drive(optimizer, START)
    optimizer.ask(2)
    optimizer.tell(FAILED, Failure("RuntimeError"))
    return optimizer


@pytest.fixture(scope="module")
def undisturbed() -> list[Proposal]:
    """What is proposed next when nothing bad was told, and after the running trial has ended."""
    optimizer = told_optimizer()
    first = optimizer.ask()
    optimizer.tell(RUNNING, GOOD)
    return [*first, *optimizer.ask()]


@pytest.mark.parametrize(
    ("proposal_id", "outcome", "message"),
    [
        (RUNNING + 1, GOOD, "proposal 9: unknown; 9 were made"),
        (-1, GOOD, "proposal -1: unknown; 9 were made"),
        ("zero", GOOD, "proposal zero: unknown; 9 were made"),
        (0, GOOD, "proposal 0: told before"),
        (0, Failure("ValueError"), "proposal 0: told before"),
        (FAILED, GOOD, "proposal 7: told before"),
        (FAILED, Failure("ValueError"), "proposal 7: told before"),
    ],
)
def test_a_report_of_the_wrong_proposal_is_refused_and_changes_nothing(
    undisturbed: list[Proposal], proposal_id: Any, outcome: dict[str, float] | Failure, message: str
) -> None:
    assert refused(undisturbed, proposal_id, outcome) == (message, "")


@pytest.mark.parametrize(
    ("outcome", "found"),
    [
        ({"validation_error": math.nan}, "nan"),
        ({"validation_error": math.inf}, "inf"),
        ({"validation_error": -math.inf}, "-inf"),
        ({"validation_error": None}, "missing"),
        ({"validation_error": "five"}, "'five'"),
        ({"validation_error": True}, "True"),
        ({"validation_error": 5 + 0j}, "(5+0j)"),
        ({"validation_error": (5.0, 0.1)}, "(5.0, 0.1)"),
        ({"validation_error": np.array([5.0])}, "array([5.])"),
        ({"validation_error": 10**400}, str(10**400)),  # a whole number that no float holds
        ({"accuracy": 95.0}, "missing"),
        ({}, "missing"),
        (None, "missing"),
        (5.0, "missing"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_report_without_a_finite_error_is_refused_and_changes_nothing(
    undisturbed: list[Proposal], outcome: Any, found: str
) -> None:
    assert refused(undisturbed, RUNNING, outcome) == (
        f"proposal 8: validation_error is {found}; a percentage from 0 to 100 is needed",
        "Tell a Failure instead.",
    )


def refused(undisturbed: list[Proposal], proposal_id: Any, outcome: Any) -> tuple[str, str]:
    """Message and hint of a report that is refused; the next proposals are what they are without it."""
    optimizer = told_optimizer()
    with pytest.raises(UsageError) as caught:
        optimizer.tell(proposal_id, outcome)
    first = optimizer.ask()
    optimizer.tell(RUNNING, GOOD)
    assert [*first, *optimizer.ask()] == undisturbed
    return str(caught.value), caught.value.hint


@pytest.mark.parametrize(
    "more",
    [
        {"validation_error_sem": 0.3},  # of some trials and not of others
        {"train_loss": math.nan, "accuracy": "high", "validation_error_sem": None},
    ],
)
def test_whatever_else_is_told_of_some_trials_is_ignored(more: dict[str, Any]) -> None:
    optimizer, made = tiny_optimizer(), []
    for number in range(START + 3):
        [proposal] = optimizer.ask()
        made.append(proposal)
        error = {"validation_error": valley(proposal.configuration)}
        optimizer.tell(proposal.proposal_id, error | more if number % 2 else error)
    assert made == drive(tiny_optimizer(), START + 3)


@pytest.mark.parametrize("number", [np.float64(5.0), np.float32(5.0), np.int64(5), 5])
def test_numbers_of_any_kind_are_taken(undisturbed: list[Proposal], number: Any) -> None:
    optimizer = told_optimizer()
    assert optimizer.ask() == undisturbed[:1]
    optimizer.tell(RUNNING, {"validation_error": number})
    assert optimizer.ask() == undisturbed[1:]


@pytest.mark.parametrize(
    "truth",
    [
        lambda configuration: 100.0 if valley(configuration) > 14 else valley(configuration),
        lambda configuration: 0.0 if valley(configuration) < 14 else valley(configuration),
        lambda configuration: 1e-310 * valley(configuration),
        lambda configuration: 100 - 1e-9 * valley(configuration),
    ],
    ids=["many at 100 %", "many at 0 %", "next to nothing", "next to the same"],
)
def test_errors_at_the_ends_of_the_range_leave_the_proposals_inside_the_band(
    truth: Callable[[Configuration], float],
) -> None:
    optimizer = tiny_optimizer()
    made = drive(optimizer, START + 4, truth)
    assert [proposal.proposed_by for proposal in made[START:]] == ["ax"] * 4
    assert all(proposal.configuration.architecture in tiny_set() for proposal in made)
    assert len({proposal.configuration for proposal in made}) == len(made)
