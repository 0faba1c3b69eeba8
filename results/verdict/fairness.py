"""Was it a fair comparison? Every reason why it was not, in sentences; a single one makes the verdict `invalid`."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from resnext_search.results.inference.question import Question
from resnext_search.results.inference.sample import FINISHED, Run
from resnext_search.results.inference.tuning import tuning_points
from resnext_search.results.statistics.estimates import ROUNDING
from resnext_search.spaces.claim.tuning import best_rate, edge_of
from resnext_search.spaces.claim.tuning_fit import Point, first_rates, first_round

# With more failed runs than this an arm's mean is that of its lucky runs.
MOST_FAILED = 0.1


def unfair(runs: Iterable[Run], question: Question | None, tolerance: float, *, is_study: bool) -> list[str]:
    """All reasons why runs are no answer to a question; empty for a fair comparison.

    Args:
        runs: As `read_runs` returns them.
        question: What is asked; None if no arms are there yet.
        tolerance: Largest deviation of an arm's multiply-adds from the claimant's, as a share.
        is_study: Whether the runs are a study's, of which equal seeds can be expected.
    """
    arms = question.arms if question else ()
    of_arms = [run for run in runs if run.arm in arms]
    confirmed = [run for run in of_arms if run.phase == "confirm"]
    reasons = [*_costs(confirmed, question, tolerance), *_recipes(confirmed)]
    reasons += _tuning([run for run in of_arms if run.phase == "tune"], arms)
    if is_study:
        if not confirmed:
            return [*reasons, "No run of an arm confirms anything yet: there are no test errors to compare."]
        reasons += _seeds(confirmed, arms) if question is not None and question.kind != "spaces" else []
    return [*reasons, *_unfinished(confirmed, arms)]


def cost_of(runs: Iterable[Run], arm: str, column: str) -> float | None:
    """What one image costs an arm: `multiply_adds`, `parameters` or `activations`; None if no run says it.

    Of a space, whose runs are of many networks, the mean.
    """
    values = [value for run in runs if run.arm == arm and (value := getattr(run, column)) is not None]
    return sum(values) / len(values) if values else None


def silent_arms(runs: Iterable[Run], column: str) -> list[str]:
    """Arms that ended runs, of which none says its `epochs` or `data`."""
    says: dict[str, bool] = {}
    for run in runs:
        if run.state == "completed":
            says[run.arm] = says.get(run.arm, False) or getattr(run, column) is not None
    return sorted(arm for arm, said in says.items() if not said)


def _costs(runs: Sequence[Run], question: Question | None, tolerance: float) -> Iterator[str]:
    for part in question.parts() if question is not None else ():
        cost = cost_of(runs, part.claimant, "multiply_adds")
        for rival in part.matched():
            rival_cost = cost_of(runs, rival, "multiply_adds")
            if cost is None or rival_cost is None:
                continue
            excess = cost / rival_cost - 1
            if abs(excess) > tolerance + ROUNDING:
                yield (
                    f"FLOPs do not match: {part.claimant} costs {100 * excess:+.1f} % against {rival} "
                    f"({cost:,.0f} and {rival_cost:,.0f} multiply-adds); allowed: {100 * tolerance:g} % either way."
                )


def _recipes(runs: Sequence[Run]) -> Iterator[str]:
    ended = [run for run in runs if run.state == "completed"]
    for column, words in (("epochs", "numbers of epochs"), ("data", "data sets")):
        values = {getattr(run, column) for run in ended} - {None}
        if len(values) > 1:
            found = ", ".join(f"{value:g}" if column == "epochs" else value for value in sorted(values))
            yield f"The runs have different {words}: {found}."


def _tuning(trials: Sequence[Run], arms: Sequence[str]) -> Iterator[str]:
    """Equal tuning of every arm, and a best learning rate inside the range that was tried."""
    if not trials:
        return
    by_arm = {arm: [trial for trial in trials if trial.arm == arm] for arm in arms}
    numbers = {arm: len(of) for arm, of in by_arm.items()}
    if len(set(numbers.values())) > 1:
        yield f"Unequal tuning: {_listed(numbers)} trials."
    elif len({_first_round(of) for of in by_arm.values()}) > 1:
        yield "Unequal tuning: the arms were tried with different learning rates or seeds."
    for arm, of in by_arm.items():
        left = sum(not trial.has_ended for trial in of)
        if left:
            yield f"Tuning of {arm} is not complete: {left} of {len(of)} trials have not ended."
        elif of:
            yield from _rates(arm, of)


def _first_round(trials: Sequence[Run]) -> tuple[object, ...]:
    """What is to be the same for all arms: the first round, and the seeds. A second has rates of the arm's own."""
    points = [Point(trial.learning_rate or math.ulp(0.0), math.nan, trial.seed) for trial in trials]
    return tuple(sorted(first_rates(points))) if points else (), tuple(sorted(point.seed for point in points))


def _rates(arm: str, trials: Sequence[Run]) -> Iterator[str]:
    points = tuning_points(trials, [arm]).get(arm, [])
    errors = defaultdict(list)
    for point in first_round(points):
        errors[point.rate].append(point.error)
    curve = {rate: sum(values) / len(values) for rate, values in errors.items()}
    if not points and any(trial.has_ended for trial in trials):
        yield f"The tuning trials of {arm} do not say their learning rates (column learning_rate)."
    elif all(math.isnan(error) for error in curve.values()):
        yield f"No learning rate tried for {arm} was trained to its end."
    elif edge := edge_of(curve):
        yield (
            f"The best learning rate of {arm}, {best_rate(curve):g}, is the {edge} of {len(curve)} tried: "
            "a better one may lie outside."
        )


def _seeds(runs: Sequence[Run], arms: Sequence[str]) -> Iterator[str]:
    seeds = {run.seed for run in runs}
    for arm in arms:
        missing = len(seeds - {run.seed for run in runs if run.arm == arm})
        if missing:
            yield f"Unequal seeds: {arm} has no run with {missing} of the {len(seeds)} seeds."


def _unfinished(runs: Sequence[Run], arms: Sequence[str]) -> Iterator[str]:
    for arm in arms:
        states = Counter(run.state for run in runs if run.arm == arm)
        total = sum(states.values())
        waiting = {state: count for state, count in sorted(states.items()) if state not in FINISHED}
        if waiting:
            yield f"{sum(waiting.values())} of {total} runs of {arm} have not ended ({_listed(waiting)})."
        if states["failed"] > MOST_FAILED * total + ROUNDING:
            yield (
                f"{states['failed']} of {total} runs of {arm} failed; allowed: {100 * MOST_FAILED:g} %. "
                "The mean of those that did not would flatter it."
            )


def _listed(numbers: dict[str, int]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items())
