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
def posterior() -> CandidatePosterior:
    pool = Candidates(tiny_set(), [LEARNING_RATE])
    return CandidatePosterior.after(pool, told(pool, 20))


def test_every_pair_of_the_feasible_set_has_one_spot(posterior: CandidatePosterior) -> None:
    feasible = posterior.pool.feasible
    pairs = [(spot.best.architecture.cardinality, spot.best.architecture.depth) for spot in surface(posterior, 0)]
    assert pairs == sorted(set(zip(feasible.cardinality.tolist(), feasible.depth.tolist(), strict=True)))


def test_a_spot_is_the_lowest_prediction_of_its_pair(posterior: CandidatePosterior) -> None:
    pool, model = posterior.pool, posterior.model
    everything = model.expected(pool.features(np.arange(len(pool))))
    for spot in surface(posterior, 0):
        architecture = spot.best.architecture
        of_pair = (pool.feasible.cardinality == architecture.cardinality) & (pool.feasible.depth == architecture.depth)
        mine = np.repeat(of_pair, len(pool.knob_rows))
        assert spot.error == pytest.approx(everything[mine].min())


def test_the_interval_is_that_of_the_prediction_widened(posterior: CandidatePosterior) -> None:
    spot = surface(posterior, 0)[0]
    mean, variance = posterior.model.process.predict(posterior.pool.features_of([spot.best]))
    ends = posterior.model.scale.errors(
        mean + np.array([-1, 1]) * 1.959964 * posterior.calibration_factor * math.sqrt(variance[0])
    )
    assert (spot.low, spot.high) == pytest.approx(ends.tolist(), rel=1e-4)
    assert spot.low < spot.error < spot.high


def test_the_lowest_spot_is_the_best_of_the_effects(posterior: CandidatePosterior) -> None:
    lowest = min(surface(posterior, 0), key=lambda spot: spot.error)
    best = {effect.best for effect in effects_of(posterior, 0)}
    assert lowest.best in best


def test_of_many_candidates_a_part_is_predicted_and_the_same_seed_takes_the_same(
    posterior: CandidatePosterior, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = surface(posterior, 0)
    monkeypatch.setattr(module, "PREDICTED_OF_PAIRS", 0)
    monkeypatch.setattr(module, "FEWEST", 3)
    fresh = CandidatePosterior(posterior.pool, posterior.model, posterior.calibration_factor)
    spots = surface(fresh, 1)
    assert spots == surface(fresh, 1)
    assert np.isfinite(fresh._mean).sum() <= 3 * len(spots)
    assert all(part.error > whole.error - 1e-6 for part, whole in zip(spots, complete, strict=True))
