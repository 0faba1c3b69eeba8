"""What was learned about cardinality, depth and width: one row a value, with an interval that means what it says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.results.search_summary import Effect
from resnext_search.search.surrogate import effects, posterior
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.search.surrogate.effects import effects_of
from resnext_search.search.surrogate.observations import Observations
from resnext_search.search.surrogate.posterior import CandidatePosterior, Posterior
from resnext_search.spaces.search_space.knobs import Knob

from benchmarks.search.effects_coverage import searched
from benchmarks.search.optimizer.surfaces import surface
from tests.support.journals import tiny_set
from tests.support.optimizers import LEARNING_RATE, THREE_RATES, middle_set, valley


def told(pool: Candidates, trials: int, noise: float = 0.3, seed: int = 0) -> Observations:
    """Random candidates, and their errors with some noise."""
    generator = np.random.default_rng(seed)
    candidates = generator.choice(len(pool), trials, replace=False)
    errors = np.array([valley(pool.configuration(int(candidate))) for candidate in candidates])
    return Observations(pool.features(candidates), errors + generator.normal(0, noise, trials))


def effects_after(pool: Candidates, observations: Observations, seed: int) -> list[Effect]:
    return effects_of(CandidatePosterior.after(pool, observations), seed)


def true_profile(pool: Candidates) -> dict[tuple[str, int], float]:
    """The lowest error of all candidates with a value."""
    lowest: dict[tuple[str, int], float] = {}
    for candidate in range(len(pool)):
        configuration = pool.configuration(candidate)
        architecture = configuration.architecture
        for axis in effects.AXES:
            key = (axis, getattr(architecture, axis))
            lowest[key] = min(lowest.get(key, math.inf), valley(configuration))
    return lowest


def test_there_is_a_row_for_every_value_in_the_feasible_set() -> None:
    pool = Candidates(middle_set(), [LEARNING_RATE])
    rows = effects_after(pool, told(pool, 20), seed=0)
    assert [(row.axis, row.value) for row in rows] == [
        *(("cardinality", value) for value in np.unique(middle_set().cardinality)),
        *(("depth", value) for value in np.unique(middle_set().depth)),
        *(("width", value) for value in np.unique(middle_set().width)),
    ]
    assert all(row.low < row.median < row.high for row in rows)
    assert all(getattr(row.best.architecture, row.axis) == row.value for row in rows)
    assert all(row.best.architecture in middle_set() for row in rows)


def test_the_same_seed_gives_the_same_rows() -> None:
    pool = Candidates(tiny_set(), [LEARNING_RATE])
    trials = told(pool, 12)
    rows = effects_after(pool, trials, seed=4)
    assert rows == effects_after(pool, trials, seed=4)
    others = effects_after(pool, trials, seed=5)
    assert rows != others
    assert [row.median for row in others] == pytest.approx([row.median for row in rows], rel=0.02)


def test_of_a_value_with_one_candidate_the_row_is_the_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    """1x4d-14 alone has 14 layers: no lowest of several, but a normal distribution, widened."""
    pool = Candidates(tiny_set(), [])
    trials = Observations(pool.features(np.arange(4)), np.array([20.0, 25.0, 22.0, 28.0]))
    monkeypatch.setattr(posterior, "calibration_factor", lambda residuals: 1.5)
    rows = {(row.axis, row.value): row for row in effects_after(pool, trials, seed=0)}
    [only] = np.flatnonzero(tiny_set().depth == 14)
    row = rows["depth", 14]

    model = Posterior.after(trials)
    mean, variance = model.process.predict(pool.features(np.array([only])))
    outcomes = mean[0] + 1.5 * 1.96 * math.sqrt(variance[0]) * np.array([-1, 0, 1])
    low, middle, high = model.scale.errors(outcomes)
    assert row.median == pytest.approx(middle, rel=0.05)
    assert (row.low, row.high) == pytest.approx((low, high), rel=0.03)
    assert row.best == pool.configuration(int(only))


def test_a_trial_that_diverged_neither_flattens_the_others_nor_is_forgotten() -> None:
    """Where all have been tried, one at 90 % leaves the rows of the others where they were."""
    pool = Candidates(tiny_set(), [THREE_RATES])
    trials = told(pool, len(pool), noise=0.0)
    worst = trials.errors.argmax()
    before = effects_after(pool, trials, seed=0)
    errors = np.where(np.arange(len(trials.errors)) == worst, 90.0, trials.errors)
    diverged = effects_after(pool, Observations(trials.features, errors), seed=0)
    for row, other in zip(before, diverged, strict=True):
        assert other.median == pytest.approx(row.median, abs=1.0)


def test_when_all_has_been_tried_without_noise_the_profile_is_the_truth() -> None:
    pool = Candidates(tiny_set(), [THREE_RATES])
    rows = effects_after(pool, told(pool, len(pool), noise=0.0), seed=0)
    truth = true_profile(pool)
    assert len(rows) == len(truth)
    for row in rows:
        assert row.median == pytest.approx(truth[row.axis, row.value], abs=0.5)
        assert valley(row.best) == pytest.approx(truth[row.axis, row.value], abs=0.5)


def test_the_more_is_told_the_narrower_the_intervals() -> None:
    pool = Candidates(middle_set(), [LEARNING_RATE])
    few, many = (effects_after(pool, told(pool, trials), seed=0) for trials in (10, 150))
    widths = [[row.high - row.low for row in rows] for rows in (few, many)]
    assert np.median(widths[1]) < np.median(widths[0]) / 3


def test_what_cannot_be_the_lowest_is_left_out_and_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Candidates(tiny_set(), [LEARNING_RATE])
    trials = told(pool, 40)
    rows = effects_after(pool, trials, seed=0)

    def everything(posterior: object, members: np.ndarray) -> tuple[np.ndarray, int]:
        return members, int(members[0])

    before = CandidatePosterior.after(pool, trials)
    left = sum(len(effects._contenders(before, members)[0]) for _, _, members in effects._groups(pool, 0))
    assert left < 0.7 * len(effects.AXES) * len(pool)
    monkeypatch.setattr(effects, "_contenders", everything)
    for row, whole in zip(rows, effects_after(pool, trials, seed=0), strict=True):
        tolerance = 0.1 * (whole.high - whole.low)
        assert (row.median, row.low, row.high) == pytest.approx((whole.median, whole.low, whole.high), abs=tolerance)


def test_of_very_many_candidates_a_part_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = Candidates(tiny_set(), [LEARNING_RATE, Knob("momentum", 0.5, 0.95)])
    monkeypatch.setattr(effects, "PREDICTED", 50)
    assert max(len(members) for _, _, members in effects._groups(pool, 0)) == 50
    trials = told(pool, 15)
    rows = effects_after(pool, trials, seed=0)
    assert rows == effects_after(pool, trials, seed=0)
    assert len(rows) == len(true_profile(Candidates(tiny_set(), [THREE_RATES])))


def test_no_error_is_above_100_percent_however_little_is_known() -> None:
    pool = Candidates(middle_set(), [LEARNING_RATE])
    rows = effects_after(pool, told(pool, 4, noise=3.0), seed=0)
    assert max(row.high for row in rows) <= 100


def test_a_row_is_in_percent() -> None:
    pool = Candidates(tiny_set(), [LEARNING_RATE])
    trials = told(pool, 20)
    rows, tenth = (
        effects_after(pool, Observations(trials.features, scale * trials.errors), seed=0) for scale in (1.0, 0.1)
    )
    assert isinstance(rows[0], Effect)
    assert [row.median for row in tenth] == pytest.approx([0.1 * row.median for row in rows], rel=1e-3)


@pytest.mark.slow
def test_the_intervals_cover_the_truth_of_surfaces_that_are_known() -> None:
    """In small what `benchmarks/search/effects_coverage.py` shows with 50 surfaces; seeded, not those it is judged by.

    Eight surfaces: with the calibration factor 95 % intervals cover 85 % of the rows, without it 78 %.
    """
    found = [searched(surface(seed), seed, trials=60) for seed in range(1_000, 1_008)]
    cells = [cell for one in found for cell in one.cells]
    assert len(cells) == 648
    assert np.mean([cell.covered for cell in cells]) >= 0.82
    assert np.median([cell.high - cell.low for cell in cells]) < 0.45  # of profiles that span 1 to 2 points
