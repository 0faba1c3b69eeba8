"""Which learning rate is best for an arm, and how sure is that? A smooth fit over the trials that tuned it.

One noisy trial a rate picks a lucky rate. So every rate of a grid is tried once, the five rates around the minimum of a
fit are tried on more seeds, and the rate of an arm is where a parabola through all of them has its minimum. How far
that minimum would move with other seeds follows from trials of one rate that differ in their seed alone, and what this
does to the arm's error from the curve beside it: an error of tuning, which belongs into every interval of the arm.

Unit: natural logarithms of rates and errors. Imports numpy alone. How often words err and intervals cover with it is
simulated in `benchmarks/verdict/calibration.py`; the page `docs/explanation/verdict.md` has the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from resnext_search.spaces.architecture.complexity import Floats

# Rates of the second round, and the largest factor between two of them: coarser ones leap over the minimum.
SECOND_RATES = 5
MOST_STEP = math.log(2.2)
# Errors more than so much (of their logarithm) above the lowest count as just so much: a run that failed beyond a cliff
# says that the minimum is not there, and not how far away it is.
LEAST_CAP = 0.2
# Or so many standard errors of the lowest error, where few images make it uncertain.
CAP_IN_ERRORS = 3.0
# Images that validate, where a table does not say it.
ASSUMED_IMAGES = 1000
# A parabola flatter than this has no minimum: 1 % more error a factor of e^1 away.
LEAST_CURVATURE = 0.01
# The variance of the minimum, times this: for the cap and for the place of the second round, which move with the seeds
# too. Chosen on simulated studies other than those of the calibration.
VARIANCE_FACTOR = 1.5
# The slope beside the minimum is that of nearby trials: a normal kernel, so many steps wide.
KERNEL_STEPS = 0.8


class Point(NamedTuple):
    """One trial that tuned an arm: its learning rate, validation error in percent (NaN where it failed), and seed."""

    rate: float
    error: float
    seed: int


class Tuned(NamedTuple):
    """How an arm is tuned.

    Args:
        rate: Where its fit has the minimum, within the rates that were tried.
        runner_up: The tried rate with the lowest mean error of those at least half a step away from `rate`.
        variance: Of the logarithm of the arm's error, from the choice of its rate.
        degrees: Of freedom of the variance.
    """

    rate: float
    runner_up: float
    variance: float
    degrees: float


class Trials(NamedTuple):
    """The trials of an arm: log rates, capped log errors, blocks of a common level, and the noise of an error."""

    places: Floats
    errors: Floats
    levels: Floats
    noise: float
    degrees: float
    step: float


def second_rates(points: Sequence[Point], *, images: int | None = None) -> list[float]:
    """The rates of an arm's second round: five around the minimum of a parabola through its first.

    Args:
        points: Of the first round; at least one with an error.
        images: That validate; `ASSUMED_IMAGES` without it.

    Returns:
        Ascending rates within those of the first round, a step of it, the factor 2.2 or what fits into them apart; four
        digits each. Around a single rate, they lie outside.

    >>> second_rates([Point(rate, error, 0) for rate, error in ((0.01, 9.0), (0.1, 7.0), (1.0, 9.0))])
    [0.02066, 0.04545, 0.1, 0.22, 0.484]
    """
    places = np.log([point.rate for point in points])
    errors = _capped(points, images)
    step, span = _step(points), float(np.ptp(places))
    if span:
        step = min(step, span / (SECOND_RATES - 1))
    middle = float(places[errors.argmin()])
    if len(np.unique(places)) > 2:
        _, slope, curvature = np.linalg.pinv(np.vander(places, 3, increasing=True)) @ errors
        middle = float(-slope / (2 * curvature)) if curvature > 0 else middle
    reach = step * (SECOND_RATES // 2)
    if span:
        middle = float(np.clip(middle, places.min() + reach, places.max() - reach))
    offsets = step * (np.arange(SECOND_RATES) - SECOND_RATES // 2)
    return [float(f"{rate:.4g}") for rate in np.exp(middle + offsets)]


def fit_tuning(
    curves: Mapping[str, Sequence[Point]],
    *,
    images: int | None = None,
    levels: bool = False,
    used: Mapping[str, float] | None = None,
) -> dict[str, Tuned]:
    """The best rate of every arm, and the variance that choosing it gives the arm's error.

    All arms have one curvature, the mean of their own: that of a single arm is too uncertain to tell how far its
    minimum moves.

    Args:
        curves: Trials of every arm, of at least three rates; an arm without a single error is left out.
        images: That validate; `ASSUMED_IMAGES` without it.
        levels: Whether seeds validate on different images, so that each has a level of its own.
        used: Rates at which arms were confirmed: the variance is that at this rate, and how far it lies off the minimum
            counts as chance too.

    >>> rates, seeds = (0.03, 0.1, 0.3, 1.0), (0, 1)
    >>> curve = [Point(rate, 7 + math.log10(rate / 0.2) ** 2 + 0.1 * seed, seed) for rate in rates for seed in seeds]
    >>> tuned = fit_tuning({"width": curve})["width"]
    >>> 0.15 < tuned.rate < 0.25, tuned.runner_up, tuned.degrees
    (True, 0.3, 2.0)
    """
    arms = {arm: points for arm, points in curves.items() if any(not math.isnan(point.error) for point in points)}
    trials = {arm: _trials(points, images, levels) for arm, points in arms.items()}
    curvatures = [_parabola(of)[-1] for of in trials.values()]
    curvature = max(float(np.mean(curvatures)), LEAST_CURVATURE) if curvatures else math.nan
    return {arm: _tuned(points, trials[arm], curvature, (used or {}).get(arm)) for arm, points in arms.items()}


def _tuned(points: Sequence[Point], trials: Trials, curvature: float, used: float | None) -> Tuned:
    places, low, high = trials.places, trials.places.min(), trials.places.max()
    design = np.column_stack([trials.levels, places])
    inverse = np.linalg.pinv(design.T @ design)
    slope = (inverse @ design.T @ (trials.errors - curvature * places**2))[-1]
    minimum = float(np.clip(-slope / (2 * curvature), low, high))
    place = minimum if used is None else math.log(used)
    variance = VARIANCE_FACTOR * trials.noise * inverse[-1, -1] / (4 * curvature**2) + (place - minimum) ** 2
    variance = min(variance, ((high - low) / 4) ** 2)
    rate = float(f"{math.exp(minimum):.4g}")
    slope_squared = squared_slope(trials, place)
    return Tuned(
        rate,
        _runner_up(points, minimum),
        float(slope_squared * variance + 2 * (curvature * variance) ** 2),
        # part of it goes with a variance, part with the square of one, whose own variation is four times as large
        max(2.0, trials.degrees / 2),
    )


def _trials(points: Sequence[Point], images: int | None, levels: bool) -> Trials:
    places, errors = np.log([point.rate for point in points]), _capped(points, images)
    seeds = sorted({point.seed for point in points})
    blocks = np.array([[float(point.seed == seed) for seed in seeds] for point in points])
    of_level = blocks if levels else np.ones((len(points), 1))
    noise, degrees = _noise(points, errors, images, levels)
    if not degrees:
        fitted = np.column_stack([of_level, places, places**2])
        residuals = errors - fitted @ np.linalg.pinv(fitted) @ errors
        degrees = max(1.0, len(points) - fitted.shape[1])
        noise = float((residuals**2).sum()) / degrees
    return Trials(places, errors, of_level, noise, degrees, _step(points))


def _noise(points: Sequence[Point], errors: Floats, images: int | None, levels: bool) -> tuple[float, float]:
    """Variance of a log error between seeds, from rates that were tried on several, and its degrees of freedom."""
    by_rate: dict[float, list[int]] = {}
    for index, point in enumerate(points):
        by_rate.setdefault(point.rate, []).append(index)
    repeated = [of for of in by_rate.values() if len(of) > 1]
    if not repeated:
        return math.nan, 0.0
    raw = np.array([log_error(point, images) for point in points])
    raw = np.where(np.isnan(raw), errors, raw)
    chosen = [index for of in repeated for index in of]
    rates = np.array([[float(index in of) for of in repeated] for index in chosen])
    seeds = sorted({points[index].seed for index in chosen}) if levels else []
    design = np.column_stack([rates, *([[float(points[i].seed == seed)] for i in chosen] for seed in seeds)])
    residuals = raw[chosen] - design @ np.linalg.pinv(design) @ raw[chosen]
    degrees = len(chosen) - int(np.linalg.matrix_rank(design))
    return (float((residuals**2).sum()) / degrees, float(degrees)) if degrees else (math.nan, 0.0)


def _parabola(trials: Trials) -> Floats:
    """Coefficients of the least-squares parabola: levels, slope, curvature."""
    design = np.column_stack([trials.levels, trials.places, trials.places**2])
    return np.asarray(np.linalg.pinv(design) @ trials.errors)


def squared_slope(trials: Trials, place: float) -> float:
    """Square of the slope of the curve at a place, less what noise adds to it; 0 where that is more."""
    distances = trials.places - place
    squares = (distances / (KERNEL_STEPS * trials.step)) ** 2
    weights = np.exp(-0.5 * (squares - squares.min()))  # the nearest has 1: only their ratios count
    design = np.column_stack([trials.levels, distances, distances**2])
    hat = np.linalg.pinv(design.T @ (weights[:, None] * design)) @ (design.T * weights)
    slope, noise = hat[-2] @ trials.errors, trials.noise * float((hat[-2] ** 2).sum())
    return max(float(slope) ** 2 - noise, 0.0)


def _runner_up(points: Sequence[Point], minimum: float) -> float:
    """The tried rate, half a step away or more, with the lowest mean error; of equal ones the nearest."""
    errors: dict[float, list[float]] = {}
    for point in points:
        errors.setdefault(point.rate, []).append(math.inf if math.isnan(point.error) else point.error)
    step = _step(points)
    later = _later_rates(points)
    away = {rate: abs(math.log(rate) - minimum) for rate in errors}
    # a rate that was tried once is lucky more often
    others = [rate for rate in errors if away[rate] >= step / 2 and rate in later] or list(errors)
    return min(others, key=lambda rate: (sum(errors[rate]) / len(errors[rate]), away[rate]))


def _capped(points: Sequence[Point], images: int | None) -> Floats:
    """Log errors, those far above the lowest and those that failed brought down to the cap."""
    raw = np.array([log_error(point, images) for point in points])
    by_rate: dict[float, list[float]] = {}
    for point, error in zip(points, raw, strict=True):
        if not math.isnan(error):
            by_rate.setdefault(point.rate, []).append(float(error))
    later = [of for rate, of in by_rate.items() if rate in _later_rates(points)] or list(by_rate.values())
    lowest = min(sum(of) / len(of) for of in later)
    wrong = math.exp(lowest) / 100 * (images or ASSUMED_IMAGES)
    cap = lowest + max(LEAST_CAP, CAP_IN_ERRORS / math.sqrt(wrong + 0.5))
    return np.asarray(np.minimum(np.where(np.isnan(raw), cap, raw), cap))


def log_error(point: Point, images: int | None) -> float:
    """Logarithm of an error in percent, half an image added, so that no error at all has one too."""
    count = images or ASSUMED_IMAGES
    return math.log(100 * (point.error / 100 * count + 0.5) / (count + 0.5))


def _step(points: Sequence[Point]) -> float:
    """The usual distance between neighbouring log rates of the later round; at most `MOST_STEP`."""
    places = np.unique(np.log(list(_later_rates(points))))
    return min(float(np.median(np.diff(places))), MOST_STEP) if len(places) > 1 else MOST_STEP


def first_rates(points: Sequence[Point]) -> set[float]:
    """The rates of an arm's first round: those of the seed whose rates span most; of equal ones the lowest seed's.

    >>> sorted(first_rates([Point(0.1, 9.0, 7), Point(1.0, 9.0, 7), Point(0.3, 9.0, 5)]))
    [0.1, 1.0]
    """
    by_seed = _by_seed(points)
    return by_seed[_first_seed(by_seed)]


def first_round(points: Sequence[Point]) -> list[Point]:
    """The trials of the first round: of all seeds that tried just its rates.

    A second round that happens to try one of these rates again says nothing of the others.

    >>> first_round([Point(0.1, 9.0, 7), Point(1.0, 9.0, 7), Point(0.1, 5.0, 8), Point(0.2, 5.0, 8)])
    [Point(rate=0.1, error=9.0, seed=7), Point(rate=1.0, error=9.0, seed=7)]
    """
    if not points:
        return []
    by_seed = _by_seed(points)
    return [point for point in points if by_seed[point.seed] == by_seed[_first_seed(by_seed)]]


def _later_rates(points: Sequence[Point]) -> set[float]:
    """The rates of all seeds but that of the first round; if it is the only one, its rates."""
    by_seed = _by_seed(points)
    first = by_seed.pop(_first_seed(by_seed))
    return set().union(*by_seed.values()) or first


def _by_seed(points: Sequence[Point]) -> dict[int, set[float]]:
    """The rates that were tried with every seed; all of them where every trial has a seed of its own, as one round."""
    by_seed: dict[int, set[float]] = {}
    for point in points:
        by_seed.setdefault(point.seed, set()).add(point.rate)
    if max(map(len, by_seed.values())) == 1:
        return dict.fromkeys(by_seed, set().union(*by_seed.values()))
    return by_seed


def _first_seed(by_seed: Mapping[int, set[float]]) -> int:
    return max(sorted(by_seed), key=lambda seed: max(by_seed[seed]) / min(by_seed[seed]))
