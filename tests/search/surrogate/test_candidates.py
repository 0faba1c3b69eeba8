"""The pool of candidates: all of the band, and nothing else."""

from __future__ import annotations

from importlib.resources import as_file, files
from itertools import product

import numpy as np
import pytest
from resnext_search.search.surrogate.candidates import GRID_POINTS, SCORED_AT_ONCE, Candidates
from resnext_search.spaces import (
    Architecture,
    Band,
    Configuration,
    FeasibleSet,
    Template,
    enumerate_feasible,
    load_study,
)
from resnext_search.spaces.search_space.axes import Axes
from resnext_search.spaces.search_space.knobs import KNOBS, Knob

from tests.support.helpers import tiny_study

LEARNING_RATE = Knob("learning_rate", 0.01, 1.0, log=True)
BATCH_SIZE = Knob("batch_size", 32, 128, log=True, values=(32, 64, 128))
NOTHING = np.array([], dtype=np.int64)


@pytest.fixture(scope="module")
def feasible() -> FeasibleSet:
    return tiny_study().feasible_set()


@pytest.fixture(scope="module")
def pool(feasible: FeasibleSet) -> Candidates:
    return Candidates(feasible, [LEARNING_RATE])


def one_architecture() -> FeasibleSet:
    """1x6d-8 alone."""
    return enumerate_feasible(
        Template(planes=4, stages=2, resolution=8, stride=2, channels=1),
        Axes((1,), (6,), ((1, 1),)),
        Band(22_000, 0.02),
    )


def test_there_is_a_candidate_for_each_architecture_and_grid_point(pool: Candidates, feasible: FeasibleSet) -> None:
    assert len(pool) == len(feasible) * GRID_POINTS[1] == 8 * 31
    made = {pool.configuration(candidate) for candidate in range(len(pool))}
    grid = LEARNING_RATE.grid(31).tolist()
    assert made == {Configuration(one, (("learning_rate", rate),)) for one, rate in product(feasible, grid)}


def test_every_candidate_lies_in_the_feasible_set_and_is_found_by_its_configuration(
    pool: Candidates, feasible: FeasibleSet
) -> None:
    for candidate in range(len(pool)):
        configuration = pool.configuration(candidate)
        assert configuration.architecture in feasible
        assert pool.find(configuration) == candidate
        assert pool.find(Configuration.from_json(configuration.to_json())) == candidate


@pytest.mark.parametrize(
    "knobs", [[], [LEARNING_RATE], [BATCH_SIZE], [LEARNING_RATE, BATCH_SIZE, Knob("momentum", 0.5, 0.95)]]
)
def test_candidates_fill_the_unit_cube_to_its_sides(feasible: FeasibleSet, knobs: list[Knob]) -> None:
    pool = Candidates(feasible, knobs)
    coordinates = pool.coordinates(np.arange(len(pool)))
    assert coordinates.shape == (len(pool), len(pool.coordinate_names))
    np.testing.assert_allclose(coordinates.min(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(coordinates.max(axis=0), 1, atol=1e-12)
    assert len(np.unique(coordinates, axis=0)) == len(
        pool
    )  # no two candidates at one point: the model could not tell them


def test_coordinates_are_those_of_the_parameters_by_hand(pool: Candidates) -> None:
    """4x2d-11 with blocks 2, 1: the highest of log C, the lowest of log d, blocks 2 of 1..2 and 1 of 1..2."""
    candidate = pool.find(Configuration(Architecture(4, (2, 3), (2, 1)), (("learning_rate", 0.1),)))
    assert pool.coordinate_names == ("cardinality", "width", "blocks_1", "blocks_2", "learning_rate")
    assert pool.coordinates(np.array([candidate]))[0].tolist() == pytest.approx([1.0, 0.0, 1.0, 0.0, 0.5])


def test_axes_that_do_not_vary_are_no_parameters() -> None:
    axes = Axes((1,), (4, 5, 6), ((1, 1), (1, 2)))
    space = enumerate_feasible(
        Template(planes=4, stages=2, resolution=8, stride=2, channels=1), axes, Band(22_000, 0.05)
    )
    assert {(one.cardinality, one.width, one.blocks) for one in space} == {(1, 6, (1, 1)), (1, 5, (1, 2))}
    assert Candidates(space, []).coordinate_names == ("width", "blocks_2")


def test_a_fixed_resnet_is_searched_over_its_recipe_alone() -> None:
    pool = Candidates(one_architecture(), [LEARNING_RATE, BATCH_SIZE])
    assert pool.coordinate_names == ("learning_rate", "batch_size")
    assert len(pool) == 31 * 3
    assert pool.coordinates(np.arange(3)).tolist() == [[0.0, 0.0], [0.0, 0.5], [0.0, 1.0]]


def test_a_pool_of_one_candidate_has_no_parameters() -> None:
    pool = Candidates(one_architecture(), [])
    assert len(pool) == 1
    assert pool.coordinate_names == ()
    assert pool.coordinates(np.array([0])).shape == (1, 0)
    assert pool.feature_names == ()
    assert pool.features(np.array([0])).shape == (1, 0)
    assert pool.find(pool.configuration(0)) == 0


# ------------------------------------------------------------------ what the model is told of a candidate


def test_features_are_those_of_the_features_by_hand(pool: Candidates, feasible: FeasibleSet) -> None:
    """4x2d-11 with blocks 2, 1: C of 1..4, 3x3 of 8 channels of 4..8, and one or two blocks a stage."""
    assert pool.feature_names == ("cardinality", "channels", "blocks_1", "blocks_2", "learning_rate")
    candidate = pool.find(Configuration(Architecture(4, (2, 3), (2, 1)), (("learning_rate", 0.1),)))
    assert pool.features(np.array([candidate]))[0].tolist() == pytest.approx([1.0, 1.0, 1.0, 0.0, 0.5])


def test_features_fill_the_unit_cube_to_its_sides_and_no_two_are_one(pool: Candidates) -> None:
    features = pool.features(np.arange(len(pool)))
    np.testing.assert_allclose(features.min(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(features.max(axis=0), 1, atol=1e-12)
    assert len(np.unique(features, axis=0)) == len(pool)


@pytest.mark.parametrize("name", ["fixed_flops", "cifar10", "imagenet", "fashion_mnist_spend", "fashion_mnist_trade"])
def test_the_model_can_tell_all_architectures_of_the_shipped_studies_apart(name: str) -> None:
    with as_file(files("resnext_search.spaces") / f"{name}.yaml") as path:
        feasible = load_study(path).feasible_set()
    features = Candidates(feasible, []).features(np.arange(len(feasible)))
    assert len(np.unique(features.round(9), axis=0)) == len(feasible)


def test_a_configuration_has_the_features_of_its_candidate(feasible: FeasibleSet) -> None:
    pool = Candidates(feasible, [LEARNING_RATE, BATCH_SIZE])
    candidates = np.arange(len(pool))
    features = pool.features_of([pool.configuration(candidate) for candidate in range(len(pool))])
    np.testing.assert_array_equal(features, pool.features(candidates))


def test_what_is_no_candidate_has_features_too_outside_the_cube_or_between(
    pool: Candidates, feasible: FeasibleSet
) -> None:
    wide = Architecture(2 * int(feasible.cardinality.max()), (6, 12), (1, 1))
    [features] = pool.features_of([Configuration(wide, (("learning_rate", 0.0316227766),))])
    assert features[0] > 1  # the cardinality
    assert features[-1] == pytest.approx(0.25)  # a quarter of the way from 0.01 to 1, on a log scale


def test_the_model_may_be_shown_something_else(feasible: FeasibleSet) -> None:
    pool = Candidates(feasible, [], lambda cardinality, width, blocks: {"blocks": blocks.sum(axis=1) / 1.0})
    assert pool.feature_names == ("blocks",)
    assert pool.features(np.arange(len(pool))).ravel().tolist() == pytest.approx(
        (
            (feasible.blocks.sum(axis=1) - feasible.blocks.sum(axis=1).min()) / np.ptp(feasible.blocks.sum(axis=1))
        ).tolist()
    )


def test_features_that_do_not_vary_or_repeat_another_are_left_out() -> None:
    assert Candidates(one_architecture(), [LEARNING_RATE, BATCH_SIZE]).feature_names == ("learning_rate", "batch_size")
    uniform = tiny_study("axes.blocks=[[1, 1], [2, 2]]").feasible_set()
    assert Candidates(uniform, []).feature_names == ("cardinality", "channels", "blocks_1")


# ------------------------------------------------------------------ configurations that are no candidates


@pytest.mark.parametrize(
    ("architecture", "knobs", "message"),
    [
        (Architecture(3, (4, 8), (1, 1)), (("learning_rate", 0.1),), "is not in the feasible set"),
        (Architecture(2, (4, 8), (1, 1)), (("learning_rate", 0.1000001),), "is not on the grid of knobs"),
        (Architecture(2, (4, 8), (1, 1)), (), r"has other knobs than \['learning_rate'\]"),
        (Architecture(2, (4, 8), (1, 1)), (("momentum", 0.1),), r"has other knobs than \['learning_rate'\]"),
        (Architecture(2, (4, 8), (1, 1)), (("learning_rate", 0.1), ("momentum", 0.9)), "has other knobs than"),
    ],
)
def test_what_is_no_candidate_is_not_found(
    pool: Candidates, architecture: Architecture, knobs: tuple[tuple[str, float], ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        pool.find(Configuration(architecture, knobs))


# ------------------------------------------------------------------ samples


def test_a_small_pool_is_scored_whole_but_for_what_was_tried(pool: Candidates) -> None:
    sample = pool.sample(np.random.default_rng(3), np.array([5, 0, 247]))
    assert sample.tolist() == [candidate for candidate in range(248) if candidate not in (0, 5, 247)]


def test_a_large_pool_is_sampled_afresh_for_every_proposal(feasible: FeasibleSet) -> None:
    knobs = [Knob(name, 0.001, 0.9) for name in ("learning_rate", "weight_decay", "momentum", "label_smoothing")]
    pool = Candidates(feasible, [*knobs, Knob("batch_size", 2, 16, values=tuple(range(2, 17)))])
    assert len(pool) == 8 * 6**4 * 15 > 2 * SCORED_AT_ONCE
    sample = pool.sample(np.random.default_rng(9), NOTHING)
    assert 0.7 * SCORED_AT_ONCE < len(sample) <= SCORED_AT_ONCE
    assert (np.diff(sample) > 0).all()
    assert 0 <= sample[0] < sample[-1] < len(pool)
    assert np.bincount(sample // (len(pool) // 8)).min() > SCORED_AT_ONCE / 16  # every architecture is among them
    np.testing.assert_array_equal(sample, pool.sample(np.random.default_rng(9), NOTHING))
    assert sample.tolist() != pool.sample(np.random.default_rng(10), NOTHING).tolist()
    assert not np.isin(sample[:9], pool.sample(np.random.default_rng(9), sample[:9])).any()


@pytest.mark.parametrize("continuous", range(6))
def test_the_grid_of_knobs_stays_small_however_many_are_searched(feasible: FeasibleSet, continuous: int) -> None:
    pool = Candidates(feasible, [Knob(name, 0.001, 0.9) for name in list(KNOBS)[:continuous]])
    assert len(pool) == 8 * GRID_POINTS[continuous] ** continuous
    assert GRID_POINTS[continuous] ** continuous <= 1_296
