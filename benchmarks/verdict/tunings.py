"""Tunings whose truth is known: how an arm errs at every learning rate, and how noisy one trial of it is.

The curves are smooth fits of the tuning tables that were published with the reference studies: two branches of the log
error over the log rate that meet in a bend no sharper than a step of the grid, which is all that seven rates can show.
From them come a cliff beside the best rate, a flat bottom, and an optimum in the outermost interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from resnext_search.spaces.claim.tuning import MOST_EXTENSIONS, edge_of, rates_beyond
from resnext_search.spaces.claim.tuning_fit import Point, Tuned, fit_tuning, second_rates
from scipy.optimize import least_squares

REFERENCE = Path(__file__).parents[2] / "results" / "reference"
RATES = [float(f"{rate:.4g}") for rate in np.geomspace(0.01, 1.0, 7)]
STEP = math.log(RATES[1] / RATES[0])
TUNING_SEEDS = 2
VALIDATION_IMAGES = 3000

Curve = Callable[[np.ndarray], np.ndarray]
TRUTHS = ("smooth", "cliff", "flat", "edge")
NOISES = ("0.25", "0.35", "unequal")


@cache
def published(study: str) -> pd.DataFrame:
    """Validation error by learning rate and arm of a reference study, in percent."""
    trials = pd.read_csv(REFERENCE / study / "trials.csv")
    return trials[trials.phase == "tune"].pivot_table(
        index="learning_rate", columns="arm", values="validation_error", observed=True
    )


@cache
def smooth(study: str, arm: str) -> Curve:
    """Log error over log rate, fitted to a published table."""
    table = published(study)[arm]
    places, errors = np.log(table.index.to_numpy(dtype=float)), np.log(table.to_numpy(dtype=float))

    def curve(values: np.ndarray, at: np.ndarray) -> np.ndarray:
        level, bend, falling, rising, width = values
        distance = (at - bend) / width
        return level + width * (falling * np.logaddexp(0, -distance) + rising * np.logaddexp(0, distance))

    fits = [
        least_squares(
            lambda values: curve(values, places) - errors,
            [errors.min(), bend, 0.3, 0.05, width],
            bounds=([1, -5, 0.01, 0.01, STEP], [4, 0, 1, 1, 2.5]),
        )
        for bend in (-3, -2, -1.2)
        for width in (0.9, 1.4)
    ]
    best = min(fits, key=lambda fit: fit.cost).x
    return lambda at: curve(best, at)


@cache
def interpolated(study: str, arm: str) -> Curve:
    """The published table itself, its noise taken for truth: a stress."""
    table = published(study)[arm]
    places, errors = np.log(table.index.to_numpy(dtype=float)), np.log(table.to_numpy(dtype=float))
    return lambda at: np.interp(at, places, errors)


def bent(truth: str, curve: Curve) -> Curve:
    """One of `TRUTHS`, made of a smooth curve."""
    places = np.linspace(math.log(RATES[0]), math.log(RATES[-1]), 2001)
    best, lowest = float(places[curve(places).argmin()]), float(curve(places).min())
    if truth == "cliff":  # from 0.3 beyond the best log rate on the error rises by four fifths
        return lambda at: curve(at) + 0.6 * np.clip((at - best - 0.3) / 0.25, 0, 1)
    if truth == "flat":  # a factor of 2.7 to either side
        return lambda at: np.where(
            np.abs(at - best) < 1, lowest, curve(best + np.sign(at - best) * (np.abs(at - best) - 1))
        )
    if truth == "edge":  # three fifths of the way from the last rate but one to the last
        shift = math.log(RATES[-1]) - 0.4 * STEP - best
        return lambda at: curve(at - shift)
    return curve


def noise_of(kind: str, arm: str, place: float) -> float:
    """Standard deviation of one validation error, in points, at a log rate; at every budget the same."""
    if kind != "unequal":
        return float(kind)
    way = arm.partition("@")[0]
    if way == "depth":
        return float(np.interp(place, [math.log(RATES[0]), math.log(RATES[-1])], [0.4, 1.1]))
    return 0.3 if way == "width" else 0.35


def tune(
    curves: Mapping[str, Curve], noise: str, generator: np.random.Generator, tuning_seeds: int = TUNING_SEEDS
) -> dict[str, Tuned]:
    """Tune arms whose curves are known, with trials of so much noise.

    An arm whose optimum stays at the edge has no rate.
    """

    def trial(arm: str, rate: float, seed: int) -> Point:
        place = math.log(rate)
        error = math.exp(float(curves[arm](np.array(place)))) + noise_of(noise, arm, place) * generator.normal()
        return Point(rate, max(error, 0.0), seed)

    return tune_by(trial, curves, RATES, VALIDATION_IMAGES, tuning_seeds=tuning_seeds)


def tune_by(
    trial: Callable[[str, float, int], Point],
    arms: Iterable[str],
    rates: Sequence[float],
    images: int,
    *,
    tuning_seeds: int,
    levels: bool = False,
) -> dict[str, Tuned]:
    """Tune arms as a study does: two rounds, the first widened where an optimum is at its edge."""
    points = {arm: [trial(arm, rate, 0) for rate in rates] for arm in arms}
    for _ in range(MOST_EXTENSIONS):
        wider = rates_beyond({arm: {point.rate: point.error for point in of} for arm, of in points.items()})
        for arm, of in points.items():
            of += [trial(arm, rate, 0) for rate in wider]
    inside = {arm for arm, of in points.items() if not edge_of({point.rate: point.error for point in of})}
    for arm, of in points.items():
        second = second_rates(of, images=images)
        of += [trial(arm, rate, seed) for seed in range(1, tuning_seeds + 1) for rate in second]
    tuned = fit_tuning(points, images=images, levels=levels)
    return {arm: one for arm, one in tuned.items() if arm in inside}


def tuned_inside(
    tunings: Iterable[dict[str, Tuned]], curves: Mapping[str, Curve]
) -> list[tuple[int, dict[str, Tuned], np.ndarray]]:
    """The studies whose arms are all tuned inside their range: number, tuning, and what every arm errs.

    An arm errs, in the order of `curves`, a multiple of its mean over all of these studies.
    """
    inside = [(number, of) for number, of in enumerate(tunings) if len(of) == len(curves)]
    errors = np.array(
        [[math.exp(float(curve(np.log(of[arm].rate)))) for arm, curve in curves.items()] for _, of in inside]
    )
    return [(number, of, own) for (number, of), own in zip(inside, errors / errors.mean(axis=0), strict=True)]
