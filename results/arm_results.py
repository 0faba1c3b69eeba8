"""What did each arm score and cost, and at which scale? The rows of a verdict, before anything is compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from resnext_search.results.comparisons import NOT_KNOWN
from resnext_search.results.evidence import COUNTS, Run
from resnext_search.results.fairness import cost_of
from resnext_search.results.rules import Question
from resnext_search.results.sample import Sample, gather


@dataclass(frozen=True)
class ArmResult:
    """An arm, or a finalist of the search, with its runs that are evidence; what is not known is NaN or None.

    Args:
        arm: Its name.
        architecture: Name of the network.
        runs: That have a test error and are not left out.
        test_error: Mean, in percent.
        interval: Of the mean, two-sided, 95 %.
        deviation: Standard deviation of the test error between runs, in points.
        multiply_adds: Of one image; like `parameters` and `activations`.
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
    """For what the verdict holds, and for nothing else; None where the table does not say it.

    Args:
        data: Names of the data sets.
        epochs: Trained for.
        multiply_adds: Of the cheapest and of the dearest arm.
        seeds: Runs of the arm with the fewest, and of that with the most.
        test_examples: Test images.
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
    return Scale(
        ", ".join(sorted({run.data for run in runs if run.data is not None})) or None,
        round(max(epochs)) if epochs else None,
        (round(min(costs)), round(max(costs))) if costs else None,
        (min(seeds), max(seeds)),
        None if sample.wrong is None else sample.wrong.shape[2],
    )


def arm_result(runs: Sequence[Run], sample: Sample, arm: str) -> ArmResult:
    """The result of an arm of a sample; `runs` are those that confirm."""
    own = [run for run in runs if run.arm == arm]
    seconds = [run.seconds for run in own if run.seconds is not None and run.state == "completed"]
    estimate = sample.estimate_of(arm)
    counts = {column: cost_of(own, arm, column) for column in COUNTS}
    return ArmResult(
        arm,
        next((run.architecture for run in own if run.architecture is not None), None),
        len(sample.errors[sample.arms.index(arm)]),
        estimate.value,
        NOT_KNOWN if math.isnan(estimate.standard_error) else estimate.interval(0.95),
        sample.deviation_of(arm),
        **{column: None if value is None else round(value) for column, value in counts.items()},
        seconds=sum(seconds) / len(seconds) if seconds else None,
    )


def finalist_results(runs: Sequence[Run]) -> tuple[ArmResult, ...]:
    """The results of the finalists among the runs that confirm, each by itself."""
    results = []
    for arm in sorted({run.arm for run in runs if run.is_finalist}):
        sample, _ = gather(runs, Question("pair", arm, (arm,)))
        results.append(arm_result(runs, sample, arm))
    return tuple(results)
