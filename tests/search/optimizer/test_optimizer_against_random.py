"""The optimizer finds more than chance does, by a stated margin."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from resnext_search.search.optimizer.optimizer import Optimizer
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.spaces import Architecture
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.study.study import Objective
from scipy.stats import t as student

from tests.search.optimizer.test_optimizer_latency import latency
from tests.support.optimizers import LEARNING_RATE, drive, middle_set, valley


def mean_of_the_best_of(errors: Sequence[float], draws: int) -> float:
    """Expectation of the lowest of so many errors drawn without replacement: random search, without its noise.

    The k-th lowest of N is the lowest drawn with the chance that it is drawn first, times none of the k - 1 below is.
    """
    total, expected, none_below = len(errors), 0.0, 1.0
    for k, error in enumerate(sorted(errors)):
        drawn = draws / (total - k)
        if total - k < draws:
            break
        expected += none_below * drawn * error
        none_below *= 1 - drawn
    return expected


def test_the_expectation_for_random_search_is_right_by_hand() -> None:
    assert mean_of_the_best_of([3.0, 1.0, 2.0], 1) == pytest.approx(2.0)
    assert mean_of_the_best_of([3.0, 1.0, 2.0], 2) == pytest.approx((1 + 1 + 2) / 3)
    assert mean_of_the_best_of([3.0, 1.0, 2.0], 3) == pytest.approx(1.0)


def interval(values: Sequence[float]) -> tuple[float, float]:
    """99 % confidence interval of the mean, by Student's t."""
    half = student.ppf(0.995, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
    return float(np.mean(values) - half), float(np.mean(values) + half)


@pytest.mark.slow
def test_it_beats_random_search_over_the_same_feasible_set() -> None:
    """At 20 trials of some 3,000 candidates it leaves less than a third of random search's distance to the best.

    Over 12 seeds; the upper end of the 99 % interval counts. Errors are told with a noise of 0.3 points, and the
    truth of what was tried is compared.
    """
    pool = Candidates(middle_set(), [LEARNING_RATE])
    truths = [valley(pool.configuration(candidate)) for candidate in range(len(pool))]
    by_chance = mean_of_the_best_of(truths, 20) - min(truths)
    regrets = []
    for seed in range(12):
        noise = np.random.default_rng(seed)
        optimizer = Optimizer(middle_set(), [LEARNING_RATE], ["validation_error"], seed)
        made = drive(optimizer, 20, lambda configuration, noise=noise: valley(configuration) + noise.normal(0, 0.3))  # type: ignore[misc]
        regrets.append(min(valley(proposal.configuration) for proposal in made) - min(truths))
    low, high = interval(regrets)
    assert high < by_chance / 3, f"regret {low:.3f} to {high:.3f}, by chance {by_chance:.3f}"


def hypervolume(points: Sequence[tuple[float, float]], reference: tuple[float, float]) -> float:
    """Area below the reference that the points dominate."""
    corners = sorted(point for point in points if point[0] < reference[0] and point[1] < reference[1])
    front = [corner for index, corner in enumerate(corners) if all(corner[1] < other[1] for other in corners[:index])]
    steps = pairwise([*front, (reference[0], 0.0)])
    return sum((right[0] - left[0]) * (reference[1] - left[1]) for left, right in steps)


def test_the_hypervolume_is_right_by_hand() -> None:
    assert hypervolume([(1, 3), (2, 2), (3, 1), (3, 3), (5, 0)], (4, 4)) == 6


def activations_of(architecture: Architecture) -> float:
    return float(complexity(middle_set().template, architecture).activations)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cost", "trials"), [("activations", activations_of, 20), ("latency_ms", latency, 40)])
def test_with_a_second_objective_it_dominates_more_than_random_search(
    name: Objective, cost: Callable[[Architecture], float], trials: int
) -> None:
    """Error against activations at 20 trials, or against latency, which has to be learned too, at 40; over 20 seeds.

    Of the hypervolume of the whole pool it misses less than two thirds of what a random search misses on average; the
    upper end of the 99 % interval counts.
    """
    pool, generator = Candidates(middle_set(), [LEARNING_RATE]), np.random.default_rng(0)
    dearest = max(cost(architecture) for architecture in middle_set())

    def area(candidates: Sequence[int]) -> float:
        configurations = [pool.configuration(int(candidate)) for candidate in candidates]
        points = [(cost(one.architecture), valley(one)) for one in configurations]
        return hypervolume(points, (1.1 * dearest, 20.0))

    whole = area(range(len(pool)))
    by_chance = np.mean([whole - area(generator.choice(len(pool), trials, replace=False).tolist()) for _ in range(500)])
    missed = []
    for seed in range(20):
        optimizer, made = Optimizer(middle_set(), [LEARNING_RATE], ["validation_error", name], seed), []
        for number in range(trials):
            made += [pool.find(proposal.configuration) for proposal in optimizer.ask()]
            configuration = pool.configuration(made[-1])
            optimizer.tell(number, {"validation_error": valley(configuration), name: cost(configuration.architecture)})
        missed.append(whole - area(made))
    low, high = interval(missed)
    assert high < by_chance * 2 / 3, f"missed {low:.3g} to {high:.3g}, by chance {by_chance:.3g}"
