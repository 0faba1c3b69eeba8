"""Which numbers are compared? The test errors of the runs that are evidence, arm by arm and seed by seed."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from resnext_search.results.inference.rules import Question
from resnext_search.results.journal.rows import FINALIST
from resnext_search.results.statistics.estimates import Estimate, independent, paired, two_way
from resnext_search.spaces.architecture.complexity import Floats


@dataclass(frozen=True)
class Run:
    """One row: a network trained once. What the table does not say is None.

    Args:
        arm: Its name.
        seed: Of everything random.
        phase: `tune` or `confirm`; what is no study's is evidence, and confirms.
        state: As in a journal; a run that ended without a test error failed.
        test_error: Percent.
        correct: `(examples,)` array: which test images were recognised.
        validation_error: Percent; of tuning.
        learning_rate: Of tuning.
        multiply_adds: Of one image; like `parameters` and `activations` a property of the arm.
        seconds: Training time.
        epochs: Trained for.
        data: Name of the data set.
        architecture: Name of the network.
    """

    arm: str
    seed: int
    phase: str
    state: str
    test_error: float | None
    correct: NDArray[np.bool_] | None = None
    validation_error: float | None = None
    learning_rate: float | None = None
    multiply_adds: float | None = None
    parameters: float | None = None
    activations: float | None = None
    seconds: float | None = None
    epochs: float | None = None
    data: str | None = None
    architecture: str | None = None

    @property
    def is_finalist(self) -> bool:
        """Whether it confirms a winner of the free search: reported, and never compared."""
        return self.arm.startswith(FINALIST)


@dataclass(frozen=True)
class Sample:
    """The runs that are evidence.

    Args:
        arms: Names, in the order of the question.
        errors: One `(runs,)` array an arm: test error in percent, by ascending seed; an arm may have none.
        blocked: Whether run k of every arm has the same seed.
        wrong: `(arms, seeds, examples)` array: which test images were not recognised. Only where `blocked`.
    """

    arms: tuple[str, ...]
    errors: tuple[Floats, ...]
    blocked: bool
    wrong: NDArray[np.bool_] | None = None

    def estimate(self, weights: Floats) -> Estimate:
        """A contrast of the arms, `(arms,)` weights, with the best standard error that the runs allow."""
        used = np.flatnonzero(weights)
        if any(len(self.errors[arm]) == 0 for arm in used):
            return Estimate(math.nan, math.nan, math.nan)
        if self.wrong is not None:
            contrasts = np.zeros(self.wrong.shape[1:])
            for arm in used:
                contrasts += (100 * weights[arm]) * self.wrong[arm]
            return two_way(contrasts)
        if self.blocked:
            return paired(np.asarray(sum(weights[arm] * self.errors[arm] for arm in used)))
        return independent(self.errors, weights)

    def estimate_of(self, arm: str) -> Estimate:
        """Mean test error of one arm."""
        return self.estimate(np.array([float(name == arm) for name in self.arms]))

    def deviation_of(self, arm: str) -> float:
        """Standard deviation of an arm's test error between its runs; NaN for fewer than two."""
        errors = self.errors[self.arms.index(arm)]
        return float(errors.std(ddof=1)) if len(errors) > 1 else math.nan


def gather(runs: Iterable[Run], question: Question) -> tuple[Sample, list[str]]:
    """The numbers to compare, of runs as `read_runs` returns them, and notes on how they were chosen.

    If all arms have the same seeds, a seed on which any arm failed is left out for all of them.
    """
    by_arm: dict[str, dict[int, Run]] = {arm: {} for arm in question.arms}
    for run in runs:
        if run.phase == "confirm" and run.arm in by_arm:
            by_arm[run.arm][run.seed] = run
    ended = {arm: {seed for seed, run in of.items() if run.state == "completed"} for arm, of in by_arm.items()}
    seeds = {seed for of in by_arm.values() for seed in of}
    blocked = all(set(of) == seeds for of in by_arm.values())
    notes = []
    if blocked:
        shared = set.intersection(*ended.values())
        ended = dict.fromkeys(by_arm, shared)
        if len(shared) < len(seeds):
            lost = len(seeds) - len(shared)
            notes.append(f"{lost} of {len(seeds)} seeds left out for all arms: a run failed on them.")
    else:
        notes.append("The arms do not have the same seeds: they are compared as independent runs.")
        failed = sum(run.state == "failed" for of in by_arm.values() for run in of.values())
        if failed:
            notes.append(f"{failed} failed runs left out.")
    chosen = [[by_arm[arm][seed] for seed in sorted(ended[arm])] for arm in question.arms]
    tested = [[run.correct for run in of if run.correct is not None] for of in chosen]
    whole = blocked and min(map(len, chosen)) > 0 and all(len(t) == len(c) for t, c in zip(tested, chosen, strict=True))
    if whole:
        wrong = ~np.array(tested)
        errors = tuple(100 * wrong.mean(axis=2))
        return Sample(question.arms, errors, blocked, wrong), notes
    missing = "which test images each run recognised (column correct)" if blocked else "the same seeds for all arms"
    notes.append(f"The intervals leave out that the test images are a sample too: that takes {missing}.")
    errors = tuple(np.array([run.test_error for run in of], dtype=float) for of in chosen)
    return Sample(question.arms, errors, blocked), notes
