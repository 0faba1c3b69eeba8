"""What has the search learned about cardinality, depth and width? The best error to be expected with each value.

For every C the posterior of the lowest error without noise over all candidates that have it, so that everything else
(width, blocks, recipe) is at its best and the multiply-adds are those of the budget. The same for every depth, for
every width d of a group, and for every pair of C and depth: the surface of equal FLOPs, at which d follows but for what
the blocks of the stages and the tolerance leave open. It is the search's own answer to the claim, and no evidence for
it: trials were proposed where they promised something. Imports numpy and scipy alone.

Intervals are those of the model, without the noise of a training, widened by what it was off in predicting the study's
own trials before they were run (`search/surrogate/posterior.py`); nothing else corrects them. What they cover is
measured by `benchmarks/search/effects_coverage.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from resnext_search.results.search_summary import Axis, Effect, SurfacePoint
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.search.surrogate.posterior import CandidatePosterior, Posterior
from resnext_search.spaces.architecture.complexity import Floats, Integers
from resnext_search.spaces.seeds import derive_seed
from scipy.special import ndtri

AXES: tuple[Axis, ...] = ("cardinality", "depth", "width")

SAMPLES = 2_000
# Of a value's candidates: so many are predicted, and of these so many that could be the lowest are sampled together.
PREDICTED, SAMPLED = 4_000, 300

# Of all pairs together so many candidates are predicted, and of one at least some.
PREDICTED_OF_PAIRS, FEWEST = 20_000, 50


def effects_of(posterior: CandidatePosterior, seed: int) -> list[Effect]:
    """What is expected of every value of every axis.

    Args:
        posterior: The model after the trials, and the candidates of the study.
        seed: The study's; the same seed draws the same samples.

    Returns:
        One row a value, in the order of `AXES`, each ascending.
    """
    pool, model, factor = posterior.pool, posterior.model, posterior.calibration_factor
    effects = []
    for axis, value, members in _groups(pool, seed):
        generator = np.random.default_rng(derive_seed(seed, "effect", axis, value))
        contenders, best = _contenders(posterior, members)
        lowest = model.process.sample(pool.features(contenders), SAMPLES, generator).min(axis=1)
        limits = lowest.mean() + factor * (np.quantile(lowest, [0.025, 0.975]) - lowest.mean())
        median, low, high = _in_percent(model, np.array([np.median(lowest), *limits]))
        effects.append(Effect(axis, value, median, low, high, pool.configuration(best)))
    return effects


def _groups(pool: Candidates, seed: int) -> Iterator[tuple[Axis, int, Integers]]:
    """Every value of every axis with its candidates, or a random part of very many."""
    for axis in AXES:
        column = np.asarray(getattr(pool.feasible, axis))
        for value in np.unique(column).tolist():
            yield axis, value, _members(pool, column == value, PREDICTED, seed, "members", axis, value)


def _members(pool: Candidates, of: NDArray[np.bool_], limit: int, seed: int, *purpose: str | int) -> Integers:
    """Candidates of some architectures, `(architectures,)`; of more than the limit a random part, ascending."""
    rows = len(pool.knob_rows)
    members = (np.flatnonzero(of)[:, None] * rows + np.arange(rows)).ravel()
    if len(members) <= limit:
        return members
    return np.sort(np.random.default_rng(derive_seed(seed, *purpose)).choice(members, limit, replace=False))


def _contenders(posterior: CandidatePosterior, members: Integers) -> tuple[Integers, int]:
    """The members that could be the lowest, and the one that is expected to be.

    One whose mean less three deviations lies above another's mean plus three is left out, and of many the ones with the
    lowest mean less three deviations.
    """
    mean, variance = posterior.predict(members)
    deviation = np.sqrt(variance)
    lowest = mean - 3 * deviation
    order = np.argsort(lowest, kind="stable")
    order = order[lowest[order] <= (mean + 3 * deviation).min()][:SAMPLED]
    return members[order], int(members[mean.argmin()])


def surface(posterior: CandidatePosterior, seed: int) -> list[SurfacePoint]:
    """Every pair of cardinality and depth of the feasible set, in ascending order.

    Args:
        posterior: The model and the candidates.
        seed: The study's; of many candidates the same seed predicts the same part.
    """
    pool, feasible = posterior.pool, posterior.pool.feasible
    pairs, pair_of = np.unique(np.stack([feasible.cardinality, feasible.depth], axis=1), axis=0, return_inverse=True)
    limit = max(FEWEST, PREDICTED_OF_PAIRS // len(pairs))
    best = []
    for number, pair in enumerate(pairs.tolist()):
        members = _members(pool, pair_of == number, limit, seed, "surface", *pair)
        best.append(int(members[posterior.predict(members)[0].argmin()]))
    mean, variance = posterior.predict(np.array(best))
    reach = float(ndtri(0.975)) * posterior.calibration_factor * np.sqrt(variance)
    limits = (_in_percent(posterior.model, outcomes) for outcomes in (mean, mean - reach, mean + reach))
    return [
        SurfacePoint(pool.configuration(candidate), *numbers) for candidate, *numbers in zip(best, *limits, strict=True)
    ]


def _in_percent(model: Posterior, outcomes: Floats) -> list[float]:
    """Errors; of few trials and a large calibration factor, logarithms go beyond what an error can be."""
    percent: list[float] = np.minimum(model.scale.errors(outcomes), 100).tolist()
    return percent
