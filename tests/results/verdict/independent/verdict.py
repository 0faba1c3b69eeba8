"""The verdict once more, from its page alone: docs/explanation/verdict.md, numpy and nothing else.

Its first version was written without a look at the project's own code; where the page left a choice, it then took the
code's. Where the two disagree it follows the page. Without folds; `spent` is the share that a look may spend.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.results.verdict.independent.student_t import t_quantile, t_upper
from tests.results.verdict.independent.tuning import failed, first_seed, tuned

Row = Mapping[str, Any]
Runs = Mapping[str, Mapping[int, Row]]  # by arm and seed
Answer = dict[str, str | None]  # a word and a direction
SURE, MARGINAL = 0.025, 0.05  # the levels of better and worse, and those of gain, loss and "no difference"


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given."""
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, index in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[index]))
        adjusted[index] = highest
    return adjusted


def contrast(runs: Runs, weights: Mapping[str, float], fits: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """The weighted mean test error with all that the page says of it; NaN where there is nothing to say it from."""
    known = all(row.get("correct") is not None for of_arm in runs.values() for row in of_arm.values())
    wrong = {arm: 100.0 * ~np.array([row["correct"] for row in runs[arm].values()]) for arm in weights if known}
    errors = {arm: np.array([row["test_error"] for row in runs[arm].values()], float) for arm in weights}
    errors |= {arm: of_images.mean(axis=1) for arm, of_images in wrong.items()}
    median, wins = sum(w * float(np.median(errors[arm])) for arm, w in weights.items()), np.full(1, math.nan)
    if len({tuple(of_arm) for of_arm in runs.values()}) == 1:
        wins = by_seed = sum(w * errors[arm] for arm, w in weights.items())
        median = float(np.median(by_seed))
        parts, example = _paired(by_seed, sum(w * wrong[arm] for arm, w in weights.items()) if known else None)
    else:
        parts, example = _unpaired(errors, wrong, weights)
        if len(weights) == 2:  # every run of the rival against every run of the claimant
            rival, claimant = sorted(weights, key=lambda arm: -weights[arm])
            wins = errors[rival][:, None] - errors[claimant]
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
        "median": median,
        "probability": float(np.mean((np.sign(np.round(wins, 9)) + 1) / 2)),  # rounded, so that a tie is one
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

    A row has phase (tune or confirm), arm, seed, learning_rate, validation_error, state, test_error, correct,
    validation_images and multiply_adds; what is not known is None or missing. The trend is ("trend", "").
    Of several budgets also `budgets`, a word and a direction by multiple, and `over_budgets`, mean and slope by way.
    """
    confirming = sorted((row for row in rows if row["phase"] == "confirm"), key=lambda row: row["seed"])
    arms = list(dict.fromkeys(row["arm"] for row in confirming))
    runs = _evidence({arm: {row["seed"]: row for row in confirming if row["arm"] == arm} for arm in arms})
    kind, fits = ("spend" if any(_way(arm) == "cardinality" for arm in arms) else "trade"), tuned(rows)
    ordered = sorted(arms, key=_groups) if kind == "trade" else []  # from the smallest C to the largest
    rivals = [arm for arm in arms if arm != "base" and not _way(arm).startswith("cardinality")]
    wanted = {(_claimant(arm), arm): {arm: 1.0, _claimant(arm): -1.0} for arm in rivals}
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
    for one in found.values():
        one["p_same"] = _p(margin - abs(one["difference"]), one)
    matched = [arm for arm in arms if kind == "spend" and "base" in arms and arm != "base"]
    bought = {arm: contrast(runs, {"base": 1.0, arm: -1.0}, fits) for arm in matched}
    said = {"kind": kind, "comparisons": found, "bought": bought, "rates": {arm: fits[arm]["rate"] for arm in fits}}
    barred = _barred(rows, runs)
    if kind == "trade":
        largest = [contrast(runs, {arm: 1.0, ordered[-1]: -1.0}, fits) for arm in ordered[1:-1]]
        return said | (barred or _trade(found, ordered, largest, margin, spent))
    weak = {arm for arm, one in bought.items() if _p(one["difference"], one) > SURE * spent}
    said |= barred or _spend(found, weak, "base" in arms, spent)
    multiples = sorted({_multiple(arm) for arm in rivals})
    if len(multiples) == 1:
        return said
    own = [{names: one for names, one in found.items() if _multiple(names[1]) == at} for at in multiples]
    same = holm([max(one["p_same"] for one in of_budget.values()) for of_budget in own])
    everywhere = {"word": said["word"]} if said["word"] in ("supported", "no practical difference") else {}
    said["budgets"] = {}
    for at, of_budget, p in zip(multiples, own, same, strict=True):
        strict = {names: one | {"p_gain": one["p_gain_holm"], "p_same": p} for names, one in of_budget.items()}
        said["budgets"][at] = (barred or _spend(strict, weak, "base" in arms, spent)) | everywhere
    ways = list(dict.fromkeys(_way(arm) for arm in rivals))
    return said | {"over_budgets": {way: _over_budgets(way, multiples, runs, fits) for way in ways}}


def _spend(found: Mapping, weak: set[str], has_base: bool, spent: float) -> Answer:
    """The answer against these rivals; of one budget of several their p-values are corrected for all."""
    sure, marginal = SURE * spent, MARGINAL * spent
    better = {names for names, one in found.items() if one["p_holm"] <= sure}
    worse = {names for names, one in found.items() if one["p_worse_holm"] <= sure}
    trained = has_base and not any(names[1] in weak for names in found)
    some = any(found[names]["p_gain_holm"] <= marginal for names in better if names[1] not in weak)
    words = {
        "supported": trained and len(better) == len(found) and all(one["p_gain"] <= marginal for one in found.values()),
        "no practical difference": all(one["p_same"] <= marginal for one in found.values()),
        "contradicted": any(found[names]["p_loss_holm"] <= marginal for names in worse),
        "partly supported": some,
    }
    return _answer(words, len(better) == len(found), bool(worse))


def _trade(found: Mapping, ordered: Sequence[str], largest: Sequence[Mapping], margin: float, spent: float) -> Answer:
    """The answer of a trade; `largest` are the comparisons of the largest C with those in between."""
    sure, marginal = SURE * spent, MARGINAL * spent
    trend, pairs = found["trend", ""], {names: one for names, one in found.items() if names[1]}
    ends = pairs[ordered[-1], ordered[0]]
    up, down = trend["p_holm"] <= sure, trend["p_worse_holm"] <= sure
    loses_to_one = any(_p(-one["difference"], one) <= marginal for one in largest)
    some_better = any(one["p"] <= sure or one["difference"] >= margin for one in pairs.values())
    words = {
        "supported": up and trend["p_gain"] <= marginal and ends["p_holm"] <= sure and not loses_to_one,
        "no practical difference": all(one["p_same"] <= marginal for one in found.values()),
        "contradicted": down and trend["p_loss"] <= marginal and not some_better,
        "partly supported": any(one["p_holm"] <= sure and one["p_gain_holm"] <= marginal for one in pairs.values()),
    }
    if len(ordered) > 2:
        up, down = up and ends["p_holm"] <= sure and not loses_to_one, down and ends["p_worse_holm"] <= sure
        down = down and not some_better
    return _answer(words, up, down)


def _answer(words: Mapping[str, bool], up: bool, down: bool) -> Answer:
    """The first word that fits."""
    word = next((word for word, fits_it in words.items() if fits_it), "inconclusive")
    return {"word": word, "direction": "better" if up else "worse" if down else None}


def _over_budgets(way: str, multiples: Sequence[int], runs: Runs, fits: Mapping) -> dict[str, Any]:
    """What cardinality gains on this way: its `mean` over the budgets, and its `slope` as multiply-adds double."""
    known = [next(iter(runs[f"cardinality@{at}"].values())).get("multiply_adds") for at in multiples]
    costs = known if all(known) else multiples
    x = np.log2(costs) - np.mean(np.log2(costs))
    lines = {"mean": np.full(len(x), 1 / len(x)), "slope": x / np.sum(x**2)}
    return {
        name: contrast(
            runs,
            {f"{arm}@{at}": sign * float(w) for arm, sign in ((way, 1), ("cardinality", -1))
             for at, w in zip(multiples, line, strict=True) if w},
            fits,
        )
        for name, line in lines.items()
    }  # fmt: skip


def _way(arm: str) -> str:
    """How an arm named as width@4 is spends; that of one budget has no multiple."""
    return arm.partition("@")[0]


def _multiple(arm: str) -> int:
    """At which multiple of the base; 0 where there is but one budget."""
    return int(arm.partition("@")[2] or 0)


def _claimant(rival: str) -> str:
    """That of its budget."""
    return "cardinality" + "".join(rival.partition("@")[1:])


def _evidence(runs: Runs) -> Runs:
    """The runs that did not fail; where all arms have the same seeds, of the seeds on which none failed."""
    lost = {arm: {seed for seed, row in of_arm.items() if failed(row)} for arm, of_arm in runs.items()}
    if len({tuple(of_arm) for of_arm in runs.values()}) == 1:
        lost = dict.fromkeys(runs, set().union(*lost.values()))
    return {arm: {seed: row for seed, row in of_arm.items() if seed not in lost[arm]} for arm, of_arm in runs.items()}


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


def _barred(rows: Sequence[Row], runs: Runs) -> Answer | None:
    """What stands instead of an answer where these runs allow none."""
    if _invalid(rows, list(runs)):
        return {"word": "invalid", "direction": None}
    return {"word": "inconclusive", "direction": None} if min(map(len, runs.values())) < 10 else None


def _invalid(rows: Sequence[Row], arms: Sequence[str]) -> bool:
    """Unequal tuning, a best rate at the edge of the first round, unfinished runs, over 10 % failed in an arm."""
    trials = {arm: [row for row in rows if row["phase"] == "tune" and row["arm"] == arm] for arm in arms}
    if len({tuple(sorted(row["seed"] for row in of_arm)) for of_arm in trials.values()}) > 1:
        return True
    firsts = [[row for row in of_arm if row["seed"] == first_seed(of_arm)] for of_arm in trials.values() if of_arm]
    curves = [sorted((row["learning_rate"], math.inf if failed(row) else row["validation_error"]) for row in first)
              for first in firsts]  # fmt: skip
    if len({tuple(rate for rate, _ in curve) for curve in curves}) > 1:
        return True
    for errors in ([error for _, error in curve] for curve in curves):
        if min(errors) == math.inf or min(errors) not in errors[1:-1]:  # a tie is not at the edge
            return True
    runs = [[row for row in rows if row["phase"] == "confirm" and row["arm"] == arm] for arm in arms]
    if any(row.get("state", "completed") not in ("completed", "failed") for of_arm in runs for row in of_arm):
        return True
    return max(np.mean([failed(row) for row in of_arm]) for of_arm in runs) > 0.1
