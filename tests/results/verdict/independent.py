"""The verdict once more, from its page alone: docs/explanation/how-the-verdict-is-made.md, numpy and nothing else.

Written by someone who had not read the project's own, to be compared with it. Without folds and without the choice of
looks (`spent` is the share of the error that the look may spend).
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Row = Mapping[str, Any]
SURE, MARGINAL = 0.025, 0.05  # the levels of better and worse, and those of gain, loss and "no difference"
FEWEST_RUNS = 10


def t_upper(t: float, degrees: float) -> float:
    """P(T > t), to 1e-10, by the regularised incomplete beta function."""
    tail = 0.5 * _incomplete_beta(degrees / (degrees + t * t), t * t / (degrees + t * t), degrees / 2, 0.5)
    return tail if t >= 0 else 1 - tail


def t_quantile(probability: float, degrees: float) -> float:
    """The t with P(T < t) = probability, of 1/2 or more: bisection of the upper tail."""
    low, high = 0.0, 1.0
    while t_upper(high, degrees) > 1 - probability:
        low, high = high, 2 * high
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if t_upper(middle, degrees) > 1 - probability else (low, middle)
    return (low + high) / 2


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """I_x(a, b) with rest = 1 - x: Lentz's continued fraction on the side where it converges fast."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(rest, x, b, a)
    front = math.exp(a * math.log(x) + b * math.log(rest) - _log_beta(a, b)) / a
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    value = d
    for step in range(1, 10_000):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for term in (even, odd):
            d = 1 / (1 + term * d or tiny)
            c = 1 + term / c or tiny
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return front * value


def _log_beta(a: float, b: float) -> float:
    large, small = max(a, b), min(a, b)
    if small == 0.5 and large > 100:  # the difference of two large lgammas loses digits: its series instead
        return math.lgamma(0.5) - 0.5 * math.log(large) + 1 / (8 * large) - 1 / (192 * large**3)
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given."""
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = highest
    return adjusted


def tuned(rows: Sequence[Row]) -> dict[str, dict[str, float]]:
    """By arm: `rate`, and `variance` (of the log of its error) with `degrees`; empty without tuning trials.

    The first round is that of the lowest seed; every other seed is a later round.
    """
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
    seeds = np.array([row["seed"] for row in trials])
    later = seeds != seeds.min()
    counted = (later if later.any() else ~later) & ~np.isnan(raw)
    lowest = min(raw[counted & (x == rate)].mean() for rate in np.unique(x[counted]))
    images = _images(trials[0])
    cap = lowest + max(0.2, 3 / math.sqrt(images * math.exp(lowest) / 100 + 0.5))
    return x, np.where(np.isnan(raw), cap, np.minimum(raw, cap)), np.where(np.isnan(raw), cap, raw), later


def _images(row: Row) -> float:
    images = row.get("validation_images")
    return 1000.0 if images is None or images != images else float(images)


def _log_error(row: Row) -> float:
    error = row.get("validation_error")
    if _failed(row) or error is None or error != error:
        return math.nan
    images = _images(row)
    return math.log(100 * (error * images / 100 + 0.5) / (images + 0.5))


def _fit(points: Sequence[np.ndarray], g: float, confirmed: float | None) -> dict[str, float]:
    x, y, uncapped, later = points
    slope = np.polyfit(x, y - g * x**2, 1)[0]
    minimum = float(np.clip(-slope / (2 * g), x.min(), x.max()))
    rate = float(f"{math.exp(minimum):.4g}")
    noise, degrees = _noise(x, y, uncapped)

    confirmed = rate if confirmed is None else confirmed
    distance = 0.0 if confirmed == rate else math.log(confirmed) - minimum
    u = 1.5 * noise / np.sum((x - x.mean()) ** 2) / (4 * g**2) + distance**2
    u = min(u, ((x.max() - x.min()) / 4) ** 2)

    steps = np.diff(np.unique(x[later] if later.any() else x))
    h = min(float(np.median(steps)), math.log(2.2))
    weights = np.exp(-((x - minimum) ** 2) / (2 * (0.8 * h) ** 2))
    local = np.vander(x - math.log(confirmed), 3)
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


def contrast(runs: Mapping[str, Mapping[Any, Row]], weights: Mapping[str, float], fits: Mapping) -> dict[str, Any]:
    """The weighted mean test error with everything that the page says of it; `runs` by arm and seed, finished ones.

    Of arms that share seeds, the seeds that all of them have. NaN where there is nothing to say it from.
    """
    shared = [seed for seed in runs[next(iter(weights))] if all(seed in runs[arm] for arm in weights)]
    used = {arm: [runs[arm][seed] for seed in shared] if shared else list(runs[arm].values()) for arm in weights}
    errors = {arm: np.array([float(row["test_error"]) for row in used[arm]]) for arm in weights}
    known = all(row.get("correct") is not None for arm in weights for row in used[arm])
    wrong = {arm: 100.0 * ~np.array([row["correct"] for row in used[arm]], bool) for arm in weights} if known else {}
    by_seed = sum(w * errors[arm] for arm, w in weights.items()) if shared else np.full(1, math.nan)
    if shared:
        parts, example = _paired(by_seed, sum(w * wrong[arm] for arm, w in weights.items()) if known else None)
    else:
        parts, example = _unpaired(errors, wrong, weights)
    tuned_arms = [arm for arm in weights if arm in fits]
    tuning = [(weights[a] ** 2 * errors[a].mean() ** 2 * fits[a]["variance"], fits[a]["degrees"]) for a in tuned_arms]
    parts = [part for part in parts + tuning if part[0] != 0]
    variance = sum(part for part, _ in parts)
    degrees = float(variance**2 / sum(part**2 / df for part, df in parts)) if parts else math.nan
    value, error = float(sum(weights[arm] * errors[arm].mean() for arm in weights)), math.sqrt(max(variance, 0.0))
    wide, narrow = (t_quantile(level, degrees) * error if error else 0.0 for level in (0.975, 0.95))
    return {
        "difference": value,
        "standard_error": error,
        "degrees": degrees,
        "interval_95": (value - wide, value + wide),
        "interval_90": (value - narrow, value + narrow),
        "example_error": example,
        "tuning_error": math.sqrt(sum(part for part, _ in tuning)),
        "median": float(np.median(by_seed)),
        "probability": float(np.mean((np.sign(np.round(by_seed, 9)) + 1) / 2)),  # rounded, so that a tie is one
    }


def _paired(by_seed: np.ndarray, by_image: np.ndarray | None) -> tuple[list[tuple[float, float]], float]:
    """Parts of the variance with their degrees, and the part of the images, of contrasts within seeds."""
    n = len(by_seed)
    if by_image is None:
        return [(float(np.var(by_seed, ddof=1)) / n, n - 1)], math.nan
    m = by_image.shape[1]
    a, b, e = _mean_squares(by_image)
    parts = [(max(a, e / m) / n, n - 1), (max(b, e / n) / m, m - 1), (-e / (n * m), (n - 1) * (m - 1))]
    return parts, math.sqrt(max(b / m - e / (n * m), 0.0))


def _mean_squares(table: np.ndarray) -> tuple[float, float, float]:
    """Variance of the rows' means, of the columns' means, and the mean square that both leave."""
    n, m = table.shape
    seeds, images = table.mean(axis=1), table.mean(axis=0)
    left = table - seeds[:, None] - images + table.mean()
    return float(seeds.var(ddof=1)), float(images.var(ddof=1)), float(np.sum(left**2)) / ((n - 1) * (m - 1))


def _unpaired(errors: Mapping, wrong: Mapping, weights: Mapping[str, float]) -> tuple[list[tuple[float, float]], float]:
    """The same of arms with different seeds."""
    parts = [(w**2 * float(errors[a].var(ddof=1)) / len(errors[a]), len(errors[a]) - 1.0) for a, w in weights.items()]
    if not wrong:
        return parts, math.nan
    images = sum(weight * wrong[arm].mean(axis=0) for arm, weight in weights.items())
    m = len(images)
    left = sum(w**2 * _mean_squares(wrong[arm])[2] / (len(errors[arm]) * m) for arm, w in weights.items())
    part = max(float(images.var(ddof=1)) / m - left, 0.0)
    return [*parts, (part, m - 1.0)], math.sqrt(part)


def judge(rows: Sequence[Row], margin: float, spent: float = 1.0) -> dict[str, Any]:
    """`kind`, `word`, `direction`, the `comparisons` by (claimant, rival), `weak` rivals and the `rates` of the tuning.

    A row has phase (tune or confirm), arm, seed, learning_rate, validation_error, state, test_error, correct and
    validation_images; what is not known is None or missing. The trend is the comparison ("trend", "").
    """
    confirming = [row for row in rows if row["phase"] == "confirm"]
    arms = list(dict.fromkeys(row["arm"] for row in confirming))
    runs = {a: {row["seed"]: row for row in confirming if row["arm"] == a and not _failed(row)} for a in arms}
    kind, fits = ("spend" if "cardinality" in arms else "trade"), tuned(rows)
    ordered = sorted(arms, key=_groups)  # of a trade: from the smallest C to the largest
    wanted = {("cardinality", arm): {arm: 1.0, "cardinality": -1.0} for arm in arms if arm in ("depth", "width")}
    if kind == "trade":
        wanted = {(arm, ordered[0]): {ordered[0]: 1.0, arm: -1.0} for arm in ordered[1:]}
        wanted["trend", ""] = _trend(ordered)
    found = {names: contrast(runs, weights, fits) for names, weights in wanted.items()}
    for name, sign, threshold in (("p", 1, 0.0), ("p_worse", -1, 0.0), ("p_gain", 1, margin), ("p_loss", -1, margin)):
        values = [_p(sign * one["difference"] - threshold, one) for one in found.values()]
        for one, value, adjusted in zip(found.values(), values, holm(values), strict=True):
            one |= {name: value, f"{name}_holm": adjusted}

    sure, marginal = SURE * spent, MARGINAL * spent
    weak = []
    if kind == "spend" and "base" in arms:
        against_base = {arm: contrast(runs, {"base": 1.0, arm: -1.0}, fits) for _, arm in found}
        weak = [arm for arm, one in against_base.items() if _p(one["difference"], one) > sure]
    better = {names for names, one in found.items() if one["p_holm"] <= sure}
    worse = {names for names, one in found.items() if one["p_worse_holm"] <= sure}
    decisive = set(found) if kind == "spend" else {("trend", "")}

    gains = all(found[names]["p_gain"] <= marginal for names in decisive) and decisive <= better
    loses = any(found[names]["p_loss_holm"] <= marginal for names in decisive & worse)
    some = any(found[names]["p_gain_holm"] <= marginal for names in better if names[1] not in weak)
    if kind == "spend":
        gains = gains and "base" in arms and not weak
    else:
        largest = [contrast(runs, {arm: 1.0, ordered[-1]: -1.0}, fits) for arm in ordered[1:-1]]
        gains = gains and found[ordered[-1], ordered[0]]["difference"] > 0
        gains = gains and not any(_p(-one["difference"], one) <= marginal for one in largest)
        pairs = [one for names, one in found.items() if names != ("trend", "")]
        loses = loses and not any(one["p"] <= sure or one["difference"] >= margin for one in pairs)
    same = all(_p(margin - abs(one["difference"]), one) <= marginal for one in found.values())

    if _invalid(rows, confirming, arms):
        word = "invalid"
    elif min(len(by_seed) for by_seed in runs.values()) < FEWEST_RUNS:
        word = "inconclusive"
    else:
        words = {"supported": gains, "no practical difference": same, "contradicted": loses, "partly supported": some}
        word = next((word for word, fits_it in words.items() if fits_it), "inconclusive")
    direction = "better" if decisive <= better else "worse" if decisive & worse else None
    said = {"kind": kind, "word": word, "direction": None if word == "invalid" else direction}
    return said | {"comparisons": found, "weak": weak, "rates": {arm: fit["rate"] for arm, fit in fits.items()}}


def _failed(row: Row) -> bool:
    return row.get("state") == "failed"


def _groups(arm: str) -> int:
    """C of an arm named as 2x40d is, 0 of any other."""
    name = re.match(r"(\d+)x\d+d$", arm)
    return int(name[1]) if name else 0


def _trend(arms: Sequence[str]) -> dict[str, float]:
    x = np.log2([_groups(arm) for arm in arms])
    weights = -(x - x.mean()) * (x.max() - x.min()) / np.sum((x - x.mean()) ** 2)
    return dict(zip(arms, weights.tolist(), strict=True))


def _p(excess: float, one: Mapping[str, Any]) -> float:
    """P-value against "not above 0" of what was found to be `excess`; without any spread it is 0 or 1."""
    if one["standard_error"] == 0:
        return 0.0 if excess > 0 else 1.0
    return t_upper(excess / one["standard_error"], one["degrees"])


def _invalid(rows: Sequence[Row], confirming: Sequence[Row], arms: Sequence[str]) -> bool:
    """Unequal tuning, a best rate at the edge of the first round, unfinished runs, over 10 % failed in an arm."""
    trials = {arm: [row for row in rows if row["phase"] == "tune" and row["arm"] == arm] for arm in arms}
    if len({tuple(sorted(str(row["seed"]) for row in of_arm)) for of_arm in trials.values()}) > 1:
        return True
    for of_arm in trials.values():
        first = [row for row in of_arm if row["seed"] == min(row["seed"] for row in of_arm)]
        scored = {row["learning_rate"]: _log_error(row) for row in first if not math.isnan(_log_error(row))}
        tried = [row["learning_rate"] for row in first]
        if first and (not scored or min(scored, key=lambda rate: scored[rate]) in (min(tried), max(tried))):
            return True
    failed = [np.mean([_failed(row) for row in confirming if row["arm"] == arm]) for arm in arms]
    return max(failed) > 0.1 or any(row.get("state", "completed") not in ("completed", "failed") for row in confirming)
