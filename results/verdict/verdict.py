"""Does cardinality beat its rivals? The verdict on runs with test errors: one of six words, with all that it rests on.

The rules are in `inference/rules.py`, the reasons for `invalid` in `fairness.py`, and the text for people in `text.py`.
Studies that were begun under the first rules are judged by those: `first_answer.py`.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
from resnext_search.results.inference.question import ask, have_rivals
from resnext_search.results.inference.sample import Sample, by_space, gather
from resnext_search.results.inference.tuning import space_variances, tuning_variances
from resnext_search.results.statistics.distributions import compare_distributions
from resnext_search.results.verdict.answer import Looks, answer_by_second_rules
from resnext_search.results.verdict.arms import arm_result, compare_costs, finalist_results, scale_of
from resnext_search.results.verdict.fairness import unfair
from resnext_search.results.verdict.first_answer import answer_by_first_rules
from resnext_search.results.verdict.notes import on_fairness
from resnext_search.results.verdict.outcome import Verdict
from resnext_search.results.verdict.runs import read_runs
from resnext_search.spaces.claim.populations import space_of
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.seeds import derive_seed

MARGIN = 0.3
TOLERANCE = 0.02
# In points: a study file allows no more.
MOST_MARGIN = 100


def judge(
    runs: pd.DataFrame,
    *,
    claimant: str | None = None,
    margin: float = MARGIN,
    tolerance: float = TOLERANCE,
    seed: int = 0,
    rules: int = 2,
    looks: Looks | None = None,
) -> Verdict:
    """Judge whether an arm beats its rivals.

    Arms named `cardinality` and otherwise make a `spend`, arms named `8x14d` a `trade`; others need a `claimant`.

    Args:
        runs: One row a run, with columns `arm, seed, test_error` (percent) and what else is known: `multiply_adds,
            parameters, activations, seconds, epochs, data, architecture, correct` (which test images were recognised,
            as `spaces.correctness` packs it). The order of the rows does not matter. Or a study's `trials.csv`, which
            has a column `phase`: its tuning is looked at too, and only its runs that confirm are evidence.
        claimant: The arm to compare with all others, whatever the names say; of networks of two spaces one of these. A
            study's own is the space that it named last, by the numbers of its trials.
        margin: Least difference that matters, in points; to be fixed before the runs.
        tolerance: Largest deviation of an arm's multiply-adds from the claimant's, as a share.
        seed: Of the bootstrap.
        rules: 2, or 1 for a study that was begun under the first.
        looks: Those of the plan and those that were; without it these runs are looked at once.

    Raises:
        UsageError: The table is broken, or does not say what is to be compared; or margin or tolerance make no sense.

    >>> table = pd.DataFrame({"arm": ["1x64d"] * 10 + ["32x4d"] * 10, "seed": [*range(10)] * 2,
    ...                       "test_error": [23.1, 23.2, 23.3, 23.2, 23.2] * 2 + [21.9, 22.0, 21.8, 21.9, 21.9] * 2})
    >>> judge(table).verdict
    'supported'
    """
    if not 0 < margin <= MOST_MARGIN or not 0 <= tolerance <= 1:
        raise UsageError(
            f"margin {margin:g} and tolerance {tolerance:g}; allowed: a margin above 0, up to {MOST_MARGIN}, and a "
            "tolerance of 0 to 1",
            hint="The margin is the least difference that matters, in percentage points; the tolerance is a share.",
        )
    rows = read_runs(runs)
    # Anyone's table may have phases, too; in a study's all arms are to have the same seeds.
    is_study = "phase" in runs.columns and (rules == 1 or "trial" in runs.columns)
    confirmed = [run for run in rows if run.phase == "confirm"]
    compared = [run for run in rows if not run.is_finalist and not run.is_runner_up]
    names = {run.arm for run in compared}
    if claimant is None and is_study and "trial" in runs.columns:
        claimant = _second_space(runs)
    # A study may be asked before its arms are there.
    started = have_rivals(names) or not is_study or any(run.phase == "confirm" for run in compared)
    question = ask(names, claimant, rules=rules) if started else None
    if question is not None and question.kind == "spaces":
        rows, compared, confirmed = (by_space(of) for of in (rows, compared, confirmed))
    sample, notes = gather(compared, question) if question else (Sample((), (), True), [])
    if rules > 1:
        of_tuning = space_variances if question is not None and question.kind == "spaces" else tuning_variances
        sample = replace(sample, tuning=of_tuning(rows, sample))
    matched = question.matched() if question else names
    scale = scale_of([run for run in confirmed if run.arm in matched], sample, question)
    reasons = unfair(compared, question, tolerance, is_study=is_study)
    finalists = finalist_results(confirmed)
    if question is None:
        return Verdict("invalid", None, claimant, margin, tuple(reasons), (), scale, finalists=finalists, rules=rules)
    generator = np.random.default_rng(derive_seed(seed, "verdict"))
    verdict = Verdict(
        "invalid",
        question.kind,
        question.claimant,
        margin,
        tuple(reasons),
        (*on_fairness(rows, question, tolerance), *notes),
        scale,
        tuple(arm_result(confirmed, sample, arm) for arm in question.arms),
        finalists=finalists,
        secondary=tuple(compare_costs(confirmed, question, tolerance)),
        rules=rules,
        distributions=compare_distributions(question.arms, sample.errors) if question.kind == "spaces" else None,
    )
    if rules == 1:
        return answer_by_first_rules(verdict, sample, question, generator)
    return answer_by_second_rules(verdict, rows, sample, question, generator, looks or Looks())


def _second_space(trials: pd.DataFrame) -> str | None:
    """The space whose first trial comes later; None unless all arms are networks of spaces."""
    named = trials[trials.arm.notna() & (trials.phase != "search")]
    first: dict[str, float] = {}
    for arm, number in zip(named.arm, pd.to_numeric(named.trial, errors="coerce"), strict=True):
        if (space := space_of(str(arm))) is None:
            return None
        first[space] = min(first.get(space, math.inf), number)
    return max(first, key=first.__getitem__, default=None)
