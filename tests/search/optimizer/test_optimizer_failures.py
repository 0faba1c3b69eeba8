"""What the optimizer makes of trials that failed."""

from __future__ import annotations

import pytest
from resnext_search.search.optimizer.optimizer import Failure
from resnext_search.spaces import Configuration

from tests.support.optimizers import START, drive, problems_of, tiny_optimizer, valley


def test_a_failed_configuration_is_not_proposed_again_and_its_surroundings_less() -> None:
    """Where everything at a high rate fails, the model stays below it."""
    optimizer = tiny_optimizer()

    def fails(configuration: Configuration) -> bool:
        return dict(configuration.knobs)["learning_rate"] > 0.2

    made = []
    for _ in range(16):
        [proposal] = optimizer.ask()
        made.append(proposal)
        if fails(proposal.configuration):
            optimizer.tell(proposal.proposal_id, Failure("TrainingDiverged", "the loss is nan"))
        else:
            optimizer.tell(proposal.proposal_id, {"validation_error": valley(proposal.configuration)})
    assert len({proposal.configuration for proposal in made}) == 16
    by_model = [proposal for proposal in made if proposal.proposed_by == "ax"]
    assert len(by_model) == 16 - START
    assert sum(fails(proposal.configuration) for proposal in by_model) <= 3


def test_failures_alone_leave_the_space_filling_design() -> None:
    optimizer = tiny_optimizer()
    for _ in range(10):
        [proposal] = optimizer.ask()
        assert proposal.proposed_by == "sobol"
        optimizer.tell(proposal.proposal_id, Failure("RuntimeError"))


def test_of_very_many_failures_the_last_are_modelled(monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer = tiny_optimizer()
    seen = problems_of(optimizer, monkeypatch)
    monkeypatch.setattr("resnext_search.search.optimizer.state.FAILURES_MODELLED", 2)
    drive(optimizer, 9)
    for _ in range(4):
        optimizer.tell(optimizer.ask()[0].proposal_id, Failure("RuntimeError"))
    assert [len(problem.failed_features) for problem in seen[-4:]] == [0, 1, 2, 2]
