"""One race: a method searches a problem for up to 80 trials, and what it has found is judged by the true errors.

All methods of a seed share the problem, the first trials (our optimizer's space-filling start) and the noise: trial k
of two methods has the same random numbers.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np
from resnext_search.search.optimizer.methods import spread
from resnext_search.spaces import Configuration
from resnext_search.spaces.seeds import derive_seed

from benchmarks.search.optimizer.method import Method
from benchmarks.search.optimizer.problem import Point, Problem

CHECKPOINTS = (10, 20, 40, 80)
Maker = Callable[[Problem, int, int], Method]


@dataclass(frozen=True)
class Result:
    """What came of a race.

    Args:
        best: Regret of the best trial so far, at every checkpoint it came to; infinite before the first in the band.
        chosen: Regret of the trial that the method would hand over, at every checkpoint.
        reached: Trials until the best reached the problem's target; None if it never did.
        infeasible: Trials outside the band.
        seconds: CPU time of the whole race.
    """

    best: tuple[float, ...]
    chosen: tuple[float, ...]
    reached: int | None
    infeasible: int
    seconds: float


def race(problem: Problem, make: Maker, seed: int, trials: int = CHECKPOINTS[-1], workers: int = 1) -> Result:
    """Let a method search a problem; with several workers so many trials run at once, and end in their order."""
    spent = time.process_time()
    optimizer = problem.optimizer(seed)
    method = make(problem, seed, optimizer.initial)
    pool, taken = problem.pool, list[int]()
    tried: list[Configuration | None] = []
    errors: list[float] = []
    running: deque[tuple[Point, float | None]] = deque()
    best, chosen = [], []
    while len(errors) < trials:
        number = len(tried)
        if number < trials and len(running) < workers:
            if number < optimizer.initial:
                candidate = spread(pool, number, derive_seed(seed, "design"), np.array(taken, dtype=np.int64))
                point = problem.point(pool.configuration(candidate))
                method.begin(point)
            else:
                point = method.ask()
            if method.projected:
                point = problem.point(pool.configuration(problem.nearest(point, taken)))
            configuration = problem.configuration(point)
            inside = configuration.architecture in problem.feasible
            error = problem.observe(configuration, np.random.default_rng([seed, 2, number])) if inside else None
            running.append((point, error))
            tried.append(configuration if inside else None)
            if inside and (method.projected or number < optimizer.initial):
                taken.append(pool.find(configuration))
            continue
        point, error = running.popleft()
        method.tell(point, error)
        errors.append(math.inf if error is None else error)
        if len(errors) in CHECKPOINTS:
            regrets = [problem.regret(one) if one else math.inf for one in tried[: len(errors)]]
            choice = method.chosen()
            best.append(min(regrets))
            chosen.append(regrets[int(np.argmin(errors)) if choice is None else choice])
    reached = next((k for k, regret in enumerate(regrets, 1) if regret <= problem.target), None)
    spent = time.process_time() - spent
    return Result(tuple(best), tuple(chosen), reached, tried.count(None), spent)


def suggestion_seconds(problem: Problem, make: Maker, trials: int, asks: int = 3) -> float:
    """CPU seconds of asking for one trial and being told it, after so many: the median of some.

    The trials are random candidates, all in the band.
    """
    generator = np.random.default_rng(trials)
    method, pool = make(problem, 0, trials), problem.pool
    taken = generator.choice(len(pool), size=trials, replace=False).tolist()
    for candidate in taken:
        configuration = pool.configuration(candidate)
        method.tell(problem.point(configuration), problem.observe(configuration, generator))
    seconds = []
    for _ in range(asks):
        began = time.process_time()
        point = method.ask()
        asked = time.process_time() - began
        candidate = problem.nearest(point, taken)
        taken.append(candidate)
        configuration = pool.configuration(candidate)
        point = problem.point(configuration) if method.projected else point
        error = problem.observe(configuration, generator)
        began = time.process_time()
        method.tell(point, error)
        seconds.append(asked + time.process_time() - began)
    return median(seconds)
