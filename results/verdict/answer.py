"""Which word do runs get, and what else has to be said? By the second rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from resnext_search.results.inference.curve import AtBudget, over_budgets
from resnext_search.results.inference.decision import Decision, decide, word_at, words_without_a_seed
from resnext_search.results.inference.looks import share_of_look
from resnext_search.results.inference.power import Spread, advise, power
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.sample import Run, Sample
from resnext_search.results.verdict import notes, reasons
from resnext_search.results.verdict.outcome import Verdict
from resnext_search.spaces.study.sections import FEWEST_SEEDS

# Runs of a pilot, before their spread says how many more are needed.
FEWEST_OF_A_PILOT = 3


@dataclass(frozen=True)
class Looks:
    """How often the runs are looked at.

    Args:
        planned: Numbers of seeds an arm, ascending: of a study without planned looks the one that it was begun with.
            Empty where there is no plan.
        looked: Numbers of seeds at which the runs were judged already.
    """

    planned: tuple[int, ...] = ()
    looked: tuple[int, ...] = ()

    def share(self, seeds: int) -> float:
        """Share of the error that a look at so many seeds may spend."""
        if len(self.planned) < 2:
            return 1.0
        # a look that stands in no plan may spend what the one before it might have
        return share_of_look(self.planned, max((n for n in self.planned if n <= seeds), default=self.planned[0])) or 1.0

    def last_share(self) -> float:
        """Share of the last planned look; 1 where no more than one is planned."""
        return self.share(self.planned[-1]) if self.planned else 1.0


def answer_by_second_rules(
    verdict: Verdict,
    runs: Sequence[Run],
    sample: Sample,
    question: Question,
    generator: np.random.Generator,
    looks: Looks,
) -> Verdict:
    """The verdict with its comparisons and, where the comparison is fair, its word.

    Args:
        verdict: With the reasons why the comparison is not fair, if it is not.
        runs: All rows of the table.
        sample: Those that are compared, with what their tuning adds.
        question: What is asked of them.
        generator: Of the bootstrap.
        looks: How often the runs are looked at.
    """
    fewest, tried = min(map(len, sample.errors)), _seeds_tried(runs, question)
    spent, margin = looks.share(tried), verdict.margin
    decision = decide(sample, question, margin, generator, spent=spent)
    verdict = replace(
        verdict,
        comparisons=decision.comparisons.plain,
        trend=decision.comparisons.trend,
        bought=decision.comparisons.bought,
        further=decision.comparisons.further,
        bend=decision.bend,
        look=spent,
        budgets=decision.budgets,
        over_budgets=over_budgets(sample, question, _costs(verdict, question)),
    )
    if verdict.reasons:  # they hold for every budget, since all share the base, the seeds and the fit of the tuning
        return replace(verdict, budgets=tuple(AtBudget(at.times, "invalid", None) for at in decision.budgets))
    found = reasons.too_few(question, [len(errors) for errors in sample.errors])
    sentences = [found] if fewest < FEWEST_SEEDS else reasons.answer(decision, question, margin, spent)
    if fewest >= FEWEST_SEEDS:
        sentences += reasons.of_budgets(decision.budgets, verdict.over_budgets, question.claimant)
        sentences += reasons.of_distributions(verdict.distributions)
    if not sample.tuning:
        sentences.insert(0, reasons.TUNING_NOT_COVERED)
    advice = None
    spread = _spread(sample, question, decision)
    if decision.word == "inconclusive" and fewest >= FEWEST_OF_A_PILOT and not np.isnan(spread.deviations).any():
        advice = advise(question, spread, margin=margin, runs=fewest, spent=looks.last_share())
        sentences += reasons.settling(advice, decision, question, margin, _why_not(question, spread, margin))
    without = tuple(words_without_a_seed(sample, question, margin, spent))
    runner_up = _runner_up(runs, sample, question, margin, spent)
    said = [
        *notes.on_looks(looks.planned, looks.looked, tried, len(decision.comparisons.plain)),
        *notes.on_soundness(decision, runs, question, enough=fewest >= FEWEST_SEEDS),
        *notes.on_strength(sample, decision, without, runner_up, failed=_most_failed(runs, question), margin=margin),
        *notes.on_tuning(runs, sample),
        *notes.on_blocks(sample, question),
        *notes.on_scope(runs, sample),
    ]
    return replace(
        verdict,
        verdict=decision.word,
        direction=decision.direction,
        reasons=reasons.at_scale(verdict.scale, sentences, verdict.kind),
        notes=(*verdict.notes, *said),
        seeds_needed=None if advice is None or decision.base_is_missing else advice.gain.seeds,
        advice=advice,
        runner_up=runner_up,
        without_a_seed=without,
    )


def _costs(verdict: Verdict, question: Question) -> list[float]:
    """Of every budget the multiply-adds of the claimant or, where they are not known of all, its multiple."""
    known = {arm.arm: arm.multiply_adds for arm in verdict.arms}
    costs = [known[claimant] for claimant in question.claimants()]
    return [float(cost) for cost in costs if cost] if all(costs) else [float(times) for times in question.budgets]


def _seeds_tried(runs: Sequence[Run], question: Question) -> int:
    """Seeds an arm, with those on which a run failed: a look is planned at so many, whatever becomes of them."""
    confirmed = [run for run in runs if run.phase == "confirm"]
    return min(len({run.unit for run in confirmed if run.arm == arm}) for arm in question.arms)


def _most_failed(runs: Sequence[Run], question: Question) -> int:
    """Confirming runs that failed, of the arm with most."""
    failed = [run for run in runs if run.phase == "confirm" and run.state == "failed"]
    return max(sum(run.arm == arm for run in failed) for arm in question.arms)


def _runner_up(
    runs: Sequence[Run], sample: Sample, question: Question, margin: float, spent: float
) -> notes.RunnerUp | None:
    found = notes.runner_up_of(runs, question)
    if found is None:
        return None
    seeds, shifts = found
    return notes.RunnerUp(seeds, shifts, word_at(sample, question, margin, shifts, spent))


def _spread(sample: Sample, question: Question, decision: Decision) -> Spread:
    primary = [decision.comparisons.trend] if decision.comparisons.trend else decision.comparisons.plain
    tuning = [sample.tuning.get(arm, (0.0, 1.0)) for arm in question.arms]
    return Spread(
        tuple(sample.deviation_of(arm) for arm in question.arms),
        tuple(0.0 if math.isnan(one.example_error) else one.example_error for one in primary),
        tuple(variance for variance, _ in tuning),
        tuple(degrees for _, degrees in tuning),
    )


def _why_not(question: Question, spread: Spread, margin: float) -> str:
    """Why no number of seeds is enough, if that is so."""
    alone = replace(spread, deviations=(0.0,) * len(spread.deviations), tuning=())
    if power(question, alone, FEWEST_SEEDS, margin=margin).supported < 0.8:
        return "the test images are too few"
    return "runs of one arm differ too much"
