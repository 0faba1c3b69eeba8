"""The optimizer of a study that continues: the same proposals, however long its journal is."""

from __future__ import annotations

import time

import numpy as np
import pytest
import torch
from resnext_search.search.optimizer.optimizer import Failure, Optimizer, Proposal
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.spaces import Architecture, Configuration
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.search_space.knobs import Knob

from tests.support.helpers import tiny_study
from tests.support.journals import tiny_set
from tests.support.optimizers import LEARNING_RATE, ax_of, drive, middle_set, tiny_optimizer, valley


@pytest.fixture(scope="module")
def driven() -> tuple[Optimizer, list[Proposal]]:
    optimizer = tiny_optimizer()
    return optimizer, drive(optimizer, 14)


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
        models = [ax_of(optimizer).surrogate.state_dict() for optimizer in (first, replay)]
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
    pool = Candidates(middle_set(), [LEARNING_RATE])
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
    for proposal in range(120, len(first._state.candidates)):
        replay.attach(pool.configuration(first._state.candidates[proposal]), "ax")
    assert first.ask(2) == replay.ask(2)


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
def test_ax_fits_its_model_to_the_features_of_the_pool(knobs: list[Knob]) -> None:
    """To the last bit: nothing between the pool and the model moves a feature."""
    optimizer = Optimizer(tiny_set() if knobs else middle_set(), knobs, ["validation_error"], seed=3)

    def truth(configuration: Configuration) -> float:
        return valley(Configuration(configuration.architecture, (("learning_rate", 0.1), *configuration.knobs)))

    made = drive(optimizer, optimizer.initial + 1, truth)
    features = observed_by_ax(optimizer)[0]
    pool = optimizer.pool
    expected = pool.features(np.array([pool.find(proposal.configuration) for proposal in made[:-1]]))
    np.testing.assert_array_equal(features, expected)


def test_ax_is_told_the_errors_themselves_so_that_less_is_better(driven: tuple[Optimizer, list[Proposal]]) -> None:
    optimizer, made = driven
    outcomes = observed_by_ax(optimizer)[1]
    errors = np.array([valley(proposal.configuration) for proposal in made[: len(outcomes)]])
    assert np.argsort(outcomes, kind="stable").tolist()[:5] == np.argsort(errors, kind="stable").tolist()[:5]
    assert outcomes.mean() == pytest.approx(0, abs=1e-9)


def observed_by_ax(optimizer: Optimizer) -> tuple[np.ndarray, np.ndarray]:
    """The features and standardized outcomes that Ax's last model was fitted to."""
    [dataset] = ax_of(optimizer).generator.surrogate.training_data
    return dataset.X.numpy(), dataset.Y.numpy().ravel()
