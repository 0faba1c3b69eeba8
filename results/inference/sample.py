"""Which numbers are compared? The test errors of the runs that are evidence, arm by arm and seed by seed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from resnext_search.results.inference.question import Question
from resnext_search.results.journal.rows import FINALIST, RUNNER_UP
from resnext_search.results.statistics.clustered import clustered
from resnext_search.results.statistics.estimates import (
    Estimate,
    independent,
    paired,
    paired_within,
    summed,
    with_tuning,
)
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.spaces.claim.populations import space_of
from resnext_search.spaces.errors import UsageError

# A run that was stopped early was not trained as the others were: to the verdict it has not ended.
FINISHED = ("completed", "failed")
# Of one run: whether it was wrong about each of its test images.
Answers = NDArray[np.bool_]


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
        fold: Which test images it had: runs of one fold had the same ones, runs of two folds none in common. None where
            all runs had the same.
        validation_images: Of tuning: how many images the validation error is of.
        network: Where the arm is a space: which of its networks was trained; else None.
        processor: Model of the processor or GPU that trained it.
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
    fold: int | None = None
    validation_images: float | None = None
    network: str | None = None
    processor: str | None = None

    @property
    def unit(self) -> int | str:
        """What tells it from other runs of its arm that confirm: its seed, or of a space its network."""
        return self.seed if self.network is None else self.network

    @property
    def has_ended(self) -> bool:
        """Whether it was trained to its end, or failed; a run that was stopped early was not trained as others were."""
        return self.state in FINISHED

    @property
    def is_finalist(self) -> bool:
        """Whether it confirms a winner of the free search: reported, and never compared."""
        return self.arm.startswith(FINALIST)

    @property
    def is_runner_up(self) -> bool:
        """Whether it shows what an arm does at its second best learning rate: reported, and never compared."""
        return self.arm.startswith(RUNNER_UP)


@dataclass(frozen=True)
class Sample:
    """The runs that are evidence.

    Args:
        arms: Names, in the order of the question.
        errors: One `(runs,)` array an arm: test error in percent, by ascending seed; an arm may have none.
        blocked: Whether run k of every arm has the same seed.
        wrong: Of every arm, for every run, an `(examples,)` array: which test images of its fold were not recognised.
            None where that is not known of all runs.
        folds: One `(runs,)` array of whole numbers an arm; None where all runs had the same test images.
        tuning: By arm what the choice of its learning rate adds to the variance of its mean, in squared points, and its
            degrees of freedom; an arm whose tuning is not known has none.
        shifts: By arm what is added to its mean, in points, for the question what if it had erred so much more.
        processors: Of blocked runs, which kind trained run k of every arm; None where that is not known of all runs,
            or not one kind trained all arms of a seed.
    """

    arms: tuple[str, ...]
    errors: tuple[Floats, ...]
    blocked: bool
    wrong: tuple[tuple[Answers, ...], ...] | None = None
    folds: tuple[NDArray[np.int64], ...] | None = None
    tuning: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    shifts: Mapping[str, float] = field(default_factory=dict)
    processors: tuple[str, ...] | None = None

    @classmethod
    def of_answers(cls, arms: tuple[str, ...], wrong: NDArray[np.bool_]) -> Self:
        """Blocks of runs that all had the same test images.

        Args:
            arms: Names.
            wrong: `(arms, seeds, examples)` array: which test images were not recognised.

        >>> Sample.of_answers(("a", "b"), np.array([[[True, False]], [[False, False]]])).errors
        (array([50.]), array([0.]))
        """
        return cls(arms, tuple(100 * wrong.mean(axis=2)), True, tuple(map(tuple, wrong)))

    def estimate(self, weights: Floats) -> Estimate:
        """A contrast of the arms, `(arms,)` weights, with the best standard error that the runs allow."""
        used = np.flatnonzero(weights).tolist()
        if any(len(self.errors[arm]) == 0 for arm in used):
            return Estimate(math.nan, math.nan, math.nan)
        estimate = self._of_runs(weights, used)
        parts = [
            (float(weights[arm]) ** 2 * variance, degrees)
            for arm in used
            if self.arms[arm] in self.tuning
            for variance, degrees in [self.tuning[self.arms[arm]]]
            if variance
        ]
        if parts:
            added = summed(0.0, *zip(*parts, strict=True))
            estimate = with_tuning(estimate, added.standard_error**2, added.degrees)
        moved = sum(float(weights[arm]) * self.shifts.get(self.arms[arm], 0.0) for arm in used)
        return replace(estimate, value=estimate.value + moved) if moved else estimate

    def tuning_error(self, weights: Floats) -> float:
        """The part of a contrast's standard error that is the choice of learning rates; NaN if an arm's is unknown."""
        used = np.flatnonzero(weights).tolist()
        if any(self.arms[arm] not in self.tuning for arm in used):
            return math.nan
        return math.sqrt(sum(float(weights[arm]) ** 2 * self.tuning[self.arms[arm]][0] for arm in used))

    def without_run(self, block: int) -> Self:
        """The sample without run number `block` of every arm; only of blocked runs."""
        kept = [run for run in range(len(self.errors[0])) if run != block]
        wrong = None if self.wrong is None else tuple(tuple(of[run] for run in kept) for of in self.wrong)
        folds = None if self.folds is None else tuple(of[kept] for of in self.folds)
        of_kinds = None if self.processors is None else tuple(self.processors[run] for run in kept)
        errors = tuple(of[kept] for of in self.errors)
        return replace(self, errors=errors, wrong=wrong, folds=folds, processors=of_kinds)

    def between_seeds(self, weights: Floats) -> tuple[Estimate, Estimate] | None:
        """A contrast of the arms by how its seeds differ alone, and the same with the kind of processor as a block.

        None unless there are `processors` of at least two kinds, and of one of them two seeds.
        """
        if self.processors is None or not 1 < len(set(self.processors)) < len(self.processors):
            return None
        contrasts = weights @ np.stack(self.errors)
        return paired(contrasts), paired_within(contrasts, self.processors)

    def _of_runs(self, weights: Floats, used: Sequence[int]) -> Estimate:
        """The same without the error of tuning."""
        if self.wrong is None and self.blocked:
            return paired(np.asarray(sum(weights[arm] * self.errors[arm] for arm in used)))
        if self.wrong is None:
            return independent(self.errors, weights)
        of_arms = [self._contrasts(arm, 100 * float(weights[arm])) for arm in used]
        if not self.blocked:
            return clustered(of_arms)
        contrasts = of_arms[0]
        for fold, values in contrasts.items():
            for others in of_arms[1:]:
                values += others[fold]
        return clustered([contrasts])

    def _contrasts(self, arm: int, weight: float) -> dict[int, Floats]:
        """An arm's answers by fold, `(runs, examples)` arrays in which a wrong one counts `weight`."""
        answers = self.wrong[arm] if self.wrong is not None else ()
        return {
            fold: weight * np.array([answers[run] for run in np.flatnonzero(of == fold)])
            for of in [self.folds_of(arm)]
            for fold in np.unique(of).tolist()
        }

    def folds_of(self, arm: int) -> NDArray[np.int64]:
        """The fold of every run of an arm, `(runs,)`; all 0 where all runs had the same test images."""
        return np.zeros(len(self.errors[arm]), np.int64) if self.folds is None else self.folds[arm]

    def examples(self) -> int | None:
        """How many test images there are, in all folds together; None where `wrong` is not known."""
        if self.wrong is None:
            return None
        sizes = {
            fold: len(answers)
            for arm, of in enumerate(self.wrong)
            for fold, answers in zip(self.folds_of(arm).tolist(), of, strict=True)
        }
        return sum(sizes.values())

    def estimate_of(self, arm: str) -> Estimate:
        """Mean test error of one arm."""
        return self.estimate(np.array([float(name == arm) for name in self.arms]))

    def deviation_of(self, arm: str) -> float:
        """Standard deviation of an arm's test error between its runs on the same images; NaN without two such runs."""
        position = self.arms.index(arm)
        errors, folds = self.errors[position], self.folds_of(position)
        _, places, runs = np.unique(folds, return_inverse=True, return_counts=True)
        degrees = len(errors) - len(runs)
        if degrees < 1:
            return math.nan
        means = np.bincount(places, weights=errors) / runs
        return math.sqrt(float(((errors - means[places]) ** 2).sum()) / degrees)


def by_space(runs: Iterable[Run]) -> list[Run]:
    """The runs with the spaces of their networks as arms.

    Raises:
        UsageError: A network was trained more than once to be compared.

    >>> run = Run("more groups/017", 3, "confirm", "completed", 8.0)
    >>> [(one.arm, one.network) for one in by_space([run])]
    [('more groups', 'more groups/017')]
    """
    found = [replace(run, arm=space_of(run.arm) or run.arm, network=run.arm) for run in runs]
    times = Counter(run.network for run in found if run.phase == "confirm")
    twice = [f"  {network}: {count} runs" for network, count in times.items() if count > 1]
    if twice:
        raise UsageError(
            "networks of a space are a sample only if each has one run that confirms:\n" + "\n".join(twice[:10]),
            hint="Leave the other runs out.",
        )
    return found


def gather(runs: Iterable[Run], question: Question) -> tuple[Sample, list[str]]:
    """The numbers to compare, of runs as `read_runs` returns them, and notes on how they were chosen.

    If all arms have the same seeds, a seed on which any arm failed is left out for all of them. Runs of a space are
    told apart by their networks, and have no partners in the other.
    """
    by_arm: dict[str, dict[Any, Run]] = {arm: {} for arm in question.arms}
    for run in runs:
        if run.phase == "confirm" and run.arm in by_arm:
            by_arm[run.arm][run.unit] = run
    ended = {arm: {seed for seed, run in of.items() if run.state == "completed"} for arm, of in by_arm.items()}
    seeds = {seed for of in by_arm.values() for seed in of}
    blocked = all(set(of) == seeds for of in by_arm.values())
    notes = []
    if blocked:
        shared = set.intersection(*ended.values())
        ended = dict.fromkeys(by_arm, shared)
        if len(shared) < len(seeds):
            lost = len(seeds) - len(shared)
            without = {run.state for of in by_arm.values() for run in of.values()} - {"completed"}
            whys = ["failed"] * ("failed" in without) + ["has not ended"] * bool(without - {"failed"})
            notes.append(f"{lost} of {len(seeds)} seeds left out for all arms: a run {' or '.join(whys)} on them.")
    else:
        if question.kind != "spaces":
            notes.append("The arms do not have the same seeds: they are compared as independent runs.")
        failed = sum(run.state == "failed" for of in by_arm.values() for run in of.values())
        if failed:
            notes.append(f"{failed} failed runs left out.")
    chosen = [[by_arm[arm][seed] for seed in sorted(ended[arm])] for arm in question.arms]
    folds = None
    if any(run.fold is not None for of in chosen for run in of):
        folds = tuple(np.array([run.fold or 0 for run in of], dtype=np.int64) for of in chosen)
    processors = _processors(chosen) if blocked else None
    wrong = _answers(chosen)
    if wrong is not None:
        errors = tuple(np.array([100 * float(answers.mean()) for answers in of]) for of in wrong)
        return Sample(question.arms, errors, blocked, wrong, folds, processors=processors), notes
    notes.append(
        "The intervals leave out that the test images are a sample too: that takes which test images each run "
        "recognised (column correct)."
    )
    errors = tuple(np.array([run.test_error for run in of], dtype=float) for of in chosen)
    return Sample(question.arms, errors, blocked, None, folds, processors=processors), notes


def _processors(chosen: Sequence[Sequence[Run]]) -> tuple[str, ...] | None:
    """By seed the kind of processor that trained every arm; None where that is not known, or not one kind."""
    kinds = [{run.processor for run in of_seed} for of_seed in zip(*chosen, strict=True)]
    names = [name for of_seed in kinds if len(of_seed) == 1 for name in of_seed if name]
    return tuple(names) if len(names) == len(kinds) else None


def _answers(chosen: Sequence[Sequence[Run]]) -> tuple[tuple[Answers, ...], ...] | None:
    """Which test images every run of every arm did not recognise; None unless every arm has runs, and all say it."""
    known = tuple(tuple(~run.correct for run in of if run.correct is not None) for of in chosen)
    complete = all(0 < len(answers) == len(of) for answers, of in zip(known, chosen, strict=True))
    return known if complete else None
