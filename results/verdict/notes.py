"""What else has a reader of a verdict to know? How it was looked at, what it hangs on, and what it leaves out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from resnext_search.results.inference.decision import Decision
from resnext_search.results.inference.looks import cost_of_looking, share_of_look
from resnext_search.results.inference.question import Question, Word
from resnext_search.results.inference.sample import Run, Sample
from resnext_search.results.journal.rows import RUNNER_UP
from resnext_search.results.verdict.fairness import cost_of, silent_arms
from resnext_search.results.verdict.reasons import listed
from resnext_search.spaces.claim.tuning_fit import ASSUMED_IMAGES
from resnext_search.spaces.study.sections import FEWEST_SEEDS
from scipy.special import betaincinv

# Of the variance of a difference; beyond it more tuning would help more than more seeds.
MUCH_TUNING = 1 / 3
# An error of tuning below such a share of the margin is not worth a word.
NEGLIGIBLE = 0.05
# Kinds of processor that are named.
SHOWN_KINDS = 4
# A line over log2 C that fits so badly is said not to fit.
LEAST_FIT = 0.05


@dataclass(frozen=True)
class RunnerUp:
    """What the arms do at their second best learning rates, on the few seeds that they were confirmed with there.

    Args:
        seeds: Seeds an arm.
        shifts: By arm, how much more it errs there than at its best rate, in points.
        word: The verdict if every arm had erred so much more on all seeds.
    """

    seeds: int
    shifts: dict[str, float]
    word: Word


def on_fairness(runs: Sequence[Run], question: Question, tolerance: float) -> Iterator[str]:
    """What the runs do not show of their fairness."""
    confirmed = [run for run in runs if run.phase == "confirm"]
    costs = {arm: cost_of(confirmed, arm, "multiply_adds") for arm in question.matched()}
    unknown = [arm for arm, cost in costs.items() if cost is None]
    if unknown:
        whose = f" for {', '.join(unknown)}" if len(unknown) < len(costs) else ""
        yield f"The match of FLOPs was not shown: no multiply-adds were given{whose}."
    matched = [run for run in confirmed if run.arm in costs]
    for column, words in (("epochs", "Equal epochs were"), ("data", "That all arms had the same data was")):
        silent = silent_arms(matched, column)
        if silent and any(getattr(run, column) is not None for run in matched):
            yield f"{words} not shown: the column {column} is empty for {listed(silent)}."
    for part in question.parts():
        own = costs[part.claimant]
        for rival in part.matched():
            cost = costs[rival]
            if own is not None and cost is not None and cost < own <= cost * (1 + tolerance):
                excess = 100 * (own / cost - 1)
                yield f"{part.claimant} costs {excess:.2f} % more FLOPs than {rival}, which favours it."
    if not any(run.phase == "tune" for run in runs):
        yield "Whether every arm had an equally good learning rate was not shown: no tuning trials were given."


def on_soundness(decision: Decision, runs: Sequence[Run], question: Question, *, enough: bool) -> Iterator[str]:
    """Rivals that were not trained well enough to be any, and what it means that nobody knows.

    Args:
        decision: What the runs say.
        runs: All of them.
        question: What is asked of them.
        enough: Whether there are runs enough for a word.
    """
    confirmed = [run for run in runs if run.phase == "confirm"]
    costs = {
        arm: cost_of(confirmed, part.claimant, "multiply_adds") for part in question.parts() for arm in part.matched()
    }
    base = None if question.base is None else cost_of(confirmed, question.base, "multiply_adds")
    if decision.base_is_missing:
        yield (
            "There is no arm `base`, so nobody knows whether the rivals are better than what they were made from: "
            "nothing is `supported` without that."
        )
    for arm in decision.unsound if enough else ():
        cost = costs[arm]
        share = "less" if cost is None or base is None else f"{100 * base / cost:.0f} % of what the arms do"
        yield (
            f"{arm} is not surely better than the base, which costs {share}: it was not trained well enough to be a "
            "rival, and no word rests on it alone."
        )


def on_strength(
    sample: Sample,
    decision: Decision,
    words: Sequence[Word],
    runner_up: RunnerUp | None,
    *,
    failed: int,
    margin: float,
) -> Iterator[str]:
    """What the word hangs on: single seeds, the choice of the rates, the tests of a trade.

    Args:
        sample: The runs that are compared.
        decision: What they say.
        words: Without each seed.
        runner_up: At the second best rates.
        failed: Runs that failed, of the arm with most.
        margin: In points.
    """
    others = Counter(word for word in words if word != decision.word)
    if others:
        without = listed([f"`{word}` without any of {count}" for word, count in sorted(others.items())])
        yield f"Single runs make the word: of {len(words)} seeds, it would be {without}."
    clean = min(map(len, sample.errors))
    if clean >= FEWEST_SEEDS:
        share = 100 * float(betaincinv(failed + 1, clean, 0.95))
        seeds = f"{clean} clean runs" + (f" and {failed} that failed" if failed else "")
        yield f"Runs that fail rarely are not in the intervals: with {seeds} up to {share:.0f} % of runs may."
    for one in decision.comparisons.plain:
        much = one.tuning_error > math.sqrt(MUCH_TUNING) * one.standard_error
        if much and one.tuning_error > NEGLIGIBLE * margin:
            part = 100 * (one.tuning_error / one.standard_error) ** 2
            yield (
                f"{part:.0f} % of what is uncertain between {one.claimant} and {one.rival} is the choice of their "
                "learning rates: more tuning (claim.tuning_seeds) would narrow it, and an interval that is "
                "mostly this is wider than it has to be."
            )
    if runner_up is not None:
        shifts = listed([f"{arm} {shift:+.2f}" for arm, shift in runner_up.shifts.items()])
        yield (
            f"At their second best learning rates ({runner_up.seeds} seeds) the arms err otherwise by {shifts} points; "
            f"with that on all seeds the word would be `{runner_up.word}`."
        )
    bend = decision.bend
    if bend is not None and bend.p <= LEAST_FIT:
        p = "p < 0.001" if bend.p < 0.001 else f"p = {bend.p:.3f}"
        yield f"The arms' errors do not lie on a line over log2 C ({p}): the trend is not all there is."
    if bend is not None and bend.last_loses_to:
        yield f"The largest C surely errs more than {listed(bend.last_loses_to)}: more groups are not always better."


def on_tuning(runs: Sequence[Run], sample: Sample) -> Iterator[str]:
    """What the error of tuning was made from, where the table does not say all of it."""
    tuned = [run for run in runs if run.phase == "tune" and run.arm in sample.tuning]
    if tuned and all(run.validation_images is None for run in tuned):
        yield (
            f"{ASSUMED_IMAGES:,} images are taken to validate a tuning trial, since the table does not say how many "
            "(column validation_images)."
        )
    for arm in sample.tuning:
        rates = [run.learning_rate for run in tuned if run.arm == arm and run.learning_rate is not None]
        used = [run.learning_rate for run in runs if (run.phase, run.arm) == ("confirm", arm) and run.learning_rate]
        if used and not min(rates) <= used[0] <= max(rates):
            yield f"{arm} was confirmed at a learning rate outside of those that it was tuned with."


def on_looks(planned: Sequence[int], looked: Sequence[int], seeds: int, comparisons: int) -> Iterator[str]:
    """How often the runs were looked at, and what looks that stood in no plan cost.

    Args:
        planned: Looks of the plan, or its one number of seeds; empty where there is no plan.
        looked: Numbers of seeds at which the runs were judged before.
        seeds: Seeds an arm now.
        comparisons: Plain ones.
    """
    all_looks = sorted({*looked, seeds})
    if len(planned) > 1 and seeds in planned:
        number = list(planned).index(seeds) + 1
        may = 100 * (share_of_look(planned, seeds) or 1.0)
        yield (
            f"Look {number} of {len(planned)}, planned at {listed(list(map(str, planned)))} seeds: it may err "
            f"{may:.0f} % as often as an only one, so that an interval above 0 need not be surely better."
        )
    elif len(planned) > 1:
        yield f"This look was not planned: that was at {listed(list(map(str, planned)))} seeds."
    elif planned and seeds not in planned and len(all_looks) > 1:
        share = 100 * cost_of_looking(all_looks, comparisons)
        yield (
            f"This look was not planned: the runs were judged at {listed(list(map(str, all_looks)))} seeds, and where "
            f"nothing differs {share:.0f} % of such studies say better or worse at one of them."
        )


def on_processors(processors: Sequence[str]) -> Iterator[str]:
    """That the runs were trained on several kinds of processor or GPU; those of which it is known."""
    kinds = sorted(Counter(processors).items(), key=lambda kind: (-kind[1], kind[0]))
    if len(kinds) > 1:
        first = [f"{count} on {kind}" for kind, count in kinds[:SHOWN_KINDS]]
        more = [f"{sum(count for _, count in kinds[SHOWN_KINDS:])} on others"] if len(kinds) > SHOWN_KINDS else []
        yield (
            f"The runs were trained on {len(kinds)} kinds of processor or GPU ({listed([*first, *more])}): the same "
            "seed gives other numbers on each."
        )


def on_blocks(sample: Sample, question: Question) -> Iterator[str]:
    """What the kind of processor as a block does to an interval, where seeds were trained on several."""
    for claimant, rival in question.pairs():
        found = sample.between_seeds(question.weights(claimant, rival))
        if found is not None:
            without, blocked = (one.interval(0.95) for one in found)
            yield (
                f"By its seeds alone {claimant} errs {found[0].value:.2f} points less than {rival} "
                f"({without[0]:.2f} to {without[1]:.2f}); with the kind of processor as a block "
                f"{blocked[0]:.2f} to {blocked[1]:.2f}."
            )


def on_scope(runs: Sequence[Run], sample: Sample) -> Iterator[str]:
    """For what the intervals are some, and for what they are none."""
    if any(run.fold is not None for run in runs):
        yield (
            "The data have no test split of their own: folds of all images were tested in turn, by networks that had "
            "not trained on them. The learning rates were chosen on images of some folds, which are tested too."
        )
    covered = ["other seeds"]
    if any(run.network is not None for run in runs):
        covered.insert(0, "other networks of the spaces")
    covered += ["other test images"] if sample.wrong is not None else []
    covered += ["another tuning"] if all(arm in sample.tuning for arm in sample.arms) else []
    yield (
        f"The intervals cover {listed(covered)}; not other training images, other processors (the same seed gives "
        "other numbers there) or other recipes."
    )


def runner_up_of(runs: Sequence[Run], question: Question) -> tuple[int, dict[str, float]] | None:
    """Seeds, and by arm how much more it errs at its second best rate on them; None unless all matched arms say it."""
    shifts: dict[str, float] = {}
    seeds: set[int] = set()
    for arm in question.matched():
        chosen, second = (
            {run.seed: run.test_error for run in runs if run.arm == name and run.test_error is not None}
            for name in (arm, f"{RUNNER_UP}{arm}")
        )
        shared = sorted(set(chosen) & set(second))
        if not shared:
            return None
        shifts[arm] = sum((second[seed] or 0.0) - (chosen[seed] or 0.0) for seed in shared) / len(shared)
        seeds |= set(shared)
    return len(seeds), shifts
