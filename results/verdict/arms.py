"""What did each arm score and cost, and at which scale? The rows of a verdict, before anything is compared.

Equal FLOPs are not equal parameters, activations or time: what the runs say of these stands beside the errors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from resnext_search.results.inference.comparisons import NOT_KNOWN
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.sample import Run, Sample, gather
from resnext_search.results.runs.columns import COUNTS
from resnext_search.results.statistics.estimates import ROUNDING, Estimate, independent, paired
from resnext_search.results.verdict.fairness import cost_of, silent_arms


@dataclass(frozen=True)
class ArmResult:
    """An arm, or a finalist of the search, with its runs that are evidence; what is not known is NaN or None.

    Args:
        arm: Its name.
        architecture: Name of the network; None of a space, which has many.
        runs: That have a test error and are not left out.
        test_error: Mean, in percent.
        interval: Of the mean, two-sided, 95 %.
        deviation: Standard deviation of the test error between runs, in points.
        multiply_adds: Of one image; like `parameters` and `activations`. Of a space the mean.
        parameters: Weights.
        activations: Of one image.
        seconds: Mean training time of a run.
    """

    arm: str
    architecture: str | None
    runs: int
    test_error: float
    interval: tuple[float, float]
    deviation: float
    multiply_adds: int | None
    parameters: int | None
    activations: int | None
    seconds: float | None


@dataclass(frozen=True)
class Scale:
    """For what the verdict holds, and for nothing else; None where the table does not say it of all arms.

    Args:
        data: Names of the data sets.
        epochs: Trained for.
        multiply_adds: Of the cheapest and of the dearest arm; the base, which is to cost less, is none of them.
        seeds: Runs of the arm with the fewest, and of that with the most.
        test_examples: Test images, in all folds together.
    """

    data: str | None
    epochs: int | None
    multiply_adds: tuple[int, int] | None
    seeds: tuple[int, int]
    test_examples: int | None


def scale_of(runs: Sequence[Run], sample: Sample) -> Scale:
    """The scale of the arms' runs that confirm."""
    costs = [run.multiply_adds for run in runs if run.multiply_adds is not None]
    epochs = [run.epochs for run in runs if run.epochs is not None and run.state == "completed"]
    seeds = [len(errors) for errors in sample.errors] or [0]
    data = {run.data for run in runs if run.data is not None}
    return Scale(
        ", ".join(sorted(data)) if data and not silent_arms(runs, "data") else None,
        round(max(epochs)) if epochs and not silent_arms(runs, "epochs") else None,
        (round(min(costs)), round(max(costs))) if costs else None,
        (min(seeds), max(seeds)),
        sample.examples(),
    )


def arm_result(runs: Sequence[Run], sample: Sample, arm: str) -> ArmResult:
    """The result of an arm of a sample; `runs` are those that confirm."""
    own = [run for run in runs if run.arm == arm]
    seconds = [run.seconds for run in own if run.seconds is not None and run.state == "completed"]
    estimate = sample.estimate_of(arm)
    counts = {column: cost_of(own, arm, column) for column in COUNTS}
    return ArmResult(
        arm,
        _name_of_all(own),
        len(sample.errors[sample.arms.index(arm)]),
        estimate.value,
        NOT_KNOWN if math.isnan(estimate.standard_error) else estimate.interval(0.95),
        sample.deviation_of(arm),
        **{column: None if value is None else round(value) for column, value in counts.items()},
        seconds=sum(seconds) / len(seconds) if seconds else None,
    )


def _name_of_all(runs: Sequence[Run]) -> str | None:
    """The network that all runs are of; None where they are of several."""
    names = {run.architecture for run in runs if run.architecture is not None}
    return names.pop() if len(names) == 1 else None


def finalist_results(runs: Sequence[Run]) -> tuple[ArmResult, ...]:
    """The results of the finalists among the runs that confirm, each by itself."""
    finalists = sorted({run.arm for run in runs if run.is_finalist})
    return tuple(arm_result(runs, gather(runs, Question("pair", arm, (arm,)))[0], arm) for arm in finalists)


# Seconds are measured, and a machine is never twice as fast in the same way.
SECONDS_TOLERANCE = 0.05


@dataclass(frozen=True)
class CostRatio:
    """What the claimant costs, divided by what a rival costs, in one kind of cost.

    Args:
        claimant: The arm.
        rival: The other arm.
        quantity: `parameters`, `activations` or `seconds`.
        ratio: Claimant / rival; of seconds, and of the networks of spaces, the geometric mean.
        interval: Of such a ratio, 95 %; counts of arms are exact, and both ends are the ratio.
        answer: What the comparison of test errors says at equal cost of this kind.
    """

    claimant: str
    rival: str
    quantity: str
    ratio: float
    interval: tuple[float, float]
    answer: str


def compare_costs(runs: Iterable[Run], question: Question, tolerance: float) -> Iterator[CostRatio]:
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
                # networks of a space are a sample of it, as seconds are of a machine
                drawn = _log_ratio(completed, claimant, rival, quantity) if question.kind == "spaces" else None
                ratio, interval = (own / other, (own / other, own / other)) if drawn is None else _of_log(drawn)
                answer = _answer(claimant, quantity, ratio, tolerance)
                yield CostRatio(claimant, rival, quantity, ratio, interval, answer)
        logarithm = _log_ratio(completed, claimant, rival, "seconds")
        if logarithm is not None:
            ratio, interval = _of_log(logarithm)
            answer = _answer(claimant, "training seconds", ratio, SECONDS_TOLERANCE)
            yield CostRatio(claimant, rival, "seconds", ratio, interval, answer)


def _of_log(logarithm: Estimate) -> tuple[float, tuple[float, float]]:
    """The ratio whose logarithm this is, with its 95 % interval."""
    low, high = logarithm.interval(0.95)
    return math.exp(logarithm.value), (math.exp(low), math.exp(high))


def _log_ratio(runs: Sequence[Run], claimant: str, rival: str, quantity: str) -> Estimate | None:
    """By seed where both arms have the same seeds: their runs then shared the machine's good and bad hours."""
    own, other = (
        {run.unit: math.log(value) for run in runs if run.arm == arm and (value := getattr(run, quantity))}
        for arm in (claimant, rival)
    )
    if not own or not other:
        return None
    if set(own) == set(other):
        return paired(np.array([own[unit] - other[unit] for unit in sorted(own)]))
    return independent([np.array(list(own.values())), np.array(list(other.values()))], np.array([1.0, -1.0]))


def _answer(claimant: str, quantity: str, ratio: float, tolerance: float) -> str:
    if abs(ratio - 1) <= tolerance + ROUNDING:
        return f"equal: the comparison holds at equal {quantity} too"
    if ratio < 1:
        return f"less: where {claimant} is ahead, it is so at equal {quantity} a fortiori"
    return f"more: whether {claimant} is ahead at equal {quantity} is not answered by these runs"
