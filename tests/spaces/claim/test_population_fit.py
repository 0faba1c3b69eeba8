"""The fit that says the rate of networks that were never tuned, on curves whose minima are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from resnext_search.spaces.claim.population_fit import (
    Network,
    Tuning,
    fit_population,
    population_variances,
)
from resnext_search.spaces.claim.tuning_fit import Point

RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
CURVATURE = 0.03
# So many that the half image that is added to every error does not show.
IMAGES = 10**6


def curve(minimum: float, level: float = 8.0, rates: tuple[float, ...] = RATES) -> list[Point]:
    """Errors whose logarithm is a parabola over the log rate."""
    return [Point(rate, level * math.exp(CURVATURE * math.log(rate / minimum) ** 2), 0) for rate in rates]


def best(network: Network) -> float:
    """A space's place, moved by C and depth as the fit has it."""
    of_space = {"one group": 0.1, "more groups": 0.2}[network.space]
    return of_space * 1.2 ** math.log2(network.cardinality) * (20 / network.depth) ** 0.5


ONE = [Network("one group", 1, depth) for depth in (11, 17, 29)]
MORE = [Network("more groups", c, depth) for c, depth in ((2, 14), (4, 11), (8, 29))]


def tunings() -> list[Tuning]:
    return [
        Tuning(network, curve(best(network), level=7 + place, rates=(0.05, 0.1, 0.3, 1.0)))
        for place, network in enumerate(ONE + MORE)
    ]


@pytest.mark.parametrize("network", [*ONE, *MORE, Network("one group", 1, 23), Network("more groups", 2, 26)])
def test_where_the_minimum_moves_with_c_and_depth_the_rate_of_every_network_is_found(network: Network) -> None:
    assert fit_population(tunings(), images=IMAGES).rate(network) == pytest.approx(best(network), rel=2e-3)


def test_a_rate_lies_within_those_that_were_tried() -> None:
    fit = fit_population(tunings(), images=IMAGES)
    assert fit.rate(Network("more groups", 2**20, 11)) == 1.0
    assert fit.rate(Network("one group", 1, 10_000)) == 0.05


def test_beyond_ten_times_the_lowest_error_it_does_not_matter_how_badly_a_trial_went_wrong() -> None:
    """The lowest is 8 %; ten times that pulls the minimum away from the rate at which training breaks down."""
    fits = []
    for error in (85.0, 99.0, math.nan):
        of = [
            Tuning(network, [*curve(0.1)[:-1], Point(RATES[-1], error, 0)])  # at the highest rate
            for network in ONE + MORE
        ]
        fits.append(fit_population(of, images=1000))
    assert len({fit.rate(ONE[0]) for fit in fits}) == 1
    assert 0.03 < fits[0].rate(ONE[0]) < 0.06


def test_a_network_without_a_single_error_counts_for_nothing() -> None:
    lost = Tuning(Network("one group", 1, 50), [Point(rate, math.nan, 0) for rate in RATES])
    found, without = (fit_population(of, images=IMAGES) for of in ([*tunings(), lost], tunings()))
    assert np.array_equal(found.coefficients, without.coefficients)


def test_curves_that_the_fit_explains_leave_nothing_unsure() -> None:
    variances = population_variances(tunings(), ONE + MORE, images=IMAGES)
    assert set(variances) == {"one group", "more groups"}
    assert all(one.variance < 1e-8 and one.degrees == 2.0 for one in variances.values())


def test_the_variance_is_that_of_the_square_by_which_the_minimum_moves() -> None:
    """Alike networks, minima at logs m: their mean has variance var(m) / n, its square times k twice that squared."""
    minima = (0.08, 0.1, 0.125)
    of_one = [Tuning(Network("one group", 1, 20), curve(minimum)) for minimum in minima]
    of_more = [Tuning(Network("more groups", 2, 20), curve(0.1)) for _ in minima]
    variances = population_variances(
        of_one + of_more, [Network("one group", 1, 20)] * 4 + [Network("more groups", 2, 20)], images=IMAGES
    )
    moved = float(np.var(np.log(minima), ddof=1)) / 3
    assert variances["one group"].variance == pytest.approx(2 * (CURVATURE * moved) ** 2, rel=1e-3)
    assert variances["more groups"].variance == pytest.approx(0, abs=1e-12)


def test_a_space_with_one_tuned_network_says_nothing_of_its_tuning() -> None:
    assert population_variances([*tunings()[:3], tunings()[4]], ONE, images=IMAGES) == {}
    assert population_variances([], ONE) == {}
