"""Does cardinality beat its rivals? The verdict on runs with test errors: one of six words, with all that it rests on.

The rules are in `inference/rules.py`, the reasons for `invalid` in `fairness.py`, and the text for people in `text.py`.
Studies that were begun under the first rules are judged by those: `first_answer.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from resnext_search.results.inference.question import ask, have_rivals
from resnext_search.results.inference.sample import Run, Sample, by_space, gather
from resnext_search.results.inference.tuning import space_variances, tuning_variances
from resnext_search.results.runs.checks import too_many
from resnext_search.results.runs.columns import column_name
from resnext_search.results.runs.complaints import Complaint, refuse
from resnext_search.results.runs.copies import without_copies
from resnext_search.results.runs.scales import on_margin, on_scales, refuse_mixed_scales
from resnext_search.results.runs.table import read_runs
from resnext_search.results.statistics.distributions import compare_distributions
from resnext_search.results.verdict.answer import Looks, answer_by_second_rules
from resnext_search.results.verdict.arms import arm_result, compare_costs, finalist_results, scale_of
from resnext_search.results.verdict.fairness import unfair
from resnext_search.results.verdict.first_answer import answer_by_first_rules
from resnext_search.results.verdict.notes import on_fairness, on_processors
from resnext_search.results.verdict.outcome import Verdict
from resnext_search.spaces.claim.populations import space_of, spaces_of
from resnext_search.spaces.errors import UsageError, shortened
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.sections import MOST_CLAIM_TOLERANCE
from resnext_search.spaces.study.units import parse_share

MARGIN = 0.3
TOLERANCE = 0.02
# In points: a study file allows no more.
MOST_MARGIN = 100


def judge(
    runs: pd.DataFrame,
    *,
    claimant: str | None = None,
    margin: float = MARGIN,
    tolerance: float | str = TOLERANCE,
    seed: int = 0,
    rules: int = 2,
    looks: Looks | None = None,
) -> Verdict:
    """Judge whether an arm beats its rivals.

    Arms named `cardinality` and otherwise make a `spend`, arms named `8x14d` a `trade`; others need a `claimant`.

    Args:
        runs: One row a run, with columns `arm, seed, test_error` (percent) and what else is known: `multiply_adds,
            parameters, activations, seconds, epochs, data, architecture, processor` (its model, or that of the GPU),
            `correct` (which test images were recognised, as `spaces.correctness` packs it). The order of the rows does
            not matter. Or a study's `trials.csv`, which has a column `phase`: its tuning is looked at too, and only its
            runs that confirm are evidence. Shares among percentages are refused; a run that only repeats another one
            counts once.
        claimant: The arm to compare with all others, whatever the names say; of networks of two spaces one of these. A
            study's own is the space that it named last, by the numbers of its trials.
        margin: Least difference that matters, in points; to be fixed before the runs.
        tolerance: Largest deviation of an arm's multiply-adds from the claimant's, as a share: 0.02 or "2%".
        seed: Of the bootstrap.
        rules: 2, or 1 for a study that was begun under the first.
        looks: Those of the plan and those that were; without it these runs are looked at once.

    Raises:
        UsageError: The table is broken, or does not say what is to be compared; or margin or tolerance make no sense.

    >>> table = pd.DataFrame({"arm": ["1x64d"] * 10 + ["32x4d"] * 10, "seed": [*range(10)] * 2,
    ...                       "test_error": [23.13, 23.24, 23.31, 23.18, 23.22, 23.15, 23.27, 23.34, 23.11, 23.25,
    ...                                      21.92, 22.03, 21.81, 21.94, 21.87, 21.95, 22.06, 21.84, 21.90, 21.98]})
    >>> judge(table).verdict
    'supported'
    """
    rows = read_runs(runs)
    refuse_mixed_scales(rows)
    is_study = _is_study(runs, rules)
    claimant = claimant.strip() if claimant is not None else _second_space(runs) if is_study else None
    verdict = _judge(rows, claimant, margin, tolerance, seed, rules, looks, is_study=is_study)
    of_margin = on_margin(margin, (arm.test_error for arm in verdict.arms))
    return replace(verdict, notes=(*on_scales(rows), *of_margin, *_on_processors(runs), *verdict.notes))


def judge_trials(
    trials: pd.DataFrame, *, margin: float, tolerance: float, seed: int, rules: int, looks: Looks
) -> Verdict:
    """The same for the trials of a journal, whose errors are known to be in percent; arguments are those of `judge`."""
    is_study, claimant = _is_study(trials, rules), _second_space(trials)
    verdict = _judge(read_runs(trials), claimant, margin, tolerance, seed, rules, looks, is_study=is_study)
    return replace(verdict, notes=(*_on_processors(trials), *verdict.notes))


def _is_study(table: pd.DataFrame, rules: int) -> bool:
    """Anyone's table may have phases, too; in a study's all arms are to have the same seeds."""
    names = {column_name(name) for name in table.columns}
    return "phase" in names and (rules == 1 or "trial" in names)


def _judge(
    rows: Sequence[Run],
    claimant: str | None,
    margin: float,
    tolerance: float | str,
    seed: int,
    rules: int,
    looks: Looks | None,
    *,
    is_study: bool,
) -> Verdict:
    tolerance = _checked(margin, tolerance)
    confirmed = [run for run in rows if run.phase == "confirm"]
    compared = [run for run in rows if not run.is_finalist and not run.is_runner_up]
    names = {run.arm for run in compared}
    if not is_study and not confirmed:
        refuse([Complaint("phase", "no row is of phase confirm", "runs that confirm: they alone are evidence")])
    # A study may be asked before its arms are there.
    started = have_rivals(names) or not is_study or any(run.phase == "confirm" for run in compared)
    question = ask(names, claimant, rules=rules) if started else None
    refuse(too_many(question.arms if question else ()))
    of_spaces = question is not None and question.kind == "spaces"
    if of_spaces:
        rows, compared, confirmed = (by_space(of) for of in (rows, compared, confirmed))
    sample = Sample((), (), True)
    notes: list[str] = []
    if question:
        own, of_copies = without_copies(compared, question)
        sample, notes = gather(own, question)
        notes = [*of_copies, *notes]
    if rules > 1:
        sample = replace(sample, tuning=(space_variances if of_spaces else tuning_variances)(rows, sample))
    matched = question.matched() if question else names
    scale = scale_of([run for run in confirmed if run.arm in matched], sample)
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
        distributions=compare_distributions(question.arms, sample.errors) if of_spaces else None,
    )
    if rules == 1:
        return answer_by_first_rules(verdict, sample, question, generator)
    return answer_by_second_rules(verdict, rows, sample, question, generator, looks or Looks())


def _second_space(trials: pd.DataFrame) -> str | None:
    """The space whose first trial comes later; None unless all arms are networks of spaces, and trials have numbers."""
    table = trials.set_axis([column_name(name) for name in trials.columns], axis=1)
    if not {"phase", "trial"} <= set(table.columns):
        return None
    named = table[table.arm.notna() & (table.phase != "search")]
    arms = named.arm.astype(str).str.strip().tolist()
    if not spaces_of(arms):
        return None
    first: dict[str, float] = {}
    for arm, number in zip(arms, pd.to_numeric(named.trial, errors="coerce"), strict=True):
        space = space_of(arm) or arm
        first[space] = min(first.get(space, math.inf), number)
    return max(first, key=first.__getitem__)


def _on_processors(table: pd.DataFrame) -> Iterator[str]:
    """A note, by all rows that say where they ran: in a study its search and tuning are of the same journal."""
    column = next((name for name in table.columns if column_name(name) == "processor"), None)
    said: list[str] = [] if column is None else table[column].dropna().astype(str).str.strip().tolist()
    return on_processors([name for name in said if name])


def _checked(margin: float, tolerance: float | str) -> float:
    """The tolerance as a share, as a study file writes and limits it."""
    try:
        share = float(parse_share(tolerance))
    except ValueError:
        share = math.nan
    if not 0 < margin <= MOST_MARGIN or not 0 <= share <= MOST_CLAIM_TOLERANCE:
        most = f"{100 * MOST_CLAIM_TOLERANCE:g}%"
        raise UsageError(
            f"margin {margin:g} and tolerance {shortened(str(tolerance))}; allowed: a margin above 0, up to "
            f"{MOST_MARGIN}, and a tolerance from 0 to {most}, such as {most} or {MOST_CLAIM_TOLERANCE:g}",
            hint="The margin is the least difference that matters, in percentage points; the tolerance is the share by "
            "which multiply-adds may differ. Arms that differ by more are no fair comparison.",
        )
    return share
