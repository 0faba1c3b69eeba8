"""The optimizer: inside the band, the same again from the same seed, and what it has found.

What it is told: `test_optimizer_reports.py`, and of stopped trials `test_optimizer_stopped.py`; how well it searches:
`test_optimizer_against_random.py`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from resnext_search.search.band import Choice
from resnext_search.search.optimizer import Failure, Optimizer, Proposal
from resnext_search.search.pool import Pool
from resnext_search.spaces import Architecture, Configuration, FeasibleSet
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.knobs import Knob

from tests.helpers import tiny_study

LEARNING_RATE = Knob("learning_rate", 0.01, 1.0, log=True)
THREE_RATES = Knob("learning_rate", 0.01, 1.0, log=True, values=(0.01, 0.1, 1.0))
Truth = Callable[[Configuration], float]
START = 7  # trials before the model proposes: C, channels, depth, share, the rate, and two more


@cache
def tiny_set() -> FeasibleSet:
    """Eight architectures."""
    return tiny_study().feasible_set()


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


def drive(optimizer: Optimizer, trials: int, truth: Truth = valley) -> list[Proposal]:
    """One trial after the other."""
    made = []
    for _ in range(trials):
        for proposal in optimizer.ask():
            optimizer.tell(proposal.proposal_id, {"validation_error": truth(proposal.configuration)})
            made.append(proposal)
    return made


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
    choose = optimizer._generator.choose

    def watched(choice: Choice) -> int:
        used.append(torch.get_num_threads())
        return choose(choice)

    monkeypatch.setattr(optimizer._generator, "choose", watched)
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
    places = pool.units(np.array([pool.find(one.configuration) for one in (first, second)]))
    grid_step = 1 / 30  # of the learning rate; the nearest other candidate is that far off
    assert np.abs(places[0] - places[1]).max() > 1.5 * grid_step


def test_the_order_in_which_running_trials_end_does_not_matter() -> None:
    one, other = tiny_optimizer(), tiny_optimizer()
    batches = one.ask(9), other.ask(9)
    assert batches[0] == batches[1]
    for optimizer, order in ((one, range(9)), (other, (4, 8, 0, 2, 6, 1, 7, 3, 5))):
        for number in order:
            optimizer.tell(number, {"validation_error": valley(batches[0][number].configuration)})
    assert one.ask(2) == other.ask(2)


# ------------------------------------------------------------------ a study that continues


def test_a_replay_proposes_what_the_first_run_would_have_proposed() -> None:
    """With a failure, and trials that were running, as after kill -9: equal to the last bit."""
    first = tiny_optimizer()
    made = drive(first, 9)
    made += first.ask(3)
    first.tell(10, Failure("WorkerLost"))

    replay = tiny_optimizer()
    for proposal in made:
        attached = replay.attach(Configuration.from_json(proposal.configuration.to_json()), proposal.proposed_by)
        assert attached == proposal
        if proposal.proposal_id < 9:
            replay.tell(proposal.proposal_id, {"validation_error": valley(proposal.configuration)})
        elif proposal.proposal_id == 10:
            replay.tell(10, Failure("WorkerLost"))

    for _ in range(2):
        assert replay.ask() == first.ask()
        models = [optimizer._generator.surrogate.state_dict() for optimizer in (first, replay)]
        assert all(torch.equal(value, models[1][name]) for name, value in models[0].items())
    for optimizer in (first, replay):
        optimizer.tell(9, {"validation_error": 3.0})
    assert replay.ask() == first.ask()


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        (
            Configuration(Architecture(2, (5, 8), (1, 1)), (("learning_rate", 0.1),)),
            "Architecture(cardinality=2, group_widths=(5, 8), blocks=(1, 1)) is not in the feasible set",
        ),
        (
            Configuration(Architecture(2, (4, 8), (1, 1)), (("learning_rate", 0.11),)),
            "Configuration(architecture=Architecture(cardinality=2, group_widths=(4, 8), blocks=(1, 1)), "
            "knobs=(('learning_rate', 0.11),)) is not on the grid of knobs",
        ),
    ],
)
def test_what_lies_outside_the_band_or_off_the_grid_cannot_be_attached(
    configuration: Configuration, message: str
) -> None:
    optimizer = tiny_optimizer()
    with pytest.raises(UsageError) as caught:
        optimizer.attach(configuration, "ax")
    assert str(caught.value) == message
    assert optimizer.ask()[0].proposal_id == 0  # nothing was taken in


def test_a_replay_in_another_order_of_ends_fits_the_same_also_where_fits_are_rare() -> None:
    """At 115 trials the hyperparameters are those of the first 110: of the first proposed, not of the first ended."""
    pool = Pool(middle_set(), [LEARNING_RATE])
    candidates = np.random.default_rng(0).choice(len(pool), 120, replace=False)
    first, replay = (Optimizer(middle_set(), [LEARNING_RATE], ["validation_error"], 0) for _ in range(2))
    ended = np.random.default_rng(1).permutation(115)
    for optimizer in (first, replay):
        for candidate in candidates:
            optimizer.attach(pool.configuration(int(candidate)), "ax")
    for count, number in enumerate(ended):
        first.tell(int(number), {"validation_error": valley(pool.configuration(int(candidates[number])))})
        if count > 110:
            first.ask()
    for number in range(115):
        replay.tell(number, {"validation_error": valley(pool.configuration(int(candidates[number])))})
    for proposal in range(120, len(first._candidates)):
        replay.attach(pool.configuration(first._candidates[proposal]), "ax")
    assert first.ask(2) == replay.ask(2)
    assert first.chosen() == replay.chosen()
    assert first.effects() == replay.effects()


# ------------------------------------------------------------------ failures


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
    seen = []
    optimizer = tiny_optimizer()
    choose = optimizer._generator.choose

    def watched(choice: Choice) -> int:
        seen.append(len(choice.failed_places))
        return choose(choice)

    monkeypatch.setattr(optimizer._generator, "choose", watched)
    monkeypatch.setattr("resnext_search.search.optimizer.FAILURES_MODELLED", 2)
    drive(optimizer, 9)
    for _ in range(4):
        optimizer.tell(optimizer.ask()[0].proposal_id, Failure("RuntimeError"))
    assert seen[-4:] == [0, 1, 2, 2]


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


# ------------------------------------------------------------------ what was found


def test_before_anything_was_told_nothing_is_chosen_and_nothing_learned() -> None:
    optimizer = tiny_optimizer()
    assert (optimizer.chosen(), optimizer.effects()) == (None, [])
    optimizer.ask()
    optimizer.tell(0, Failure("RuntimeError"))
    assert (optimizer.chosen(), optimizer.effects()) == (None, [])


def test_equal_errors_choose_the_first_and_teach_nothing() -> None:
    optimizer = tiny_optimizer()
    drive(optimizer, 3, truth=lambda _: 50.0)
    assert (optimizer.chosen(), optimizer.effects()) == (0, [])


def test_what_is_chosen_is_better_than_the_lucky_trial_with_the_lowest_error() -> None:
    """Of 60 random trials told with a noise of 1.5 points, over 60 seeds: a tenth nearer to the best on average."""
    pool = Pool(middle_set(), [LEARNING_RATE])
    by_model, by_luck = [], []
    for seed in range(60):
        generator = np.random.default_rng(seed)
        optimizer = Optimizer(middle_set(), [LEARNING_RATE], ["validation_error"], seed)
        made = [
            optimizer.attach(pool.configuration(int(candidate)), "ax")
            for candidate in generator.choice(len(pool), 60, replace=False)
        ]
        truths = np.array([valley(proposal.configuration) for proposal in made])
        errors = truths + generator.normal(0, 1.5, len(truths))
        for proposal, error in zip(made, errors.tolist(), strict=True):
            optimizer.tell(proposal.proposal_id, {"validation_error": error})
        chosen = optimizer.chosen()
        assert chosen is not None
        by_model.append(truths[chosen] - truths.min())
        by_luck.append(truths[errors.argmin()] - truths.min())
    assert np.mean(by_model) < 0.9 * np.mean(by_luck)


def test_to_ask_what_was_found_changes_no_proposal(driven: tuple[Optimizer, list[Proposal]]) -> None:
    optimizer, made = driven[0], driven[1]
    asked = tiny_optimizer()
    drive(asked, 10)
    assert asked.chosen() is not None
    rows = asked.effects()
    assert {(row.axis, row.value) for row in rows} == {
        *(("cardinality", value) for value in (1, 2, 4)),
        *(("depth", value) for value in (8, 11, 14)),
        *(("width", value) for value in (2, 3, 4, 5, 6)),
    }
    assert drive(asked, 4) == made[10:14]
    assert optimizer.chosen() == asked.chosen()


# ------------------------------------------------------------------ many trials


@pytest.mark.slow
def test_ten_thousand_trials_and_a_hundred_thousand_architectures_still_work() -> None:
    """A proposal takes 1 s or so of one core; 30 s are allowed, since other tests may be running."""
    space = tiny_study(
        "template.planes=32",
        "template.stages=3",
        "budget={like: {cardinality: 2, width: 32, blocks: [4, 4, 4]}, tolerance: 30%}",
        "axes.cardinality=[1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16]",
        "axes.blocks={min: 1, max: 12}",
        "axes.width={min: 1, max: 256}",
    ).feasible_set()
    assert len(space) > 30_000
    optimizer = Optimizer(space, [LEARNING_RATE], ["validation_error"], seed=0)
    candidates = np.random.default_rng(0).choice(len(optimizer.pool), 10_000, replace=False)
    for candidate in candidates:
        configuration = optimizer.pool.configuration(int(candidate))
        proposal = optimizer.attach(configuration, "ax")
        optimizer.tell(proposal.proposal_id, {"validation_error": valley(configuration)})
    begun = time.process_time()
    [proposal] = optimizer.ask()
    assert time.process_time() - begun < 30
    assert proposal.proposed_by == "ax"
    assert valley(proposal.configuration) < np.quantile(
        [valley(optimizer.pool.configuration(int(candidate))) for candidate in candidates], 0.01
    )


# ------------------------------------------------------------------ what is relied on in Ax


@pytest.mark.parametrize(
    "knobs", [[LEARNING_RATE], [], [LEARNING_RATE, Knob("batch_size", 16, 64, log=True, values=(16, 32, 64))]]
)
def test_ax_fits_its_model_to_the_places_of_the_pool(knobs: list[Knob]) -> None:
    """To the last bit: nothing between the pool and the model moves a place."""
    optimizer = Optimizer(tiny_set() if knobs else middle_set(), knobs, ["validation_error"], seed=3)

    def truth(configuration: Configuration) -> float:
        return valley(Configuration(configuration.architecture, (("learning_rate", 0.1), *configuration.knobs)))

    made = drive(optimizer, optimizer.initial + 1, truth)
    places = observed_by_ax(optimizer)[0]
    pool = optimizer.pool
    expected = pool.places(np.array([pool.find(proposal.configuration) for proposal in made[:-1]]))
    np.testing.assert_array_equal(places, expected)


def test_ax_is_told_the_errors_themselves_so_that_less_is_better(driven: tuple[Optimizer, list[Proposal]]) -> None:
    optimizer, made = driven
    outcomes = observed_by_ax(optimizer)[1]
    errors = np.array([valley(proposal.configuration) for proposal in made[: len(outcomes)]])
    assert np.argsort(outcomes, kind="stable").tolist()[:5] == np.argsort(errors, kind="stable").tolist()[:5]
    assert outcomes.mean() == pytest.approx(0, abs=1e-9)


def observed_by_ax(optimizer: Optimizer) -> tuple[np.ndarray, np.ndarray]:
    """The places and standardized outcomes that Ax's last model was fitted to."""
    [dataset] = optimizer._generator.generator.surrogate.training_data
    return dataset.X.numpy(), dataset.Y.numpy().ravel()
