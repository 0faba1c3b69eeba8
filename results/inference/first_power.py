"""How many seeds does an arm need before a true gain is found, under the first rules? By simulation, with these rules.

Studies are drawn at the level of run errors: normal, with a standard deviation between seeds for every arm, and on top
a test-example error that all seeds share. The deviation between seeds is the measured one: it contains how the answers
on these test images waver from run to run, not only how good a run is on all images. Imports numpy and scipy's special
functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from resnext_search.results.inference.first_rules import FEWEST_SEEDS, is_gain
from resnext_search.results.inference.power import fewest_seeds
from resnext_search.results.inference.question import Question
from resnext_search.results.statistics.estimates import probability_of_improvement
from resnext_search.spaces.architecture.complexity import Floats
from scipy.special import stdtrit

STUDIES = 4000
# Draws of one simulation: few studies of many seeds are as good as many of few, and a fifth of a second is enough.
MOST_DRAWS = 1_500_000


@dataclass(frozen=True)
class Spread:
    """How uncertain the runs of a question are.

    Args:
        deviations: One an arm, in the order of the question: standard deviation of the test error between seeds.
        example_errors: One for each primary comparison: standard error from the sampling of the test images, which no
            seed shrinks; 0 where it is not known.
    """

    deviations: tuple[float, ...]
    example_errors: tuple[float, ...]


def power(
    question: Question,
    spread: Spread,
    seeds: int,
    *,
    gain: float | None = None,
    margin: float = 0.3,
    studies: int = STUDIES,
    seed: int = 0,
) -> float:
    """Probability that a study of so many seeds an arm is `supported`.

    Args:
        question: Which arms are compared. Its primary comparisons are all rivals or, in a `trade`, the trend.
        spread: How uncertain they are.
        seeds: An arm; at least 2.
        gain: True gain of the claimant over every rival, or along the trend, in points; two margins without it.
        margin: Least difference that matters, in points.
        studies: Simulated ones; fewer where they are large.
        seed: Of the simulation.

    Returns:
        A share; 0 below `FEWEST_SEEDS`.

    >>> question = Question("spend", "cardinality", ("cardinality", "width"))
    >>> 0.8 < power(question, Spread((0.3, 0.3), (0.1,)), seeds=8) < 1
    True
    """
    if seeds < FEWEST_SEEDS:
        return 0.0
    generator = np.random.default_rng(seed)
    arms = len(question.arms)
    studies = max(200, min(studies, MOST_DRAWS // (arms * seeds)))
    means = question.gains() * (2 * margin if gain is None else gain)
    deviations = np.array(spread.deviations)
    errors = generator.normal(means[:, None, None], deviations[:, None, None], size=(arms, studies, seeds))
    # Comparisons share their claimant, and so half of what the test images do to them.
    shared = generator.standard_normal((len(spread.example_errors) + 1, studies))
    supported = np.ones(studies, bool)
    for index, (weights, claimant, rival) in enumerate(_primary(question)):
        contrasts = np.tensordot(weights, errors, axes=1)
        example_error = spread.example_errors[index]
        offset = example_error * (shared[index] + shared[-1]) / np.sqrt(2)
        value = contrasts.mean(axis=1) + offset
        lower = value - _half_width(contrasts.var(axis=1, ddof=1) / seeds, example_error**2, seeds)
        supported &= np.asarray(is_gain(lower, value, 1.0, margin))
        # These test images favour one arm in all its runs: that moves the share of pairs that it wins, too.
        rivals = errors[rival, supported] + offset[supported, None]
        probability = probability_of_improvement(errors[claimant, supported], rivals)
        supported[supported] = is_gain(lower[supported], value[supported], probability, margin)
    return float(supported.mean())


def seeds_needed(question: Question, spread: Spread, *, margin: float = 0.3) -> int | None:
    """Smallest number of seeds an arm with which a true gain of two margins is `supported` often enough.

    Returns:
        None if no number up to `MOST_SEEDS` does: the seeds differ so much that the better arm seldom wins a pair of
        runs, or the test images are too few.

    >>> question = Question("spend", "cardinality", ("cardinality", "width"))
    >>> seeds_needed(question, Spread((0.1, 0.1), (0.0,)))
    5
    >>> seeds_needed(question, Spread((1.0, 1.0), (0.0,))) is None  # wins 66 % of the pairs, however many there are
    True
    """

    return fewest_seeds(lambda seeds: power(question, spread, seeds, margin=margin), FEWEST_SEEDS)


def _primary(question: Question) -> Sequence[tuple[Floats, int, int]]:
    """Contrast of every primary comparison, and the positions of the two arms whose runs are paired off."""
    position = question.arms.index
    trend = question.trend()
    if trend is not None:
        return [(trend, position(question.claimant), 0)]
    return [(question.weights(*pair), position(pair[0]), position(pair[1])) for pair in question.pairs()]


def _half_width(run_variance: Floats, example_variance: float, seeds: int) -> NDArray[np.float64]:
    """Of the one-sided 95 % bound, as `clustered` has it; the images are so many that they count as known."""
    variance = run_variance + example_variance
    share = run_variance / np.maximum(variance, np.finfo(float).tiny)
    degrees = (seeds - 1) / np.maximum(share, 1e-4) ** 2  # where runs do not differ: practically normal
    return np.asarray(stdtrit(degrees, 0.95) * np.sqrt(variance))
