"""Is every run a run of its own? One that repeats another under a new seed counts once.

Where a seed changes nothing, ten runs are one, and their interval would have width 0. But small test sets and rounded
tables make runs tie by chance. So a tie is a copy only where chance hardly makes one: the answers to the images are the
same, or the errors are written so finely against their spread that equal ones are not to be expected.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.sample import Run
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.spaces.errors import shortened
from scipy.special import ndtri, pdtrc

# A seed, or of a space the name of a network.
Unit = Any
# Chance makes so many ties in one of a thousand tables.
RARE = 1e-3
# Images that are hard for a network are hard under other seeds too: two runs may well fail on the same few.
MOST_WRONG_BY_CHANCE = 9
# With two runs an arm nothing can be told.
FEWEST_RUNS = 3
# So many say how far runs spread: thousands would have millions of pairs.
ENOUGH_RUNS = 500
# Mean of the nearer half of the distances between two normal numbers, in their standard deviation.
NEARER_HALF = 2 / math.sqrt(math.pi) * (1 - math.exp(-(ndtri(0.75) ** 2) / 2)) * 2
DIGITS = 9


def without_copies(runs: Sequence[Run], question: Question) -> tuple[list[Run], list[str]]:
    """The runs of which each counts once, and notes on those that were left out.

    Where all arms have the same seeds, the seed of a copy is left out for all of them, as that of a failed run is. Of a
    space a copy is a network that answers as another one does.
    """
    arms = _finished(runs, question)
    seeds = [set(of) for of in arms.values()]
    blocked = all(of == seeds[0] for of in seeds)
    left_out: dict[str, set[Unit]] = {arm: set() for arm in arms}
    notes = []
    if blocked and (copies := _blocks(arms)):
        left_out = dict.fromkeys(arms, copies)
        notes.append(
            f"{len(copies)} of {len(seeds[0])} seeds repeat the errors of another one in every arm: such copies count "
            "once."
        )
    left = {arm: _without(of, left_out[arm]) for arm, of in arms.items()}
    for arm, copies in _of_arms(left):
        if len(copies) == len(left[arm]) - 1:
            notes.append(
                f"All {len(left[arm])} runs of {shortened(arm)} are the same: a seed that changes nothing is one run, "
                "and they count as one."
            )
        else:
            notes.append(
                f"{len(copies)} of {len(left[arm])} runs of {shortened(arm)} are the same as another one, as chance "
                "would not have it: such copies count once."
            )
        for other in arms if blocked else [arm]:
            left_out[other] = left_out[other] | copies
    notes += _same_arms(arms)
    kept = [run for run in runs if run.phase != "confirm" or run.unit not in left_out.get(run.arm, ())]
    return kept, notes


def _finished(runs: Iterable[Run], question: Question) -> dict[str, dict[Unit, Run]]:
    """By arm and seed, or network, the runs that have a test error."""
    arms: dict[str, dict[Unit, Run]] = {arm: {} for arm in question.arms}
    for run in runs:
        if run.phase == "confirm" and run.state == "completed" and run.arm in arms and run.test_error is not None:
            arms[run.arm][run.unit] = run
    return arms


def _without(of: Mapping[Unit, Run], seeds: set[Unit]) -> dict[Unit, Run]:
    return {seed: run for seed, run in of.items() if seed not in seeds}


def _of_arms(arms: Mapping[str, Mapping[Unit, Run]]) -> Iterator[tuple[str, set[Unit]]]:
    """Arms that have copies, and their seeds; of equal runs the first counts."""
    scales = _Scales.of(arms)
    with_answers = all(run.correct is not None for of in arms.values() for run in of.values())
    differences = {arm: _differences(of.values()) for arm, of in arms.items()} if with_answers else {}
    for arm, of in arms.items():
        if len(of) < FEWEST_RUNS:
            continue
        if with_answers:
            copies = _repeats({seed: _answers(run) for seed, run in of.items()})
            known = differences[arm] or [number for of_arm in differences.values() for number in of_arm]
            if not _are_rare_answers(of, copies, known):
                continue
        else:
            copies = _repeats({seed: _error(run) for seed, run in of.items()})
            if not scales.are_rare(arm, len(of), len(copies)):
                continue
        yield arm, copies


def _differences(runs: Iterable[Run]) -> list[int]:
    """On how many images runs of an arm disagree; of neighbours by seed, those that are not the same."""
    ordered = sorted(runs, key=lambda run: (run.fold or 0, run.seed))
    of_one_fold = [(one.correct, other.correct) for one, other in pairwise(ordered) if one.fold == other.fold]
    found = [int((one != other).sum()) for one, other in of_one_fold if one is not None and other is not None]
    return [number for number in found if number]


def _are_rare_answers(of: Mapping[Unit, Run], copies: set[Unit], differences: Sequence[int]) -> bool:
    """Whether chance hardly gives so many runs the same answers, where two of them disagree on so many images."""
    if not copies or not differences:
        return bool(copies)
    if max(_wrong(of[seed]) for seed in copies) <= MOST_WRONG_BY_CHANCE:
        return False
    few = float(np.quantile(differences, 0.1))
    return float(pdtrc(len(copies) - 1, math.comb(len(of), 2) * math.exp(-few))) < RARE


def _blocks(arms: Mapping[str, Mapping[Unit, Run]]) -> set[Unit]:
    """Seeds that repeat another one in all arms, where chance would not have it."""
    seeds = sorted(next(iter(arms.values())))
    runs = [run for of in arms.values() for run in of.values()]
    if len(seeds) < FEWEST_RUNS or any(run.correct is not None for run in runs):
        return set()
    copies = _repeats({seed: tuple(_error(of[seed]) for of in arms.values()) for seed in seeds})
    scales = _Scales.of(arms)
    pairs = math.comb(len(seeds), 2)
    expected = pairs * math.prod(scales.tie(arm) for arm in arms)
    # seeds that change nothing at all are told of arm by arm
    return copies if 0 < len(copies) < len(seeds) - 1 and pdtrc(len(copies) - 1, expected) < RARE else set()


def _same_arms(arms: Mapping[str, Mapping[Unit, Run]]) -> Iterator[str]:
    """Arms that err the same in every seed: one of them may be a copy of the other."""
    scales = _Scales.of(arms)
    results = {arm: {seed: (_error(run), _answers(run)) for seed, run in of.items()} for arm, of in arms.items()}
    for one, other in combinations(arms, 2):
        seeds = len(results[one])
        if seeds >= FEWEST_RUNS and results[one] == results[other] and scales.tie(one) ** seeds < RARE:
            yield f"{shortened(one)} and {shortened(other)} err the same with every seed: is one a copy of the other?"


def _repeats(results: Mapping[Unit, Hashable]) -> set[Unit]:
    """Seeds whose result is that of a lower one."""
    first: dict[Hashable, int] = {}
    return {seed for seed in sorted(results) if first.setdefault(results[seed], seed) != seed}


def _error(run: Run) -> Hashable:
    return None if run.test_error is None else round(run.test_error, DIGITS)


def _answers(run: Run) -> Hashable:
    return (run.fold, None if run.correct is None else run.correct.tobytes())


def _wrong(run: Run) -> int:
    return 0 if run.correct is None else int((~run.correct).sum())


class _Scales:
    """How finely errors are written, and how far those of an arm spread: together they say how often runs tie."""

    def __init__(self, step: float, spreads: Mapping[str, float]) -> None:
        self.step, self.spreads = step, spreads

    @classmethod
    def of(cls, arms: Mapping[str, Mapping[Unit, Run]]) -> _Scales:
        errors = {arm: np.array([run.test_error for run in of.values()], dtype=float) for arm, of in arms.items()}
        spreads = {arm: _spread(values) for arm, values in errors.items()}
        if all(np.ptp(values) == 0 for values in errors.values() if len(values)):
            return cls(0.0, dict.fromkeys(arms, 1.0))  # no seed changes anything: what should make runs tie?
        # Where most runs tie the spread is taken to be that of other arms. But at 0 nothing spreads, and runs do tie.
        usual = float(np.median([spread for spread in spreads.values() if spread] or [0.0]))
        spreads = {arm: spread or (usual if errors[arm].any() else 0.0) for arm, spread in spreads.items()}
        return cls(step_of(np.concatenate(list(errors.values()))), spreads)

    def tie(self, arm: str) -> float:
        """Probability that two runs tie."""
        spread = self.spreads[arm]
        return min(1.0, self.step / (2 * math.sqrt(math.pi) * spread)) if spread else 1.0

    def are_rare(self, arm: str, runs: int, copies: int) -> bool:
        """Whether chance hardly makes so many repeats among an arm's runs: by the pairs that tie, or all at once."""
        if not copies:
            return False
        tie = self.tie(arm)
        by_pairs = float(pdtrc(copies - 1, math.comb(runs, 2) * tie))
        ways = math.lgamma(runs + 1) - math.lgamma(copies + 1) - math.lgamma(runs - copies + 1)
        each = min(1.0, (runs - copies) * math.sqrt(2) * tie)
        return by_pairs < RARE or each == 0 or ways + copies * math.log(each) < math.log(RARE)


def _spread(errors: Floats) -> float:
    """Standard deviation by the nearer half of the pairs, which runs that diverged do not move; 0 where those tie.

    A mean of many differences, since quartiles of rounded errors are often a step apart or none.
    """
    if len(errors) < FEWEST_RUNS:
        return 0.0
    some = errors[:ENOUGH_RUNS]
    apart = np.sort(np.abs(np.subtract.outer(some, some))[np.triu_indices(len(some), 1)])
    return float(apart[: math.ceil(len(apart) / 2)].mean()) / NEARER_HALF


def step_of(errors: Floats) -> float:
    """The step that errors are multiples of, such as 0.01 for 10,000 images, as far as it shows; at most too large.

    Args:
        errors: `(runs,)` array, in percent.

    >>> step_of(np.array([3.0, 3.25, 4.0])), step_of(np.array([3.0, 3.0]))
    (0.25, inf)
    """
    distinct = np.unique(np.round(errors, DIGITS))
    gaps = np.diff(distinct)
    if not len(gaps):
        return math.inf
    written = (n for n in range(DIGITS) if np.allclose(distinct, np.round(distinct, n), rtol=0, atol=1e-10))
    places = next(written, DIGITS)
    rounding = 10.0**-places
    step, error = float(gaps.min()), rounding
    for gap in sorted(gaps.tolist()):
        step, error = _common(step, error, gap, rounding)
    return step


def _common(step: float, error: float, other: float, rounding: float) -> tuple[float, float]:
    """Euclid's greatest common divisor of two numbers, each with its error; and the error of that."""
    times = round(other / step)
    rest, of_rest = abs(other - times * step), rounding + times * error
    return (step, error) if rest <= of_rest else _common(rest, of_rest, step, error)
