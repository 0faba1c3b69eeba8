"""How sure may the model be? As sure as its forecasts of the study's own trials, made before each was run, were right.

A Gaussian process knows how far off it is only if errors are as smooth as its kernel has it, equally so everywhere, and
if its hyperparameters are those that were fitted. None of that is so. But every trial is a test of it: what was
predicted from the trials before it, and what came of it. If residuals are larger than predicted, deviations are
stretched as much. Trials that follow a proposal of the model test it where it promises most, and so for promising too
much as well. Imports numpy and scipy alone.

Source:
    Dawid 1984, "Present position and potential developments: some personal views. Statistical theory: the prequential
    approach": a forecaster is judged by its forecasts of what came next, and by nothing else.
"""

from __future__ import annotations

import math

import numpy as np
from resnext_search.search.belief import Belief, fitted
from resnext_search.search.gaussian_process import Hyperparameters
from resnext_search.search.observations import FITTED_TO, PREDICTED_FROM, Observations, fitted_number
from resnext_search.spaces.knobs import Floats
from scipy.special import ndtri, stdtrit

# The later half of the trials, and of many the last: a model of few trials is no judge of one of many.
FORECASTS = 30


def surprises(observations: Observations) -> Floats:
    """How far off the model of the trials before it was of each: `(k,)` array of deviations, as of `Belief.surprise`.

    Of the later half of the trials and at most the last `FORECASTS`; none of the first two, and so perhaps none at all.
    """
    places, errors, total = observations.places, observations.errors, len(observations.errors)
    variances = np.broadcast_to(observations.variances, total)
    found, fits = [], dict[int, Hyperparameters]()
    # Of very many trials a model sees a choice in any case; thirty models of 1,000 take two seconds, of 300 hardly any.
    limit = PREDICTED_FROM if total <= PREDICTED_FROM else FITTED_TO
    for count in range(max(2, total - total // 2, total - FORECASTS), total):
        before, number = observations.first(count), fitted_number(count)
        if number not in fits:
            fits[number] = fitted(before)
        belief = Belief.after(before, fits[number], limit)
        found.append(belief.surprise(places[count : count + 1], float(errors[count]), float(variances[count])))
    return np.array(found)


def stretch(surprises: Floats) -> float:
    """By what to multiply the normal 95 % intervals of a model that was surprised so; 1 if it never was tested.

    By the root mean square of its surprises, at least 1: residuals smaller than predicted are no reason to be surer.
    And by what Student's quantile is above the normal one, since that root is known from so few.

    >>> round(stretch(np.array([3.0, -3.0] * 15)), 2)  # 3 * 2.042 / 1.960
    3.13
    """
    if not len(surprises):
        return 1.0
    by_student = float(stdtrit(len(surprises), 0.975) / ndtri(0.975))
    return by_student * max(1.0, math.sqrt(float((surprises**2).mean())))
