"""The optimizer: inside the band, and the same again from the same seed.

What it is told: `test_optimizer_reports.py`, and of stopped trials `test_optimizer_stopped.py`; after a break or many
trials: `test_optimizer_replay.py`; how well it searches: `test_optimizer_against_random.py`.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from resnext_search.search.optimizer.optimizer import Optimizer, Proposal
from resnext_search.search.optimizer.state import AcquisitionProblem
from resnext_search.spaces import Configuration
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import tiny_study
from tests.support.journals import tiny_set
from tests.support.optimizers import START, THREE_RATES, ax_of, drive, tiny_optimizer, valley


@pytest.fixture(scope="module")
def driven() -> tuple[Optimizer, list[Proposal]]:
    optimizer = tiny_optimizer()
    return optimizer, drive(optimizer, 14)


# ------------------------------------------------------------------ what is proposed


def test_a_space_filling_start_of_two_trials_more_than_parameters_then_the_model(
    driven: tuple[Optimizer, list[Proposal]],
) -> None:
    _, made = driven
    assert [proposal.proposed_by for proposal in made] == ["sobol"] * START + ["ax"] * (14 - START)
    assert [proposal.proposal_id for proposal in made] == list(range(14))


def test_every_proposal_lies_in_the_feasible_set_and_is_new(driven: tuple[Optimizer, list[Proposal]]) -> None:
    _, made = driven
    assert all(proposal.configuration.architecture in tiny_set() for proposal in made)
    assert len({proposal.configuration for proposal in made}) == len(made)


def test_the_same_seed_and_reports_give_the_same_proposals(driven: tuple[Optimizer, list[Proposal]]) -> None:
    _, made = driven
    torch.manual_seed(123)  # what others draw in between changes nothing
    np.random.seed(123)
    assert drive(tiny_optimizer(), START + 2) == made[: START + 2]
    assert drive(tiny_optimizer(seed=1), 3) != made[:3]


def test_asking_leaves_the_random_numbers_of_others_alone() -> None:
    optimizer = tiny_optimizer()
    drive(optimizer, START)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    assert optimizer.ask()[0].proposed_by == "ax"
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("threads", [1, 2])
def test_proposals_do_not_depend_on_the_number_of_threads(
    driven: tuple[Optimizer, list[Proposal]], threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    optimizer, used = tiny_optimizer(), []
    choose = ax_of(optimizer).choose

    def watched(problem: AcquisitionProblem) -> int:
        used.append(torch.get_num_threads())
        return choose(problem)

    monkeypatch.setattr(ax_of(optimizer), "choose", watched)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        assert drive(optimizer, START + 2) == driven[1][: START + 2]
        assert used == [1, 1]  # all cores train: a second thread would only wait for them
        assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)


def test_the_model_finds_the_valley(driven: tuple[Optimizer, list[Proposal]]) -> None:
    _, made = driven
    errors = [valley(proposal.configuration) for proposal in made]
    assert min(errors[START:]) < min(errors[:START])


def test_the_space_filling_method_never_asks_a_model() -> None:
    made = drive(tiny_optimizer(method="sobol"), 12)
    assert {proposal.proposed_by for proposal in made} == {"sobol"}
    assert made[:START] == drive(tiny_optimizer(), START)  # the same design as the start of the other method


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(UsageError, match="method 'grid' is unknown; there are ax"):
        tiny_optimizer(method="grid")


def test_equal_errors_give_no_model_and_the_design_goes_on() -> None:
    made = drive(tiny_optimizer(), 10, truth=lambda _: 90.0)
    assert {proposal.proposed_by for proposal in made} == {"sobol"}


@pytest.mark.parametrize("scale", [1e-6, 1e-3, 1.0])
def test_the_scale_of_the_errors_does_not_matter_to_the_model(scale: float) -> None:
    made = drive(tiny_optimizer(), START + 2, truth=lambda configuration: scale * valley(configuration))
    assert [proposal.proposed_by for proposal in made[START:]] == ["ax"] * 2


# ------------------------------------------------------------------ trials that run


def test_eight_proposals_at_once_are_eight_different_ones() -> None:
    optimizer = tiny_optimizer()
    drive(optimizer, 8)
    batch = optimizer.ask(8)
    assert [proposal.proposed_by for proposal in batch] == ["ax"] * 8
    assert len({proposal.configuration for proposal in batch}) == 8


def test_a_running_trial_is_expected_to_end_as_predicted_and_its_surroundings_gain_less() -> None:
    """The second of a pair is another than what would be asked if the first had not been: and lies farther off."""
    optimizer = tiny_optimizer()
    drive(optimizer, 8)
    first, second = optimizer.ask(2)
    pool = optimizer.pool
    points = pool.coordinates(np.array([pool.find(one.configuration) for one in (first, second)]))
    grid_step = 1 / 30  # of the learning rate; the nearest other candidate is that far off
    assert np.abs(points[0] - points[1]).max() > 1.5 * grid_step


def test_the_order_in_which_running_trials_end_does_not_matter() -> None:
    one, other = tiny_optimizer(), tiny_optimizer()
    batches = one.ask(9), other.ask(9)
    assert batches[0] == batches[1]
    for optimizer, order in ((one, range(9)), (other, (4, 8, 0, 2, 6, 1, 7, 3, 5))):
        for number in order:
            optimizer.tell(number, {"validation_error": valley(batches[0][number].configuration)})
    assert one.ask(2) == other.ask(2)


# ------------------------------------------------------------------ small pools


def test_an_exhausted_pool_gives_fewer_proposals_and_then_none() -> None:
    optimizer = tiny_optimizer(knob=THREE_RATES)
    made = drive(optimizer, 20)
    assert made[-1].proposed_by == "ax"
    made += optimizer.ask(10)
    assert len(made) == len({proposal.configuration for proposal in made}) == 8 * 3
    assert optimizer.ask() == []


def test_one_candidate_is_proposed_once() -> None:
    only = tiny_study("axes.cardinality=[4]").feasible_set()
    optimizer = Optimizer(only, [], ["validation_error"], seed=0)
    assert len(only) == 1
    made = drive(optimizer, 3, truth=lambda _: 5.0)
    assert [proposal.configuration for proposal in made] == [Configuration(only[0])]


@pytest.mark.parametrize("number", [0, -1])
def test_asking_for_none_gives_none(number: int) -> None:
    assert tiny_optimizer().ask(number) == []
