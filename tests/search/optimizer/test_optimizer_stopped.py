"""The optimizer is told of trials that were stopped early: it learns from them, and never chooses one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from resnext_search.search.optimizer.optimizer import Optimizer, Proposal
from resnext_search.search.surrogate.learning_curves import Curve, Stopped

from tests.support.optimizers import ax_of, drive, problems_of, tiny_optimizer, valley


def curve_to(error: float) -> Curve:
    """Three epochs; after the first it errs 40 points and a tenth more than in the end."""
    return Curve((1.1 * error + 40, 1.05 * error + 20, error))


def tell_some_stopped(optimizer: Optimizer, made: Sequence[Proposal]) -> None:
    """The first three complete, and then every third: the others are stopped after one epoch."""
    for proposal in made:
        error = valley(proposal.configuration)
        if proposal.proposal_id % 3 and proposal.proposal_id > 2:
            optimizer.tell(proposal.proposal_id, Stopped(1, curve_to(error).errors[0]))
        else:
            optimizer.tell(proposal.proposal_id, {"validation_error": error}, curve_to(error))


def with_some_stopped(trials: int) -> tuple[Optimizer, list[Proposal]]:
    optimizer, made = tiny_optimizer(), []
    for _ in range(trials):
        made += optimizer.ask()
        tell_some_stopped(optimizer, made[-1:])
    return optimizer, made


def test_a_stopped_trial_is_told_to_the_model_as_an_estimate_that_is_less_certain() -> None:
    optimizer, made = with_some_stopped(14)
    optimizer.ask()
    errors = np.array([valley(proposal.configuration) for proposal in made])
    stopped = np.array([number % 3 > 0 and number > 2 for number in range(14)])
    numbers, told = optimizer._state.observe()
    assert numbers == list(range(14))
    assert isinstance(told.variances, np.ndarray)
    assert (told.variances > 0).tolist() == stopped.tolist()
    np.testing.assert_allclose(told.errors, errors, atol=1e-6)  # the curves above lie on one line
    process = ax_of(optimizer).surrogate.process()
    assert (process.variances > 0).tolist() == stopped.tolist()


def test_what_was_stopped_is_not_proposed_again() -> None:
    optimizer, made = with_some_stopped(12)
    optimizer.ask()
    optimizer.tell(12, Stopped(1, 0.0))  # better than anything, if one believed it
    made += optimizer.ask(200)
    assert len({proposal.configuration for proposal in made}) == len(made)


def test_a_replay_with_stopped_trials_proposes_the_same_to_the_last_bit() -> None:
    first, made = with_some_stopped(12)
    replay = tiny_optimizer()
    for proposal in made:
        replay.attach(proposal.configuration, proposal.proposed_by)
    tell_some_stopped(replay, made[::-1])
    assert replay.ask() == first.ask()
    models = [ax_of(optimizer).surrogate.state_dict() for optimizer in (first, replay)]
    assert all(torch.equal(value, models[1][name]) for name, value in models[0].items())


def test_before_any_curve_is_known_a_stopped_trial_counts_as_running(monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer = tiny_optimizer()
    seen = problems_of(optimizer, monkeypatch)
    made = drive(optimizer, 9)  # without curves
    made += optimizer.ask()
    optimizer.tell(9, Stopped(1, 60.0))
    made += optimizer.ask()
    assert [len(problem.pending_features) for problem in seen] == [0, 0, 0, 1]
    assert len({proposal.configuration for proposal in made}) == 11
