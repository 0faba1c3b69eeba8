"""Expected gain in closed form, against quadrature and against counting hypervolume over random outcomes."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from resnext_search.search.optimizer.acquisition import (
    COST_REFERENCE,
    log_expected_hypervolume_improvement,
    log_improvement,
    lognormal_improvement,
)
from scipy.integrate import quad
from torch import Tensor


def tensor(*values: object) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def known(costs: Tensor) -> Tensor:
    """The deviations of costs that are known."""
    return torch.zeros_like(costs)


def log_improvement_by_quadrature(u: float) -> float:
    """log E[max(0, u + z)]. Below 0, with z = s / |u| - u, the integral is phi(u) / u² ∫ s exp(-s - s² / 2u²) ds."""
    if u > -1:
        return math.log(quad(lambda z: (u + z) * math.exp(-0.5 * z**2), -u, 40)[0] / math.sqrt(2 * math.pi))
    integral = quad(lambda s: s * math.exp(-s - s**2 / (2 * u**2)), 0, math.inf, epsabs=0, epsrel=1e-12)[0]
    return -0.5 * u**2 - 0.5 * math.log(2 * math.pi) - 2 * math.log(-u) + math.log(integral)


@pytest.mark.parametrize("u", [-1e6, -1e5, -1.1e4, -9.9e3, -1e3, -50, -38, -8, -3, -1.5, -1, -0.3, 0, 0.2, 1, 5, 38])
def test_the_logarithm_of_improvement_equals_quadrature(u: float) -> None:
    # 1e-7 where the leading term takes over: the next one is 3 / u² of it
    assert log_improvement(tensor(u)).item() == pytest.approx(log_improvement_by_quadrature(u), rel=1e-9, abs=1e-7)


def test_improvement_is_the_lead_itself_when_it_is_large() -> None:
    assert log_improvement(tensor(1e6)).exp().item() == pytest.approx(1e6)


def test_the_far_tail_is_finite_and_still_says_which_is_better() -> None:
    units = torch.cat([-torch.logspace(8, -6, 4_000, dtype=torch.float64), torch.linspace(0, 100, 500).double()])
    values = log_improvement(units)
    assert values.isfinite().all()
    assert (values.diff() > 0)[:-1].all()


def test_one_objective_has_expected_improvement_as_its_gain() -> None:
    """Mean 10 and deviation 2 against an incumbent of 9: u = -1/2, EI = 2 (phi(u) + u Phi(u)) = 0.3956."""
    none = torch.empty((1, 0), dtype=torch.float64)
    front = torch.empty((3, 0), dtype=torch.float64)
    gain = log_expected_hypervolume_improvement(
        tensor(10.0), tensor(2.0), none, none, tensor(12.0, 9.0, 30.0), front, reference=-math.inf
    )
    assert gain.shape == (1,)
    assert gain.exp().item() == pytest.approx(0.3956, abs=5e-5)
    assert gain.item() == pytest.approx(math.log(2) + log_improvement(tensor(-0.5)).item(), rel=1e-14)


def hypervolume(points: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """`(samples,)` volume dominated by `(samples, points, objectives)`, by inclusion and exclusion over all subsets."""
    volume = np.zeros(len(points))
    for size in range(1, points.shape[1] + 1):
        for subset in combinations(range(points.shape[1]), size):
            shared = np.clip(reference - points[:, subset, :].max(axis=1), 0, None).prod(axis=1)
            volume += (-1) ** (size + 1) * shared
    return volume


def test_the_counting_of_hypervolume_is_right_by_hand() -> None:
    points = np.array([[[1.0, 3.0], [2.0, 2.0], [3.0, 1.0], [3.0, 3.0]]])
    assert hypervolume(points, np.array([4.0, 4.0])).tolist() == [6.0]  # 3 + 2 + 1 unit squares


CANDIDATES = {
    # mean, deviation, costs (the first k are used)
    "better and cheaper": (8.0, 2.0, (0.3, 0.4)),
    "better and dearer": (6.0, 1.0, (1.0, 0.9)),
    "about as good and in between": (12.0, 3.0, (0.55, 0.65)),
    "at the cost of a trial": (14.0, 1.5, (0.5, 0.6)),
    "cheapest and bad": (24.0, 4.0, (0.05, 0.1)),
    "beyond the reference": (40.0, 10.0, (0.4, 0.2)),
}
FRONT = tensor(20.0, 12.0, 9.0, 15.0)  # the last is dominated by the second in the first cost
FRONT_COSTS = tensor((0.2, 0.7), (0.5, 0.6), (0.8, 0.3), (0.6, 0.9))
REFERENCE = 25.0


@pytest.mark.parametrize("objectives", [1, 2])
@pytest.mark.parametrize("name", CANDIDATES)
def test_the_gain_equals_the_mean_hypervolume_that_random_outcomes_add(name: str, objectives: int) -> None:
    mean, deviation, costs = CANDIDATES[name]
    samples = 100_000
    errors = np.random.default_rng(5).normal(mean, deviation, samples)
    front = np.column_stack([FRONT, FRONT_COSTS[:, :objectives]])
    outcomes = np.column_stack([errors, np.tile(costs[:objectives], (samples, 1))])
    with_candidate = np.concatenate([np.tile(front, (samples, 1, 1)), outcomes[:, None, :]], axis=1)
    reference = np.array([REFERENCE, *[COST_REFERENCE] * objectives])
    added = hypervolume(with_candidate, reference) - hypervolume(front[None], reference)

    own = tensor(costs[:objectives])
    gain = log_expected_hypervolume_improvement(
        tensor(mean), tensor(deviation), own, known(own), FRONT, FRONT_COSTS[:, :objectives], REFERENCE
    ).exp()
    assert gain.item() == pytest.approx(added.mean(), abs=5 * added.std() / math.sqrt(samples))


def test_dominated_trials_and_the_order_of_trials_change_nothing() -> None:
    mean, deviation, costs = tensor(10.0, 20.0), tensor(2.0, 3.0), tensor((0.3, 0.4), (0.9, 0.1))
    whole = log_expected_hypervolume_improvement(mean, deviation, costs, known(costs), FRONT, FRONT_COSTS, REFERENCE)
    more_errors = torch.cat([tensor(30.0, 22.0), FRONT.flip(0)])  # dearer and worse than a trial that is there
    more_costs = torch.cat([tensor((0.9, 0.95), (0.3, 0.8)), FRONT_COSTS.flip(0)])
    more = log_expected_hypervolume_improvement(
        mean, deviation, costs, known(costs), more_errors, more_costs, REFERENCE
    )
    torch.testing.assert_close(more, whole)


def test_candidates_are_scored_apart_from_each_other() -> None:
    means, deviations, costs = (tensor(*column) for column in zip(*CANDIDATES.values(), strict=True))
    doubts = 0.1 * costs * (costs > 0.5)  # some known, some not
    together = log_expected_hypervolume_improvement(means, deviations, costs, doubts, FRONT, FRONT_COSTS, REFERENCE)
    for row in range(len(means)):
        one = slice(row, row + 1)
        alone = log_expected_hypervolume_improvement(
            means[one], deviations[one], costs[one], doubts[one], FRONT, FRONT_COSTS, REFERENCE
        )
        torch.testing.assert_close(alone, together[one], rtol=1e-13, atol=0)


def test_a_hopeless_candidate_still_has_a_finite_score() -> None:
    """So that the least hopeless can be told from the others, and the largest score is never a tie of zeros."""
    costs = tensor((0.5,), (0.5,))
    gain = log_expected_hypervolume_improvement(
        tensor(1e4, 1e5), tensor(1.0, 1.0), costs, known(costs), FRONT, FRONT_COSTS[:, :1], REFERENCE
    )
    assert gain.isfinite().all()
    assert gain[0] > gain[1]


def test_nothing_can_be_gained_beyond_the_reference_of_the_costs() -> None:
    costs = tensor((COST_REFERENCE,), (1.0,))
    gain = log_expected_hypervolume_improvement(
        tensor(1.0, 1.0), tensor(1.0, 1.0), costs, known(costs), FRONT, FRONT_COSTS[:, :1], REFERENCE
    )
    assert gain[0].item() == -math.inf
    assert gain[1].isfinite()


def test_the_dearest_network_can_gain_too() -> None:
    """Costs are shares of the largest: with a reference of 1 the largest itself would never be proposed."""
    largest = tensor((1.0,))
    gain = log_expected_hypervolume_improvement(
        tensor(1.0), tensor(0.1), largest, known(largest), FRONT, FRONT_COSTS[:, :1], REFERENCE
    )
    assert gain.exp().item() == pytest.approx((COST_REFERENCE - 1.0) * (9.0 - 1.0), rel=1e-6)


# ------------------------------------------------------------------ costs that are not known yet


@pytest.mark.parametrize("deviation", [1e-6, 0.05, 0.7, 3.0])
@pytest.mark.parametrize("edge", [0.2, 0.5, 1.1])
def test_the_room_below_an_edge_equals_quadrature(edge: float, deviation: float) -> None:
    median = 0.5

    def below(z: float) -> float:
        return max(0.0, edge - median * math.exp(deviation * z)) * math.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)

    kink = math.log(edge / median) / deviation
    room = quad(below, -12, min(max(kink, -12), 12), epsabs=1e-13, limit=200)[0]
    found = lognormal_improvement(tensor(edge), tensor(median), tensor(deviation))
    assert found.shape == (1, 1)
    assert found.item() == pytest.approx(room, rel=1e-6, abs=1e-12)


def test_a_known_cost_leaves_all_that_lies_above_it_and_nothing_below() -> None:
    room = lognormal_improvement(tensor(0.0, 0.25, 1.0), tensor(0.25, 2.0), tensor(0.0, 0.0))
    assert room.tolist() == [[0.0, 0.0], [0.0, 0.0], [0.75, 0.0]]


def test_hardly_a_doubt_is_no_doubt() -> None:
    costs = tensor((0.3, 0.4), (0.5, 0.9))
    mean, deviation = tensor(8.0, 12.0), tensor(2.0, 3.0)
    sure = log_expected_hypervolume_improvement(mean, deviation, costs, known(costs), FRONT, FRONT_COSTS, REFERENCE)
    nearly = log_expected_hypervolume_improvement(
        mean, deviation, costs, known(costs) + 1e-9, FRONT, FRONT_COSTS, REFERENCE
    )
    torch.testing.assert_close(nearly, sure, rtol=1e-7, atol=0)


@pytest.mark.parametrize("doubt", [0.05, 0.5, 1.5])
@pytest.mark.parametrize("objectives", [1, 2])
@pytest.mark.parametrize("name", CANDIDATES)
def test_the_gain_equals_the_mean_hypervolume_where_the_first_cost_is_random_too(
    name: str, objectives: int, doubt: float
) -> None:
    mean, deviation, costs = CANDIDATES[name]
    samples, generator = 100_000, np.random.default_rng(5)
    columns = [
        generator.normal(mean, deviation, samples),
        costs[0] * np.exp(generator.normal(0, doubt, samples)),
        np.full(samples, costs[1]),
    ]
    front = np.column_stack([FRONT, FRONT_COSTS[:, :objectives]])
    outcomes = np.column_stack(columns[: objectives + 1])
    with_candidate = np.concatenate([np.tile(front, (samples, 1, 1)), outcomes[:, None, :]], axis=1)
    reference = np.array([REFERENCE, *[COST_REFERENCE] * objectives])
    added = hypervolume(with_candidate, reference) - hypervolume(front[None], reference)

    gain = log_expected_hypervolume_improvement(
        tensor(mean),
        tensor(deviation),
        tensor(costs[:objectives]),
        tensor((doubt, 0.0)[:objectives]),
        FRONT,
        FRONT_COSTS[:, :objectives],
        REFERENCE,
    ).exp()
    assert gain.item() == pytest.approx(added.mean(), abs=5 * added.std() / math.sqrt(samples))


def test_the_largest_doubt_that_latencies_can_have_gives_a_number() -> None:
    """Of a picosecond and thirty years: logarithms 48 apart, so that a deviation is at most 24."""
    costs = tensor((1e-21,), (1.0,), (0.5,))
    gain = log_expected_hypervolume_improvement(
        tensor(8.0, 8.0, 8.0), tensor(1.0, 1.0, 1.0), costs, known(costs) + 24, FRONT, FRONT_COSTS[:, :1], REFERENCE
    )
    assert not gain.isnan().any()
    assert (gain < math.inf).all()
