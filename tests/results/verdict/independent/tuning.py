"""The fit of the tuning, from the page of the verdict alone: rates, and how uncertain each arm's error is by them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Row = Mapping[str, Any]


def tuned(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """By arm: `rate`, and `variance` (of the log of its error) with `degrees`; empty without tuning trials."""
    trials = [row for row in rows if row["phase"] == "tune"]
    arms = list(dict.fromkeys(row["arm"] for row in trials))
    points = {arm: _points([row for row in trials if row["arm"] == arm]) for arm in arms}
    curvature = max(0.01, float(np.mean([np.polyfit(x, y, 2)[0] for x, y, *_ in points.values()]))) if arms else 0.0
    confirmed = {row["arm"]: row["learning_rate"] for row in rows if row["phase"] == "confirm"}
    return {arm: _fit(points[arm], curvature, confirmed.get(arm)) for arm in arms}


def _points(trials: Sequence[Row]) -> tuple[np.ndarray, ...]:
    """Log rates, capped log errors, the same uncapped where there is a value, and whether of a later round."""
    x = np.log([float(row["learning_rate"]) for row in trials])
    raw = np.array([_log_error(row) for row in trials])
    later = np.array([row["seed"] != first_seed(trials) for row in trials])
    later = np.isin(x, x[later if later.any() else ~later])  # and so is what was tried at the same rate before
    known = ~np.isnan(raw)
    lowest = min(raw[known & (x == rate)].mean() for rate in np.unique(x[known & later]))
    images = trials[0].get("validation_images") or 1000
    cap = lowest + max(0.2, 3 / math.sqrt(images * math.exp(lowest) / 100 + 0.5))
    return x, np.where(np.isnan(raw), cap, np.minimum(raw, cap)), np.where(np.isnan(raw), cap, raw), later


def first_seed(trials: Sequence[Row]) -> int:
    """That of the first round: the one whose rates span most, of equal ones the lowest."""
    seeds = sorted({row["seed"] for row in trials})
    rates = {seed: [row["learning_rate"] for row in trials if row["seed"] == seed] for seed in seeds}
    return max(seeds, key=lambda seed: max(rates[seed]) / min(rates[seed]))


def _log_error(row: Row) -> float:
    error = row.get("validation_error")
    if failed(row) or error is None:
        return math.nan
    images = row.get("validation_images") or 1000
    return math.log(100 * (error * images / 100 + 0.5) / (images + 0.5))


def _fit(points: Sequence[np.ndarray], g: float, confirmed: float | None) -> dict[str, float]:
    x, y, uncapped, later = points
    slope = np.polyfit(x, y - g * x**2, 1)[0]
    minimum = float(np.clip(-slope / (2 * g), x.min(), x.max()))
    rate = float(f"{math.exp(minimum):.4g}")
    noise, degrees = _noise(x, y, uncapped)
    place = minimum if confirmed is None else math.log(confirmed)
    u = 1.5 * noise / np.sum((x - x.mean()) ** 2) / (4 * g**2) + (place - minimum) ** 2
    u = min(u, ((x.max() - x.min()) / 4) ** 2)
    h = min(float(np.median(np.diff(np.unique(x[later])))), math.log(2.2))
    weights = np.exp(-((x - place) ** 2) / (2 * (0.8 * h) ** 2))
    local = np.vander(x - place, 3)
    of_slope = (np.linalg.inv(local.T @ (weights[:, None] * local)) @ local.T * weights)[1]  # the slope is this times y
    squared_slope = max(float(of_slope @ y) ** 2 - noise * float(np.sum(of_slope**2)), 0.0)
    return {"rate": rate, "variance": squared_slope * u + 2 * (g * u) ** 2, "degrees": max(2.0, degrees / 2)}


def _noise(x: np.ndarray, y: np.ndarray, uncapped: np.ndarray) -> tuple[float, float]:
    """Variance of one trial's log error around its rate's, with its degrees of freedom."""
    repeated = [uncapped[x == rate] for rate in np.unique(x) if np.sum(x == rate) > 1]
    if repeated:
        degrees = sum(len(group) - 1 for group in repeated)
        return sum(float(np.sum((group - group.mean()) ** 2)) for group in repeated) / degrees, degrees
    degrees = max(1, len(x) - 3)
    return float(np.sum((y - np.polyval(np.polyfit(x, y, 2), x)) ** 2)) / degrees, degrees


def failed(row: Row) -> bool:
    return row.get("state") == "failed"
