"""The optimizer with latency as an objective: what it is told of it, and what it makes of it."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from resnext_search.search.optimizer.optimizer import Failure, Optimizer, Proposal
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.search.surrogate.learning_curves import Stopped
from resnext_search.spaces import Architecture, Configuration
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.search_space.knobs import Knob

from tests.support.helpers import tiny_study
from tests.support.journals import tiny_set
from tests.support.optimizers import LEARNING_RATE, START, middle_set, problems_of, valley

OBJECTIVES = ["validation_error", "latency_ms"]
GOOD = {"validation_error": 5.0, "latency_ms": 2.0}


def latency(architecture: Architecture) -> float:
    """Milliseconds, made up: a tenth for every layer, and a tenth more a doubling of the groups."""
    return 0.1 * architecture.depth * 1.1 ** math.log2(architecture.cardinality)


def report(configuration: Configuration) -> dict[str, float]:
    return {"validation_error": valley(configuration), "latency_ms": latency(configuration.architecture)}


def tiny_optimizer(seed: int = 0, **more: Any) -> Optimizer:
    return Optimizer(tiny_set(), [LEARNING_RATE], OBJECTIVES, seed, **more)


def drive(optimizer: Optimizer, trials: int) -> list[Proposal]:
    made = []
    for _ in range(trials):
        made += optimizer.ask()
        optimizer.tell(made[-1].proposal_id, report(made[-1].configuration))
    return made


# ------------------------------------------------------------------ what it is told


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, "missing"),
        (0.0, "0.0"),
        (-1.0, "-1.0"),
        (math.nan, "nan"),
        (math.inf, "inf"),
        ("fast", "'fast'"),
        (True, "True"),
        (1e13, "10000000000000.0"),  # three centuries
    ],
)
def test_a_report_without_a_latency_above_0_is_refused_and_changes_nothing(value: Any, found: str) -> None:
    optimizer, undisturbed = tiny_optimizer(), tiny_optimizer()
    for one in (optimizer, undisturbed):
        drive(one, START)
        one.ask()
    with pytest.raises(UsageError) as caught:
        optimizer.tell(START, {"validation_error": 5.0, "latency_ms": value})
    assert str(caught.value) == (
        f"proposal {START}: latency_ms is {found}; a positive number of milliseconds is needed"
    )
    assert caught.value.hint == "It is an objective: measure it, or make the optimizer without it."
    for one in (optimizer, undisturbed):
        one.tell(START, GOOD)
    assert optimizer.ask() == undisturbed.ask()


def test_of_a_bad_error_and_a_bad_latency_the_error_is_said() -> None:
    optimizer = tiny_optimizer()
    optimizer.ask()
    with pytest.raises(UsageError, match="validation_error is nan"):
        optimizer.tell(0, {"validation_error": math.nan, "latency_ms": 0.0})


@pytest.mark.parametrize("outcome", [Stopped(1, 50.0), Failure("RuntimeError")])
def test_of_a_stopped_and_of_a_failed_trial_the_latency_may_be_missing(outcome: Stopped | Failure) -> None:
    optimizer = tiny_optimizer()
    drive(optimizer, START)
    optimizer.tell(optimizer.ask()[0].proposal_id, outcome)
    assert optimizer.ask()[0].proposed_by == "ax"


@pytest.mark.parametrize("outcome", [Stopped(1, 50.0, -2.0), Failure("RuntimeError", "", -2.0)])
def test_but_not_wrong(outcome: Stopped | Failure) -> None:
    optimizer = tiny_optimizer()
    optimizer.ask()
    with pytest.raises(UsageError, match=r"latency_ms is -2\.0"):
        optimizer.tell(0, outcome)


@pytest.mark.parametrize("outcome", [Stopped(1, 50.0, 2.5), Failure("RuntimeError", "", 2.5)])
def test_what_a_stopped_or_failed_trial_took_is_learned_all_the_same(outcome: Stopped | Failure) -> None:
    optimizer = tiny_optimizer()
    [proposal] = optimizer.ask()
    optimizer.tell(0, outcome)
    assert optimizer._state.measured("latency_ms") == {tiny_set().index(proposal.configuration.architecture): 2.5}


def test_without_it_as_an_objective_a_latency_is_ignored() -> None:
    plain, told = (Optimizer(tiny_set(), [LEARNING_RATE], ["validation_error"], 0) for _ in range(2))
    for number in range(START + 1):
        [proposal], [same] = plain.ask(), told.ask()
        assert proposal == same
        error = {"validation_error": valley(proposal.configuration)}
        plain.tell(number, error)
        told.tell(number, error | {"latency_ms": -3.0})
    assert plain.ask() == told.ask()


def test_of_two_latencies_of_an_architecture_the_one_of_the_first_proposal_counts() -> None:
    optimizer = tiny_optimizer()
    for rate in (0.01, 0.1, 1.0):
        optimizer.attach(Configuration(tiny_set()[3], (("learning_rate", rate),)), "sobol")
    for number, milliseconds in ((2, 3.0), (1, 2.0), (0, 1.0)):
        optimizer.tell(number, {"validation_error": 5.0, "latency_ms": milliseconds})
        assert optimizer._state.measured("latency_ms") == {3: milliseconds}


# ------------------------------------------------------------------ what it proposes


def test_a_measured_architecture_is_known_whatever_its_learning_rate_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    optimizer = Optimizer(middle_set(), [LEARNING_RATE], OBJECTIVES, 0)
    seen = problems_of(optimizer, monkeypatch)
    made = drive(optimizer, 10)
    measured = {proposal.configuration.architecture for proposal in made[:-1]}
    candidates = np.setdiff1d(np.arange(len(optimizer.pool)), optimizer._state.candidates[:-1])
    is_measured = [optimizer.pool.configuration(int(one)).architecture in measured for one in candidates]
    assert (seen[-1].cost_deviations[:, 0] == 0).tolist() == is_measured
    assert 0 < sum(is_measured) < len(is_measured)
    slowest = seen[-1].costs.max()
    assert slowest == pytest.approx(1.0)  # shares of the slowest, known or expected
    latencies = np.array([latency(proposal.configuration.architecture) for proposal in made[:-1]])
    np.testing.assert_allclose(seen[-1].observed_costs[:, 0] / latencies, seen[-1].observed_costs[0, 0] / latencies[0])


def test_the_same_seed_and_reports_give_the_same_proposals_also_in_a_replay() -> None:
    first = tiny_optimizer()
    made = drive(first, START + 3)
    assert drive(tiny_optimizer(), START + 3) == made
    replay = tiny_optimizer()
    for proposal in made:
        replay.attach(Configuration.from_json(proposal.configuration.to_json()), proposal.proposed_by)
    for proposal in reversed(made):  # they may have ended in any order
        replay.tell(proposal.proposal_id, report(proposal.configuration))
    assert replay.ask(3) == first.ask(3)


def test_it_does_not_matter_in_what_unit_latencies_are_told() -> None:
    seconds, milliseconds = tiny_optimizer(), tiny_optimizer()
    for number in range(START + 2):
        [proposal], [same] = seconds.ask(), milliseconds.ask()
        assert proposal == same
        told = report(proposal.configuration)
        milliseconds.tell(number, told)
        seconds.tell(number, told | {"latency_ms": told["latency_ms"] / 1_024})


def test_equal_latencies_leave_the_error_to_decide() -> None:
    optimizer = tiny_optimizer()
    for number in range(START + 3):
        [proposal] = optimizer.ask()
        optimizer.tell(number, {"validation_error": valley(proposal.configuration), "latency_ms": 1.0})
    assert optimizer.ask()[0].proposed_by == "ax"


def test_one_architecture_alone_can_be_searched_too() -> None:
    optimizer = Optimizer(tiny_study("axes.cardinality=[4]").feasible_set(), [LEARNING_RATE], OBJECTIVES, 0)
    assert len({proposal.configuration for proposal in drive(optimizer, 6)}) == 6


def test_with_activations_as_a_third_objective_it_proposes_too() -> None:
    optimizer = Optimizer(tiny_set(), [LEARNING_RATE], [*OBJECTIVES, "activations"], 0)
    assert [proposal.proposed_by for proposal in drive(optimizer, START + 2)[START:]] == ["ax"] * 2


def test_a_proposal_after_a_hundred_trials_takes_hundredths_of_a_second() -> None:
    """0.05 s of CPU for 3,400 candidates on a core of an AMD EPYC; ten times that is allowed."""
    rates = Knob("learning_rate", 0.01, 1.0, log=True, values=tuple(0.01 * 10 ** (step / 24) for step in range(49)))
    pool = Candidates(middle_set(), [rates])
    assert len(pool) > 3_400
    optimizer = Optimizer(middle_set(), [rates], OBJECTIVES, 0)
    for candidate in np.random.default_rng(0).choice(len(pool), 100, replace=False):
        configuration = pool.configuration(int(candidate))
        optimizer.tell(optimizer.attach(configuration, "ax").proposal_id, report(configuration))
    optimizer.ask()
    began = time.process_time()
    optimizer.ask()
    assert time.process_time() - began < 0.5
