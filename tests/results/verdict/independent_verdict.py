"""The verdict once more, from its page alone: docs/explanation/verdict.md, numpy and nothing else.

Its first version was written without a look at the project's own code; where the page left a choice, it then took the
code's. Where the two disagree it follows the page. Without folds; `spent` is the share that a look may spend.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Row = Mapping[str, Any]
Runs = Mapping[str, Mapping[int, Row]]  # by arm and seed
SURE, MARGINAL = 0.025, 0.05  # the levels of better and worse, and those of gain, loss and "no difference"


def t_upper(t: float, degrees: float) -> float:
    """P(T > t), to 1e-10, by the regularised incomplete beta function."""
    tail = 0.5 * _incomplete_beta(degrees / (degrees + t * t), t * t / (degrees + t * t), degrees / 2, 0.5)
    return tail if t >= 0 else 1 - tail


def t_quantile(probability: float, degrees: float) -> float:
    """The t with P(T < t) = probability, of 1/2 or more: Newton's steps, from the left of a convex tail."""
    t, step = 0.0, 1.0
    constant = -_log_beta(degrees / 2, 0.5) - math.log(degrees) / 2
    while step > 1e-12 * (1 + t):
        density = math.exp(constant - (degrees + 1) / 2 * math.log1p(t * t / degrees))
        step = (t_upper(t, degrees) - (1 - probability)) / density
        t += step
    return t


def _incomplete_beta(x: float, rest: float, a: float, b: float) -> float:
    """I_x(a, b) with rest = 1 - x: Lentz's continued fraction on the side where it converges fast."""
    if x <= 0 or rest <= 0:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(rest, x, b, a)
    front = math.exp(a * math.log(x) + b * math.log(rest) - _log_beta(a, b)) / a
    tiny, c = 1e-300, 1.0
    value = d = 1 / (1 - (a + b) * x / (a + 1) or tiny)
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
    later = np.array([row["seed"] != _first_seed(trials) for row in trials])
    later = np.isin(x, x[later if later.any() else ~later])  # and so is what was tried at the same rate before
    known = ~np.isnan(raw)
    lowest = min(raw[known & (x == rate)].mean() for rate in np.unique(x[known & later]))
    images = trials[0].get("validation_images") or 1000
    cap = lowest + max(0.2, 3 / math.sqrt(images * math.exp(lowest) / 100 + 0.5))
    return x, np.where(np.isnan(raw), cap, np.minimum(raw, cap)), np.where(np.isnan(raw), cap, raw), later


def _first_seed(trials: Sequence[Row]) -> int:
    """That of the first round: the one whose rates span most, of equal ones the lowest."""
    seeds = sorted({row["seed"] for row in trials})
    rates = {seed: [row["learning_rate"] for row in trials if row["seed"] == seed] for seed in seeds}
    return max(seeds, key=lambda seed: max(rates[seed]) / min(rates[seed]))


def _log_error(row: Row) -> float:
    error = row.get("validation_error")
    if _failed(row) or error is None:
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


def contrast(runs: Runs, weights: Mapping[str, float], fits: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The weighted mean test error with all that the page says of it; NaN where there is nothing to say it from."""
    known = all(row.get("correct") is not None for of_arm in runs.values() for row in of_arm.values())
    wrong = {arm: 100.0 * ~np.array([row["correct"] for row in runs[arm].values()]) for arm in weights if known}
    errors = {arm: np.array([row["test_error"] for row in runs[arm].values()], float) for arm in weights}
    errors |= {arm: of_images.mean(axis=1) for arm, of_images in wrong.items()}
    by_seed = np.full(1, math.nan)
    if len({tuple(of_arm) for of_arm in runs.values()}) == 1:
        by_seed = sum(w * errors[arm] for arm, w in weights.items())
        parts, example = _paired(by_seed, sum(w * wrong[arm] for arm, w in weights.items()) if known else None)
    else:
        parts, example = _unpaired(errors, wrong, weights)
    squares = {arm: (w * errors[arm].mean()) ** 2 for arm, w in weights.items() if arm in fits}
    tuning = [(square * fits[arm]["variance"], fits[arm]["degrees"]) for arm, square in squares.items()]
    parts = [part for part in parts + tuning if part[0] != 0]
    variance = sum(part for part, _ in parts)
    degrees = float(variance**2 / sum(part**2 / df for part, df in parts)) if parts else math.nan
    value, error = float(sum(weights[arm] * errors[arm].mean() for arm in weights)), math.sqrt(variance)
    wide, narrow = (t_quantile(level, degrees) * error if error else 0.0 for level in (0.975, 0.95))
    return {
        "difference": value,
        "standard_error": error,
        "degrees": degrees,
        "interval_95": (value - wide, value + wide),
        "interval_90": (value - narrow, value + narrow),
        "example_error": example,
        "tuning_error": math.sqrt(sum(part for part, _ in tuning)) if len(tuning) == len(weights) else math.nan,
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
    parts = [(w**2 * float(errors[a].var(ddof=1)) / len(errors[a]), len(errors[a]) - 1) for a, w in weights.items()]
    if not wrong:
        return parts, math.nan
    m = next(iter(wrong.values())).shape[1]
    residuals = [_mean_squares(w * wrong[arm])[2] / (len(wrong[arm]) * m) for arm, w in weights.items()]
    parts = [(max(part, least), df) for (part, df), least in zip(parts, residuals, strict=True)]
    left = sum(residuals)
    images = float(sum(weight * wrong[arm].mean(axis=0) for arm, weight in weights.items()).var(ddof=1)) / m
    runs = sum(len(of_arm) for of_arm in wrong.values())
    of_images = [(max(images, left), m - 1), (-left, (runs - len(wrong)) * (m - 1))]
    return parts + of_images, math.sqrt(max(images - left, 0.0))


def judge(rows: Sequence[Row], margin: float, spent: float = 1.0) -> dict[str, Any]:
    """`kind`, `word`, `direction`, `comparisons` by (claimant, rival), and what was `bought`, by arm; tuned `rates`.

    A row has phase (tune or confirm), arm, seed, learning_rate, validation_error, state, test_error, correct and
    validation_images; what is not known is None or missing. The trend is the comparison ("trend", "").
    """
    confirming = sorted((row for row in rows if row["phase"] == "confirm"), key=lambda row: row["seed"])
    arms = list(dict.fromkeys(row["arm"] for row in confirming))
    runs = _evidence({arm: {row["seed"]: row for row in confirming if row["arm"] == arm} for arm in arms})
    kind, fits = ("spend" if "cardinality" in arms else "trade"), tuned(rows)
    ordered = sorted(arms, key=_groups) if kind == "trade" else []  # from the smallest C to the largest
    rivals = [arm for arm in arms if arm not in ("cardinality", "base")]
    wanted = {("cardinality", arm): {arm: 1.0, "cardinality": -1.0} for arm in rivals}
    if kind == "trade":
        wanted = {(arm, ordered[0]): {ordered[0]: 1.0, arm: -1.0} for arm in ordered[1:]}
        wanted["trend", ""] = _trend(ordered)
    found = {names: contrast(runs, weights, fits) for names, weights in wanted.items()}
    if kind == "trade":  # there are no seeds in which a trend errs less: the claimant is the largest C
        found["trend", ""]["probability"] = found[ordered[-1], ordered[0]]["probability"]
    for name, sign, threshold in (("p", 1, 0.0), ("p_worse", -1, 0.0), ("p_gain", 1, margin), ("p_loss", -1, margin)):
        values = [_p(sign * one["difference"] - threshold, one) for one in found.values()]
        adjusted = values if len(ordered) == 2 else holm(values)  # of two arms the trend is the comparison again
        for one, value, corrected in zip(found.values(), values, adjusted, strict=True):
            one |= {name: value, f"{name}_holm": corrected}
    sure, marginal = SURE * spent, MARGINAL * spent
    matched = [arm for arm in arms if kind == "spend" and "base" in arms and arm != "base"]
    bought = {arm: contrast(runs, {"base": 1.0, arm: -1.0}, fits) for arm in matched}
    weak = [arm for arm, one in bought.items() if _p(one["difference"], one) > sure]
    better = {names for names, one in found.items() if one["p_holm"] <= sure}
    worse = {names for names, one in found.items() if one["p_worse_holm"] <= sure}
    decisive = set(found) if kind == "spend" else {("trend", "")}
    gains = all(found[names]["p_gain"] <= marginal for names in decisive) and decisive <= better
    loss = "p_loss_holm" if kind == "spend" else "p_loss"
    loses = any(found[names][loss] <= marginal for names in decisive & worse)
    some = any(found[names]["p_gain_holm"] <= marginal for names in better if names[1] and names[1] not in weak)
    if kind == "spend":
        gains = gains and "base" in arms and not set(weak) & set(rivals)
    else:
        largest = [contrast(runs, {arm: 1.0, ordered[-1]: -1.0}, fits) for arm in ordered[1:-1]]
        loses_to_one = any(_p(-one["difference"], one) <= marginal for one in largest)
        gains = gains and (ordered[-1], ordered[0]) in better and not loses_to_one
        pairs = [one for names, one in found.items() if names != ("trend", "")]
        some_better = any(one["p"] <= sure or one["difference"] >= margin for one in pairs)
        loses = loses and not some_better
    same = all(_p(margin - abs(one["difference"]), one) <= marginal for one in found.values())
    few = min(len(by_seed) for by_seed in runs.values()) < 10
    if _invalid(rows, confirming, arms):
        word = "invalid"
    elif few:
        word = "inconclusive"
    else:
        words = {"supported": gains, "no practical difference": same, "contradicted": loses, "partly supported": some}
        word = next((word for word, fits_it in words.items() if fits_it), "inconclusive")
    up, down = decisive <= better, bool(decisive & worse)
    if kind == "trade" and len(ordered) > 2:
        ends = (ordered[-1], ordered[0])
        up, down = up and ends in better and not loses_to_one, down and ends in worse and not some_better
    direction = None if few or word == "invalid" else "better" if up else "worse" if down else None
    said = {"kind": kind, "word": word, "direction": direction}
    return said | {"comparisons": found, "bought": bought, "rates": {arm: fit["rate"] for arm, fit in fits.items()}}


def _evidence(runs: Runs) -> Runs:
    """The runs that did not fail; where all arms have the same seeds, of the seeds on which none failed."""
    lost = {arm: {seed for seed, row in of_arm.items() if _failed(row)} for arm, of_arm in runs.items()}
    if len({tuple(of_arm) for of_arm in runs.values()}) == 1:
        lost = dict.fromkeys(runs, set().union(*lost.values()))
    return {arm: {seed: row for seed, row in of_arm.items() if seed not in lost[arm]} for arm, of_arm in runs.items()}


def _failed(row: Row) -> bool:
    return row.get("state") == "failed"


def _groups(arm: str) -> int:
    """C of an arm named as 2x40d is."""
    return int(arm.partition("x")[0])


def _trend(arms: Sequence[str]) -> dict[str, float]:
    x = np.log2([_groups(arm) for arm in arms]) - np.mean(np.log2([_groups(arm) for arm in arms]))
    return {arm: -float(of) * (x[-1] - x[0]) / np.sum(x**2) for arm, of in zip(arms, x, strict=True) if of}


def _p(excess: float, one: Mapping[str, Any]) -> float:
    """P-value against "not above 0" of what was found to be `excess`; without any spread it is 0 or 1."""
    if one["standard_error"] == 0:
        return float(excess <= 0)
    return t_upper(excess / one["standard_error"], one["degrees"])


def _invalid(rows: Sequence[Row], confirming: Sequence[Row], arms: Sequence[str]) -> bool:
    """Unequal tuning, a best rate at the edge of the first round, unfinished runs, over 10 % failed in an arm."""
    trials = {arm: [row for row in rows if row["phase"] == "tune" and row["arm"] == arm] for arm in arms}
    if len({tuple(sorted(row["seed"] for row in of_arm)) for of_arm in trials.values()}) > 1:
        return True
    firsts = [[row for row in of_arm if row["seed"] == _first_seed(of_arm)] for of_arm in trials.values() if of_arm]
    curves = [sorted((row["learning_rate"], math.inf if _failed(row) else row["validation_error"]) for row in first)
              for first in firsts]  # fmt: skip
    if len({tuple(rate for rate, _ in curve) for curve in curves}) > 1:
        return True
    for errors in ([error for _, error in curve] for curve in curves):
        if min(errors) == math.inf or min(errors) not in errors[1:-1]:  # a tie is not at the edge
            return True
    failed = [np.mean([_failed(row) for row in confirming if row["arm"] == arm]) for arm in arms]
    return max(failed) > 0.1 or any(row.get("state", "completed") not in ("completed", "failed") for row in confirming)
