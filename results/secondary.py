"""Equal FLOPs are not equal parameters, activations or time. What do the runs say at equal cost of these kinds?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from resnext_search.results.evidence import Run
from resnext_search.results.fairness import cost_of
from resnext_search.results.rules import ROUNDING, Question
from resnext_search.results.statistics import Estimate, independent, paired

# Seconds are measured, and a machine is never twice as fast in the same way.
SECONDS_TOLERANCE = 0.05


@dataclass(frozen=True)
class Secondary:
    """What the claimant costs beside a rival, in one kind of cost.

    Args:
        claimant: The arm.
        rival: The other arm.
        quantity: `parameters`, `activations` or `seconds`.
        ratio: Claimant / rival; of seconds the geometric mean.
        interval: Of the ratio of seconds, 95 %; counts are exact, and both ends are the ratio.
        answer: What the comparison of test errors says at equal cost of this kind.
    """

    claimant: str
    rival: str
    quantity: str
    ratio: float
    interval: tuple[float, float]
    answer: str


def compare_costs(runs: Iterable[Run], question: Question, tolerance: float) -> Iterator[Secondary]:
    """Compare what the arms of every plain comparison cost; a kind that is not known of both is left out.

    Args:
        runs: Those that confirm.
        question: What is asked.
        tolerance: Largest difference of counts that are equal, as a share; seconds have `SECONDS_TOLERANCE`.
    """
    completed = [run for run in runs if run.state == "completed"]
    for claimant, rival in question.pairs():
        for quantity in ("parameters", "activations"):
            own, other = cost_of(completed, claimant, quantity), cost_of(completed, rival, quantity)
            if own is not None and other is not None:
                ratio = own / other
                answer = _answer(claimant, quantity, ratio, tolerance)
                yield Secondary(claimant, rival, quantity, ratio, (ratio, ratio), answer)
        logarithm = _log_ratio_of_seconds(completed, claimant, rival)
        if logarithm is not None:
            low, high = logarithm.interval(0.95)
            ratio = math.exp(logarithm.value)
            answer = _answer(claimant, "training seconds", ratio, SECONDS_TOLERANCE)
            yield Secondary(claimant, rival, "seconds", ratio, (math.exp(low), math.exp(high)), answer)


def _log_ratio_of_seconds(runs: Sequence[Run], claimant: str, rival: str) -> Estimate | None:
    """By seed where both arms have the same seeds: their runs then shared the machine's good and bad hours."""
    own, other = (
        {run.seed: math.log(run.seconds) for run in runs if run.arm == arm and run.seconds} for arm in (claimant, rival)
    )
    if not own or not other:
        return None
    if set(own) == set(other):
        return paired(np.array([own[seed] - other[seed] for seed in sorted(own)]))
    return independent([np.array(list(own.values())), np.array(list(other.values()))], np.array([1.0, -1.0]))


def _answer(claimant: str, quantity: str, ratio: float, tolerance: float) -> str:
    if abs(ratio - 1) <= tolerance + ROUNDING:
        return f"equal: the comparison holds at equal {quantity} too"
    if ratio < 1:
        return f"less: where {claimant} is ahead, it is so at equal {quantity} a fortiori"
    return f"more: whether {claimant} is ahead at equal {quantity} is not answered by these runs"
