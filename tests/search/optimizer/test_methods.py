"""The space-filling method, and that a name of the table stands for a method."""

from __future__ import annotations

import math
from importlib.resources import as_file, files

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from resnext_search.search.optimizer.methods import Method, SobolMethod, method_named, proposal_generator, spread
from resnext_search.search.optimizer.state import SearchState
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.spaces import FeasibleSet, load_study
from resnext_search.spaces.architecture.complexity import Integers
from resnext_search.spaces.search_space.knobs import Knob
from resnext_search.spaces.search_space.methods import METHODS, START

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


@pytest.mark.parametrize("name", METHODS)
def test_every_name_of_the_table_is_a_method(name: str) -> None:
    made: Method = method_named(name)
    assert f"{type(made).__module__}:{type(made).__name__}" == METHODS[name].implementation


def test_the_start_needs_no_model() -> None:
    assert not METHODS[START].learns


def test_random_numbers_are_those_of_the_seed_and_of_the_proposal() -> None:
    draws = [proposal_generator(seed, number).random() for seed, number in ((0, 9), (0, 9), (0, 10), (1, 9))]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3


def test_the_method_takes_the_points_of_its_design_one_by_one(pool: Candidates) -> None:
    state = SearchState(pool, ["validation_error"], seed=0)
    for _ in range(len(pool)):
        state.candidates.append(SobolMethod().propose(state))
    assert sorted(state.candidates) == list(range(len(pool)))


def design(pool: Candidates, number: int, seed: int = 0) -> list[int]:
    chosen: list[int] = []
    for position in range(number):
        chosen.append(spread(pool, position, seed, np.array(chosen, dtype=np.int64)))
    return chosen


def test_a_design_takes_every_candidate_once(feasible: FeasibleSet) -> None:
    pool = Candidates(feasible, [BATCH_SIZE])
    assert sorted(design(pool, 24)) == list(range(24))


def test_a_design_is_made_of_its_seed_and_position_alone(pool: Candidates) -> None:
    assert design(pool, 9) == design(pool, 9)
    assert design(pool, 9, seed=1) != design(pool, 9)
    assert spread(pool, 8, 0, np.array(design(pool, 8))) == design(pool, 9)[8]


def farthest(pool: Candidates, some: Integers, chosen: list[int]) -> float:
    """Distance of that one of some candidates which is farthest from all chosen ones."""
    coordinates, points = pool.coordinates(some), pool.coordinates(np.array(chosen))
    return float(np.sqrt(((coordinates[:, None] - points[None]) ** 2).sum(axis=2)).min(axis=1).max())


@pytest.mark.parametrize("number", [8, 40])
def test_a_design_covers_a_real_pool_better_than_random_candidates_do(number: int) -> None:
    with as_file(files("resnext_search.spaces") / "fixed_flops.yaml") as path:
        study = load_study(path)
    pool, generator = Candidates(study.feasible_set(), study.knobs()), np.random.default_rng(0)
    some = generator.choice(len(pool), 2_000, replace=False)
    designs = [farthest(pool, some, design(pool, number, seed)) for seed in range(25)]
    random = [farthest(pool, some, generator.choice(len(pool), number, replace=False).tolist()) for _ in range(50)]
    assert np.mean(designs) < np.mean(random) - 3 * np.std(random) / math.sqrt(25)


def test_a_design_tries_every_part_of_the_learning_rate(pool: Candidates) -> None:
    """Of the first eight points of a Sobol design, two lie in each quarter of every axis."""
    rates = [dict(pool.configuration(candidate).knobs)["learning_rate"] for candidate in design(pool, 8)]
    quarters = np.floor(4 * np.log10(np.array(rates) / 0.01) / 2 * 0.9999).astype(int)
    assert np.bincount(quarters, minlength=4).min() >= 1


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), number=st.integers(0, 30))
def test_every_seed_the_study_may_have_makes_a_design(seed: int, number: int) -> None:
    pool = Candidates(tiny_study().feasible_set(), [BATCH_SIZE])
    candidate = spread(pool, number, seed, NOTHING)
    assert 0 <= candidate < len(pool)
