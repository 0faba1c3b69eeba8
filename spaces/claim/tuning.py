"""Which learning rates is an arm tried with, which is its best, and was the range it was sought in wide enough?"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from resnext_search.spaces.search_space.knobs import Knob
from resnext_search.spaces.study.study import Study

# How often the range of learning rates is widened while an arm's best one lies at its edge, and by how many rates.
MOST_EXTENSIONS = 2
RATES_PER_EXTENSION = 2
# Blocks of the confirmation in which the rate that came second is trained too.
RUNNER_UP_SEEDS = 3


def best_rate(errors: Mapping[float, float]) -> float:
    """The learning rate with the lowest error; of equal ones the one nearest the middle of the range, on a log scale.

    Validation errors in percent, by rate. A failed trial has NaN, which is worse than any number; if all failed, it is
    the middle rate.

    >>> best_rate({0.01: 9.0, 0.1: 7.0, 1.0: 7.0})
    0.1
    """
    middle = (math.log(min(errors)) + math.log(max(errors))) / 2
    return min(
        sorted(errors),
        key=lambda rate: (math.inf if math.isnan(errors[rate]) else errors[rate], abs(math.log(rate) - middle)),
    )


def edge_of(errors: Mapping[float, float]) -> str:
    """`lowest` or `highest` if the best rate is that of the rates tried, else empty: the optimum may lie outside.

    >>> edge_of({0.01: 9.0, 0.1: 7.0, 1.0: 6.5}), edge_of({0.01: 9.0, 0.1: 7.0, 1.0: 8.0})
    ('highest', '')
    """
    best = best_rate(errors)
    return "lowest" if best == min(errors) else "highest" if best == max(errors) else ""


def tuned(curves: Mapping[str, Mapping[float, float]]) -> dict[str, float]:
    """The best learning rate of every arm that is tuned inside its range, from its errors; one at the edge has none.

    >>> tuned({"width": {0.01: 9.0, 0.1: 7.0, 1.0: 8.0}, "depth": {0.01: 9.0, 0.1: 7.0, 1.0: 6.5}})
    {'width': 0.1}
    """
    return {arm: best_rate(errors) for arm, errors in curves.items() if not edge_of(errors)}


def planned_rates(study: Study) -> list[float]:
    """The learning rates of every arm before any widening: so many over the range, or those that are listed."""
    assert study.claim is not None  # callers ask first
    rates: list[float] = _rate_axis(study).grid(study.claim.tuning_trials).tolist()
    return rates


def wider_rates(study: Study, curves: Mapping[str, Mapping[float, float]]) -> list[float]:
    """Rates beyond the range on the side of an edge optimum, for every arm of a study that has a claim.

    Empty if no arm's best is at an edge, the rates are listed, or it was widened `MOST_EXTENSIONS` times already. The
    curves are those of `tuned`, every arm with the same rates, at least two.
    """
    rates = sorted(next(iter(curves.values())))
    if _rate_axis(study).values or len(rates) >= len(planned_rates(study)) + MOST_EXTENSIONS * RATES_PER_EXTENSION:
        return []
    return rates_beyond(curves)


def rates_beyond(curves: Mapping[str, Mapping[float, float]]) -> list[float]:
    """Rates beyond those of the curves, on the side of an edge optimum of any arm; four digits each.

    >>> rates_beyond({"width": {0.01: 9.0, 0.1: 7.0, 1.0: 6.5}, "depth": {0.01: 9.0, 0.1: 7.0, 1.0: 8.0}})
    [10.0, 100.0]
    """
    rates = sorted(next(iter(curves.values())))
    edges = {edge_of(errors) for errors in curves.values()}
    steps = np.arange(1, RATES_PER_EXTENSION + 1)
    wider: list[float] = []
    if "lowest" in edges:
        wider += (rates[0] * (rates[0] / rates[1]) ** steps).tolist()
    if "highest" in edges:
        wider += (rates[-1] * (rates[-1] / rates[-2]) ** steps).tolist()
    return [float(f"{rate:.4g}") for rate in wider]


def _rate_axis(study: Study) -> Knob:
    return next(knob for knob in study.knobs() if knob.name == "learning_rate")
