"""The surface of equal FLOPs: one spot for every pair of C and depth, with the prediction of its best candidate."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.search.surrogate import effects as module
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.search.surrogate.effects import effects_of, surface
from resnext_search.search.surrogate.posterior import CandidatePosterior

from tests.search.surrogate.test_effects import told
from tests.support.journals import tiny_set
from tests.support.optimizers import LEARNING_RATE


@pytest.fixture(scope="module")
def outlook() -> CandidatePosterior:
    pool = Candidates(tiny_set(), [LEARNING_RATE])
    return CandidatePosterior.after(pool, told(pool, 20))


def test_every_pair_of_the_feasible_set_has_one_spot(outlook: CandidatePosterior) -> None:
    feasible = outlook.pool.feasible
    pairs = [(spot.best.architecture.cardinality, spot.best.architecture.depth) for spot in surface(outlook, 0)]
    assert pairs == sorted(set(zip(feasible.cardinality.tolist(), feasible.depth.tolist(), strict=True)))


def test_a_spot_is_the_lowest_prediction_of_its_pair(outlook: CandidatePosterior) -> None:
    pool, belief = outlook.pool, outlook.belief
    everything = belief.expected(pool.places(np.arange(len(pool))))
    for spot in surface(outlook, 0):
        architecture = spot.best.architecture
        of_pair = (pool.feasible.cardinality == architecture.cardinality) & (pool.feasible.depth == architecture.depth)
        mine = np.repeat(of_pair, len(pool.knob_rows))
        assert spot.error == pytest.approx(everything[mine].min())


def test_the_interval_is_that_of_the_prediction_stretched(outlook: CandidatePosterior) -> None:
    spot = surface(outlook, 0)[0]
    mean, variance = outlook.belief.process.predict(outlook.pool.places_of([spot.best]))
    ends = outlook.belief.scale.errors(mean + np.array([-1, 1]) * 1.959964 * outlook.stretch * math.sqrt(variance[0]))
    assert (spot.low, spot.high) == pytest.approx(ends.tolist(), rel=1e-4)
    assert spot.low < spot.error < spot.high


def test_the_lowest_spot_is_the_best_of_the_effects(outlook: CandidatePosterior) -> None:
    lowest = min(surface(outlook, 0), key=lambda spot: spot.error)
    best = {effect.best for effect in effects_of(outlook, 0)}
    assert lowest.best in best


def test_of_many_candidates_a_part_is_predicted_and_the_same_seed_takes_the_same(
    outlook: CandidatePosterior, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = surface(outlook, 0)
    monkeypatch.setattr(module, "PREDICTED_OF_A_PLACE", 0)
    monkeypatch.setattr(module, "FEWEST", 3)
    fresh = CandidatePosterior(outlook.pool, outlook.belief, outlook.stretch)
    spots = surface(fresh, 1)
    assert spots == surface(fresh, 1)
    assert np.isfinite(fresh._mean).sum() <= 3 * len(spots)
    assert all(part.error > whole.error - 1e-6 for part, whole in zip(spots, complete, strict=True))
