"""What has the search learned about cardinality, depth and width? The best error to be expected with each value of
them.

For every C the posterior of the lowest error without noise over all candidates that have it, so that everything else
(width, blocks, recipe) is at its best and the multiply-adds are those of the budget. The same for every depth, for
every width d of a group, and for every pair of C and depth: the surface of equal FLOPs, at which d follows but for what
the blocks of the stages and the tolerance leave open. It is the search's own answer to the claim, and no evidence for
it: trials were proposed where they promised something. Imports numpy and scipy alone.

Intervals are those of the model, without the noise of a training, stretched by what it was off in predicting the
study's own trials before they were run (`search/surrogate/posterior.py`); nothing else corrects them. What they cover
is measured by `benchmarks/search/effects_coverage.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from resnext_search.results.search_summary import Axis, Effect, SurfacePoint
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.search.surrogate.observations import Observations
from resnext_search.search.surrogate.posterior import CandidatePosterior
from resnext_search.spaces.architecture.complexity import Integers
from resnext_search.spaces.seeds import derive_seed
from scipy.special import ndtri

AXES: tuple[Axis, ...] = ("cardinality", "depth", "width")

SAMPLES = 2_000

# Of a value's candidates: so many are predicted, and of these so many that could be the lowest are sampled together.
PREDICTED, SAMPLED = 4_000, 300


def learned_effects(pool: Candidates, observations: Observations, seed: int) -> list[Effect]:
    """What trials say about every value of every axis.

    Args:
        pool: The candidates of the study.
        observations: What was tried, in the order of the proposals; at least one trial.
        seed: The study's; the same seed draws the same samples.

    Returns:
        One row a value, in the order of `AXES`, each ascending.
    """
    return effects_of(CandidatePosterior.after(pool, observations), seed)


def effects_of(outlook: CandidatePosterior, seed: int) -> list[Effect]:
    """The same, of a model that is there already."""
    pool, belief, stretched = outlook.pool, outlook.belief, outlook.stretch
    effects = []
    for axis, value, members in _groups(pool, seed):
        generator = np.random.default_rng(derive_seed(seed, "effect", axis, value))
        contenders, best = _contenders(outlook, members)
        lowest = belief.process.sample(pool.places(contenders), SAMPLES, generator).min(axis=1)
        limits = lowest.mean() + stretched * (np.quantile(lowest, [0.025, 0.975]) - lowest.mean())
        # of few trials and a large stretch, logarithms go beyond what an error can be
        median, low, high = np.minimum(belief.scale.errors(np.array([np.median(lowest), *limits])), 100).tolist()
        effects.append(Effect(axis, value, median, low, high, pool.configuration(best)))
    return effects


def _groups(pool: Candidates, seed: int) -> Iterator[tuple[Axis, int, Integers]]:
    """Every value of every axis with its candidates, or a random part of very many."""
    rows = len(pool.knob_rows)
    for axis in AXES:
        column = np.asarray(getattr(pool.feasible, axis))
        for value in np.unique(column).tolist():
            architectures = np.flatnonzero(column == value)
            members = (architectures[:, None] * rows + np.arange(rows)).ravel()
            if len(members) > PREDICTED:
                generator = np.random.default_rng(derive_seed(seed, "members", axis, value))
                members = np.sort(generator.choice(members, PREDICTED, replace=False))
            yield axis, value, members


def _contenders(outlook: CandidatePosterior, members: Integers) -> tuple[Integers, int]:
    """The members that could be the lowest, and the one that is expected to be.

    One whose mean less three deviations lies above another's mean plus three is left out, and of many the ones with the
    lowest mean less three deviations.
    """
    mean, variance = outlook.predict(members)
    deviation = np.sqrt(variance)
    lowest = mean - 3 * deviation
    order = np.argsort(lowest, kind="stable")
    order = order[lowest[order] <= (mean + 3 * deviation).min()][:SAMPLED]
    return members[order], int(members[mean.argmin()])


# Of all pairs together so many candidates are predicted, and of one at least some.
PREDICTED_OF_A_PLACE, FEWEST = 20_000, 50


def surface(outlook: CandidatePosterior, seed: int) -> list[SurfacePoint]:
    """Every pair of cardinality and depth of the feasible set, in ascending order.

    Args:
        outlook: The model and the candidates.
        seed: The study's; of many candidates the same seed predicts the same part.
    """
    feasible, rows = outlook.pool.feasible, len(outlook.pool.knob_rows)
    pairs, pair_of = np.unique(np.stack([feasible.cardinality, feasible.depth], axis=1), axis=0, return_inverse=True)
    limit = max(FEWEST, PREDICTED_OF_A_PLACE // len(pairs))
    best = []
    for number, pair in enumerate(pairs.tolist()):
        members = (np.flatnonzero(pair_of == number)[:, None] * rows + np.arange(rows)).ravel()
        if len(members) > limit:
            generator = np.random.default_rng(derive_seed(seed, "surface", *pair))
            members = np.sort(generator.choice(members, limit, replace=False))
        best.append(int(members[outlook.predict(members)[0].argmin()]))
    mean, variance = outlook.predict(np.array(best))
    reach = float(ndtri(0.975)) * outlook.stretch * np.sqrt(variance)
    # of few trials and a large stretch, logarithms go beyond what an error can be
    errors, lows, highs = (
        np.minimum(outlook.belief.scale.errors(outcomes), 100).tolist()
        for outcomes in (mean, mean - reach, mean + reach)
    )
    return [
        SurfacePoint(outlook.pool.configuration(candidate), *numbers)
        for candidate, *numbers in zip(best, errors, lows, highs, strict=True)
    ]
