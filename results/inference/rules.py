"""When is the answer which word? The second rules of the verdict, fixed before any run.

Every word or phrase that says better or worse errs in at most 2.5 % of studies on its side if nothing differs, all
comparisons together; "by at least the margin" errs in at most 5 %. They work on p-values, of one study or of many at
once, so that `power.py` applies the very rules that judge. Imports numpy alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from resnext_search.results.inference.question import Word

Direction = Literal["better", "worse"] | None

# Better, or worse: on each side.
ALPHA_DIRECTION = 0.025
# By at least the margin, or by less.
ALPHA_MARGIN = 0.05
# A planned look at which one of these comes out is followed by the next: more seeds may still make it another word.
OPEN_WORDS: tuple[Word, ...] = ("inconclusive", "partly supported", "invalid")


@dataclass(frozen=True)
class Finding:
    """What the rules look at, of one comparison: one-sided p-values.

    Args:
        better: Against "no better than the rival", corrected for the number of comparisons.
        worse: Against "no worse", corrected.
        gain: Against "better by less than the margin".
        gain_corrected: The same, corrected.
        loss: Against "worse by less than the margin".
        loss_corrected: The same, corrected.
        negligible: Against "differs by the margin or more, either way".
    """

    better: float
    worse: float
    gain: float
    gain_corrected: float
    loss: float
    loss_corrected: float
    negligible: float


@dataclass(frozen=True)
class TrendFinding:
    """What the rules look at beside the comparisons of a `trade`.

    Args:
        trend: Of the error over log2 C, corrected together with the comparisons.
        last_loses: Whether the largest C surely errs more than some other but the smallest.
        some_better: Whether some C is surely better than the smallest, or better by the margin as far as one can see.
    """

    trend: Finding
    last_loses: bool
    some_better: bool


def is_gain(better: Any, gain: Any, spent: float = 1.0) -> Any:
    """Whether a difference is surely above 0 and surely at least the margin; p-values, or arrays of one shape, such as
    `(studies,)`. A NaN is no gain.

    Args:
        better: Against "no better", corrected.
        gain: Against "better by less than the margin".
        spent: Share of the error that this look may spend.

    >>> is_gain(0.01, 0.04), is_gain(0.03, 0.04), is_gain(0.01, 0.06)
    (True, False, False)
    """
    return (better <= ALPHA_DIRECTION * spent) & (gain <= ALPHA_MARGIN * spent)


def direction_of(findings: Sequence[Finding], trend: TrendFinding | None = None, spent: float = 1.0) -> Direction:
    """`better` if the claimant is surely better than every rival, `worse` if surely worse than one, else `null`.

    Of a `trade` the trend and the largest C against the smallest have to agree, and no C in between may say otherwise.
    """
    if trend is not None:
        last, level = findings[-1], ALPHA_DIRECTION * spent
        if max(trend.trend.better, last.better) <= level and not trend.last_loses:
            return "better"
        return "worse" if max(trend.trend.worse, last.worse) <= level and not trend.some_better else None
    if all(finding.better <= ALPHA_DIRECTION * spent for finding in findings):
        return "better"
    return "worse" if any(finding.worse <= ALPHA_DIRECTION * spent for finding in findings) else None


def choose_word(
    comparisons: Sequence[Finding],
    trend: TrendFinding | None,
    *,
    sound: Sequence[bool] | None = None,
    base_is_missing: bool = False,
    spent: float = 1.0,
) -> Word:
    """The verdict on valid runs with enough seeds; the first word that fits.

    Args:
        comparisons: The plain ones; at least one.
        trend: Of a `trade` of three arms or more.
        sound: Of every comparison of a `spend`, whether its rival is surely better than the base that it was made from;
            a rival that is not was not trained well enough to be one. None where that is not asked.
        base_is_missing: Of a `spend` that has none: nobody knows, and nothing is `supported`.
        spent: Share of the error that this look may spend.
    """
    gains = [bool(is_gain(one.better, one.gain_corrected, spent)) for one in comparisons]
    counted = [gain and (sound is None or sound[place]) for place, gain in enumerate(gains)]
    everything = comparisons if trend is None else [*comparisons, trend.trend]
    may_support = not base_is_missing and (sound is None or all(sound))
    if may_support and _is_supported(comparisons, trend, spent):
        return "supported"
    if all(one.negligible <= ALPHA_MARGIN * spent for one in everything):
        return "no practical difference"
    if _is_contradicted(comparisons, trend, spent):
        return "contradicted"
    return "partly supported" if any(counted) else "inconclusive"


def _is_supported(comparisons: Sequence[Finding], trend: TrendFinding | None, spent: float) -> bool:
    """Beats every rival: each test at its level, and all together keep it."""
    if trend is None:
        return all(bool(is_gain(one.better, one.gain, spent)) for one in comparisons)
    last_wins = comparisons[-1].better <= ALPHA_DIRECTION * spent and not trend.last_loses
    return bool(is_gain(trend.trend.better, trend.trend.gain, spent)) and last_wins


def _is_contradicted(comparisons: Sequence[Finding], trend: TrendFinding | None, spent: float) -> bool:
    """Loses to some rival: any test may say so, and is corrected for it; in a trade the trend alone may."""
    if trend is None:
        return any(bool(is_gain(one.worse, one.loss_corrected, spent)) for one in comparisons)
    return bool(is_gain(trend.trend.worse, trend.trend.loss, spent)) and not trend.some_better


def all_corrected_below(p_values: Any, level: float) -> Any:
    """Whether Holm's corrected p-values of a study are all at most a level.

    Args:
        p_values: `(comparisons, ...)` array.
        level: Such as 0.025.

    >>> all_corrected_below(np.array([[0.01, 0.02], [0.02, 0.02]]), 0.025).tolist()  # the smaller one counts double
    [True, False]
    """
    ordered = np.sort(p_values, axis=0)
    allowed = level / np.arange(len(ordered), 0, -1)
    return np.asarray((ordered <= allowed.reshape(-1, *[1] * (ordered.ndim - 1))).all(axis=0))
