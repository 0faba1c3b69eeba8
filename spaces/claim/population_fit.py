"""Which learning rate suits a network that was never tuned, and how sure is that? One smooth fit over those that were.

The log error of network i at log rate x is its level plus k (x - m_i)². All networks have one curvature k, and the
place m_i of the minimum is that of its space, moved in proportion to log2 C and the log of its depth. (Within a FLOP
band these two leave d little choice.) That is linear in its coefficients, so least squares solve it. Each space has a
place of its own, so that the same fit is as right for the one as for the other. Trials that err more than ten times
as much as a network's best, or failed, count as ten times: with less, as for an arm that is tuned itself, the minimum
would come so near to where training breaks down that many a network whose own limit is lower breaks down with it.

How sure: the fit is made again without each network (the jackknife, by space). How its minima move says how much more
the networks of a space err than they would at their best rates. Unit: natural logarithms of rates and errors. Imports
numpy alone. Simulated in `benchmarks/verdict/populations.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.spaces.claim.tuning_fit import (
    LEAST_CURVATURE,
    MOST_STEP,
    Point,
    Trials,
    log_error,
    squared_slope,
)

# Of the log errors of a network, above its lowest.
CAP = math.log(10)


class Network(NamedTuple):
    """What the fit knows of a network: its space, C and weighted layers."""

    space: str
    cardinality: int
    depth: int


class Tuning(NamedTuple):
    """A network that was tried at several rates."""

    network: Network
    points: Sequence[Point]


class PopulationVariance(NamedTuple):
    """Of the logarithm of a space's mean error, from the tuning: the variance, and its degrees of freedom."""

    variance: float
    degrees: float


@dataclass(frozen=True)
class PopulationFit:
    """The fit.

    Args:
        spaces: Names, in the order of the first coefficients.
        coefficients: Of the place of the minimum: one a space, then of log2 C and of the log of the depth.
        centre: Of log2 C and log depth, from which they are counted.
        curvature: Of all networks.
        low: The lowest log rate that was tried.
        high: The highest.
    """

    spaces: tuple[str, ...]
    coefficients: Floats
    centre: Floats
    curvature: float
    low: float
    high: float

    def places(self, networks: Sequence[Network]) -> Floats:
        """Log rates of the minima, `(networks,)`, within those that were tried."""
        places = _features(networks, self.spaces, self.centre) @ self.coefficients
        return np.asarray(np.clip(places, self.low, self.high))

    def rate(self, network: Network) -> float:
        """The rate that a network is trained with; four digits."""
        return float(f"{math.exp(self.places([network])[0]):.4g}")


def fit_population(tunings: Sequence[Tuning], *, images: int | None = None) -> PopulationFit:
    """The rate of every network of some spaces, from the trials of a few.

    Args:
        tunings: At least one network a space, with trials of at least three rates; without a single error one counts
            for nothing.
        images: That validate; `ASSUMED_IMAGES` of `tuning_fit` without it.

    >>> rates, networks = (0.03, 0.1, 0.3), [Network("a", 1, 11), Network("b", 4, 20), Network("b", 2, 11)]
    >>> curve = [Point(rate, 7 * math.exp(math.log(rate / 0.1) ** 2 / 20), 0) for rate in rates]
    >>> round(fit_population([Tuning(each, curve) for each in networks]).rate(Network("b", 4, 20)), 2)
    0.1
    """
    return _fit([_Curve.of(tuning, images) for tuning in tunings if _has_error(tuning)])


def population_variances(
    tunings: Sequence[Tuning], trained: Sequence[Network], *, images: int | None = None
) -> dict[str, PopulationVariance]:
    """By space, what another tuning would do to the logarithm of its mean error.

    The variance is that of the mean of k d_i², where d_i is by how much the minimum of network i moves, and of the
    slope beside the minimum times the mean of d_i; the jackknife says how they move. Nothing is known where a space has
    fewer than two tuned networks.

    Args:
        tunings: As of `fit_population`.
        trained: The networks that are compared.
        images: That validate.
    """
    curves = [_Curve.of(tuning, images) for tuning in tunings if _has_error(tuning)]
    of_space = {curve.network.space: [c for c in curves if c.network.space == curve.network.space] for curve in curves}
    if not curves or min(map(len, of_space.values())) < 2:
        return {}
    fit, count = _fit(curves), len(curves)
    without = [_fit(curves[:left] + curves[left + 1 :]) for left in range(count)]
    sizes = np.array([len(of_space[curve.network.space]) for curve in curves])
    degrees = max(2.0, (count - len(fit.coefficients)) / 2)
    found = {}
    for space, of in of_space.items():
        networks = [network for network in trained if network.space == space]
        if not networks:
            continue
        moved = np.array([one.places(networks) for one in without]) - fit.places(networks)
        scaled = moved * np.sqrt((sizes - 1) / sizes)[:, None]
        squares = scaled @ scaled.T / len(networks)
        of_minimum = 2 * fit.curvature**2 * float((squares**2).sum())
        of_slope = _squared_slope(fit, of) * float((scaled.mean(axis=1) ** 2).sum())
        found[space] = PopulationVariance(of_minimum + of_slope, degrees)
    return found


@dataclass(frozen=True)
class _Curve:
    """The trials of a network: log rates, and log errors with their cap."""

    network: Network
    places: Floats
    errors: Floats

    @classmethod
    def of(cls, tuning: Tuning, images: int | None) -> _Curve:
        places = np.log([point.rate for point in tuning.points])
        errors = np.array([log_error(point, images) for point in tuning.points])
        cap = np.nanmin(errors) + CAP
        return cls(tuning.network, places, np.minimum(np.where(np.isnan(errors), cap, errors), cap))


def _has_error(tuning: Tuning) -> bool:
    return any(not math.isnan(point.error) for point in tuning.points)


def _features(networks: Sequence[Network], spaces: Sequence[str], centre: Floats) -> Floats:
    """What the place of the minimum depends on, `(networks, coefficients)`."""
    own = [[float(network.space == space) for space in spaces] for network in networks]
    return np.column_stack([np.array(own), _traits(networks) - centre])


def _traits(networks: Sequence[Network]) -> Floats:
    return np.array([[math.log2(network.cardinality), math.log(network.depth)] for network in networks])


def _fit(curves: Sequence[_Curve]) -> PopulationFit:
    networks = [curve.network for curve in curves]
    spaces = tuple(sorted({network.space for network in networks}))
    centre = _traits(networks).mean(axis=0)
    features = _features(networks, spaces, centre)
    # within a network: its level falls out of everything
    places = np.concatenate([curve.places - curve.places.mean() for curve in curves])
    squares = np.concatenate([curve.places**2 - (curve.places**2).mean() for curve in curves])
    errors = np.concatenate([curve.errors - curve.errors.mean() for curve in curves])
    rows = np.repeat(features, [len(curve.places) for curve in curves], axis=0) * places[:, None]
    curvature = float((np.linalg.pinv(np.column_stack([rows, squares])) @ errors)[-1])
    curvature = max(curvature, LEAST_CURVATURE)
    slopes = np.linalg.pinv(rows) @ (errors - curvature * squares)
    tried = np.concatenate([curve.places for curve in curves])
    return PopulationFit(spaces, -slopes / (2 * curvature), centre, curvature, float(tried.min()), float(tried.max()))


def _squared_slope(fit: PopulationFit, curves: Sequence[_Curve]) -> float:
    """Square of the slope at the minima of a space, from its trials near them; 0 for a curve that fits."""
    minima = fit.places([curve.network for curve in curves])
    places = np.concatenate([curve.places - minimum for curve, minimum in zip(curves, minima, strict=True)])
    errors = np.concatenate([curve.errors for curve in curves])
    sizes = [len(curve.places) for curve in curves]
    levels = np.repeat(np.eye(len(curves)), sizes, axis=0)
    design = np.column_stack([levels, places, places**2])
    left = errors - design @ np.linalg.pinv(design) @ errors
    degrees = max(1.0, len(errors) - design.shape[1])
    steps = np.diff(np.unique(np.concatenate([curve.places for curve in curves])))
    step = min(float(np.median(steps)), MOST_STEP) if len(steps) else MOST_STEP
    return squared_slope(Trials(places, errors, levels, float((left**2).sum()) / degrees, degrees, step), 0.0)
