"""How many seeds does an arm need, and for what? By simulation, with the very rules that judge.

Two numbers: for a gain of two margins to be `supported`, and for `no practical difference` where nothing differs. Both
are as uncertain as the spread of the runs that they are taken from, and where no number of seeds is enough because the
arms' learning rates are too uncertain, it is said how many more seeds of tuning would be. Studies are drawn at the
level of means: normal, with variances that are estimated from so many seeds. Imports numpy and scipy's special
functions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.rules import ALPHA_DIRECTION, ALPHA_MARGIN, all_corrected_below
from resnext_search.results.statistics.estimates import ROUNDING
from resnext_search.spaces.architecture.complexity import Floats
from resnext_search.spaces.study.sections import FEWEST_SEEDS
from scipy.special import chdtri, stdtr

MOST_SEEDS = 1000
MOST_TUNING = 50
TARGET = 0.8
# Added to the target, so that the luck of a simulation makes no number suffice: its standard error is 0.6 % and more.
LUCK = 0.01
STUDIES = 4000
# Of the range that is given with a number of seeds: 80 %.
RANGE = (0.1, 0.9)


@dataclass(frozen=True)
class Spread:
    """How uncertain the runs of a question are.

    Args:
        deviations: One an arm, in the order of the question: standard deviation of the test error between seeds.
        example_errors: One for each primary comparison: standard error from the sampling of the test images, which no
            seed shrinks; 0 where it is not known.
        tuning: One an arm: variance of its mean from the choice of its learning rate, in squared points.
        tuning_degrees: Degrees of freedom of each of these.
    """

    deviations: tuple[float, ...]
    example_errors: tuple[float, ...]
    tuning: tuple[float, ...] = ()
    tuning_degrees: tuple[float, ...] = ()


@dataclass(frozen=True)
class Need:
    """Seeds an arm that something takes, with the range in which a pilot's spread leaves it; None: no number does."""

    seeds: int | None
    low: int | None
    high: int | None


@dataclass(frozen=True)
class Advice:
    """What would settle a study.

    Args:
        gain: Seeds an arm, for a true gain of two margins to be `supported` in 80 % of studies.
        no_difference: The same, for `no practical difference` where nothing differs.
        tuning_times: So many times the seeds of tuning would make some number of seeds enough; None where some is
            enough already, or where more tuning would not help.
    """

    gain: Need
    no_difference: Need
    tuning_times: int | None


def advise(question: Question, spread: Spread, *, margin: float, runs: int, spent: float = 1.0) -> Advice:
    """What would settle a study of this spread, whose arms have so many runs."""
    degrees = max(1, (runs - 1) * len(spread.deviations))
    scales = [math.sqrt(degrees / chdtri(degrees, 1 - tail)) for tail in RANGE[::-1]]

    def need(enough: Callable[[Spread, int], float]) -> Need:
        scaled = [replace(spread, deviations=tuple(scale * one for one in spread.deviations)) for scale in scales]
        return Need(*(fewest_seeds(partial(enough, one), FEWEST_SEEDS) for one in (spread, *scaled)))

    def supported(one: Spread, seeds: int) -> float:
        return power(question, one, seeds, margin=margin, spent=spent).supported

    def no_difference(one: Spread, seeds: int) -> float:
        return power(question, one, seeds, gain=0.0, margin=margin, spent=spent).no_difference

    gain, nothing = need(supported), need(no_difference)
    times = None
    if gain.seeds is None:
        # the variance of a minimum falls as seeds are added, and the error there with its square
        tuned = ((k, replace(spread, tuning=tuple(one / k**2 for one in spread.tuning))) for k in range(2, MOST_TUNING))
        times = next((k for k, one in tuned if _is_enough(supported(one, MOST_SEEDS))), None)
    return Advice(gain, nothing, times)


@dataclass(frozen=True)
class Power:
    """How often a study says a word, as shares."""

    supported: float
    no_difference: float


def power(
    question: Question,
    spread: Spread,
    seeds: int,
    *,
    gain: float | None = None,
    margin: float = 0.3,
    spent: float = 1.0,
    studies: int = STUDIES,
    seed: int = 0,
) -> Power:
    """Probability that a study of so many seeds an arm is `supported`, and that it finds no practical difference.

    Args:
        question: Which arms are compared. Its primary comparisons are all rivals or, in a `trade`, the trend.
        spread: How uncertain they are.
        seeds: An arm; at least 2.
        gain: True gain of the claimant over every rival, or along the trend, in points; two margins without it.
        margin: Least difference that matters, in points.
        spent: Share of the error that the look may spend.
        studies: Simulated ones.
        seed: Of the simulation.

    Returns:
        Shares; 0 below `FEWEST_SEEDS`.

    >>> question = Question("spend", "cardinality", ("cardinality", "width"))
    >>> 0.7 < power(question, Spread((0.3, 0.3), (0.1,)), seeds=24).supported < 0.8
    True
    """
    if seeds < FEWEST_SEEDS:
        return Power(0.0, 0.0)
    generator = np.random.default_rng(seed)
    variances = np.array(spread.deviations) ** 2 / seeds
    tuning = np.array(spread.tuning or (0.0,) * len(variances))
    tuning_degrees = np.array(spread.tuning_degrees or (1.0,) * len(variances))
    true = question.gains() * (2 * margin if gain is None else gain)
    means = true[:, None] + generator.standard_normal((len(true), studies)) * np.sqrt(variances + tuning)[:, None]
    # Comparisons share their claimant, and so half of what the test images do to them.
    shared = generator.standard_normal((len(spread.example_errors) + 1, studies))
    better, gains, negligible = [], [], []
    for index, weights in enumerate(_primary(question)):
        example_error = spread.example_errors[index]
        value = weights @ means + example_error * (shared[index] + shared[-1]) / np.sqrt(2)
        measured = (weights**2 @ variances) * generator.chisquare(seeds - 1, studies) / (seeds - 1)
        parts = weights**2 * tuning
        variance = measured + example_error**2 + parts.sum()
        doubt = measured**2 / (seeds - 1) + (parts**2 / tuning_degrees).sum()
        # as good as normal, and no overflow, where the variance is known
        degrees = variance**2 / np.maximum(doubt, np.maximum(1e-12 * variance**2, np.finfo(float).tiny))
        error = np.sqrt(variance)

        def tail(distance: Floats, degrees: Floats = degrees, error: Floats = error) -> NDArray[np.float64]:
            sure = 0.5 - 0.5 * np.sign(np.where(abs(distance) > ROUNDING, distance, 0.0))
            return np.where(error > 0, stdtr(degrees, -distance / np.where(error > 0, error, 1.0)), sure)

        better.append(tail(value))
        gains.append(tail(value - margin))
        negligible.append(np.maximum(tail(value + margin), tail(margin - value)))
    supported = all_corrected_below(np.array(better), ALPHA_DIRECTION * spent)
    supported &= (np.array(gains) <= ALPHA_MARGIN * spent).all(axis=0)
    nothing = (np.array(negligible) <= ALPHA_MARGIN * spent).all(axis=0)
    return Power(float(supported.mean()), float((nothing & ~supported).mean()))


def fewest_seeds(share: Callable[[int], float], least: int) -> int | None:
    """Smallest number of seeds with which something comes out often enough; None if none up to `MOST_SEEDS` does.

    Args:
        share: How often it comes out with so many seeds; rises with them.
        least: No fewer are asked for.

    >>> fewest_seeds(lambda seeds: seeds / 100, least=5), fewest_seeds(lambda seeds: 0.5, least=5)
    (81, None)
    """
    if not _is_enough(share(MOST_SEEDS)):
        return None
    found, too_few = least, least - 1
    while not _is_enough(share(found)):
        found, too_few = min(2 * found, MOST_SEEDS), found
    while found - too_few > 1:
        middle = (found + too_few) // 2
        if _is_enough(share(middle)):
            found = middle
        else:
            too_few = middle
    return found


def _is_enough(share: float) -> bool:
    return share >= TARGET + LUCK


def _primary(question: Question) -> Sequence[Floats]:
    """Contrast of every primary comparison."""
    trend = question.trend()
    return [trend] if trend is not None else [question.weights(*pair) for pair in question.pairs()]
