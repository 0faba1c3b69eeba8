"""How sure is a mean over runs, when every run answered a set of test images that other runs answered too?

Runs and images are crossed random effects, and the variance has a part of each. Which images a run was tested on is its
fold: runs of one fold have the same images, two folds have none in common; a published test split is a single fold.
Imports numpy, and scipy through `estimates`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from resnext_search.results.statistics.estimates import Estimate, summed
from resnext_search.spaces.architecture.complexity import Floats

# Rounding leaves a remainder of either sign where nothing is left.
ROUNDING = 1e-9


def clustered(groups: Sequence[Mapping[int, Floats]]) -> Estimate:
    """Estimate for other runs *and* other test images: the sum of the groups' means over their runs.

    The model is d = mu + a(run) + b(image) + residual. Where fold f has n_f of a group's n runs, the share p_f, and m_f
    images, the variance of the mean is

        V = s_a²/n + sum over f of (p_f² s_b²/m_f + p_f s_e²/(n m_f)).

    - *Runs*: the variance of the runs' means, over n. It contains the residual, and with several folds some of the
      images too: the sum of p_f (1 - p_f) s_b²/(m_f (n - 1)).
    - *Images*: the variance of the images' means within a fold, over m_f, less the residual in it. Of p_f² s_b²/m_f the
      share (1 - 1/n_f)/(1 - 1/n) is not in the runs' part: all of it in a single fold, and nothing where no two runs
      share an image, since runs are then independent.

    Several groups are independent in their runs, not in their images. Each has a part for its own runs, taken within
    folds, since whole arms differ more between folds than contrasts of arms do; the images' means are summed over the
    groups before their variance is taken. No part may be less than the residual alone makes it. Degrees of freedom are
    Satterthwaite's.

    Args:
        groups: One or more; of each the contrasts by fold, `(runs, images)` arrays in points. Contrasts of arms that
            share their seeds are one group; arms that do not are a group each, weighted.

    Returns:
        The standard error is NaN where a group has a single run (of several groups: one in every fold), or a fold a
        single image; the example error also where no two runs of a group share their images.

    Source:
        Two-way clustering: Cameron, Gelbach and Miller 2011, J. Business & Economic Statistics 29(2). That it holds its
        level here, and the plain bootstrap does not, is what `benchmarks/verdict/calibration.py` shows.

    >>> estimate = clustered([{0: np.array([[0.0, 3.0], [0.0, 1.0]])}])  # n = m = 2; mean squares 1 (runs), 4 and 1
    >>> estimate.value, estimate.standard_error, round(estimate.degrees, 3), round(estimate.example_error, 4)
    (1.0, 1.0, 0.889, 0.866)
    """
    summaries = [_Group.of(group) for group in groups]
    value = sum(group.value for group in summaries)
    alone = len(summaries) == 1
    degrees = [group.runs - (1 if alone else len(group.folds)) for group in summaries]
    images = [_Images.of(fold, summaries) for fold in sorted({fold for group in summaries for fold in group.folds})]
    if min(degrees) < 1 or min(fold.count for fold in images) < 2:
        return Estimate(value, math.nan, math.nan)
    spreads = [group.variance() if alone else group.variance_within_folds() for group in summaries]
    run_parts = [max(own, group.residual_variance()) for own, group in zip(spreads, summaries, strict=True)]
    residual_part = sum(fold.added * fold.residual for fold in images)
    image_part = max(sum(fold.added * fold.variance for fold in images), residual_part)
    residual_degrees = sum(group.residual_degrees for group in summaries)
    degrees += [sum(fold.count - 1 for fold in images), max(residual_degrees, 1)]
    estimate = summed(value, [*run_parts, image_part, -residual_part], degrees)
    lasting = sum(fold.variance - fold.residual for fold in images)
    example_error = math.sqrt(lasting) if lasting > ROUNDING * estimate.standard_error**2 else 0.0
    return replace(estimate, example_error=example_error if residual_degrees else math.nan)


@dataclass(frozen=True)
class _Fold:
    """Of one group: means over images, `(runs,)`, and over runs, `(images,)`; and the squares left by both."""

    run_means: Floats
    image_means: Floats
    residual_squares: float
    residual_degrees: int

    @classmethod
    def of(cls, contrasts: Floats) -> _Fold:
        runs, images = contrasts.shape
        run_means, image_means = contrasts.mean(axis=1), contrasts.mean(axis=0)
        mean = float(run_means.mean())
        total = float(np.einsum("ij,ij", contrasts, contrasts)) - runs * images * mean**2
        explained = images * float(((run_means - mean) ** 2).sum()) + runs * float(((image_means - mean) ** 2).sum())
        left = total - explained
        return cls(run_means, image_means, left if left > ROUNDING * total else 0.0, (runs - 1) * (images - 1))


@dataclass(frozen=True)
class _Group:
    """Runs that are one sample; `residual` is the mean square that runs and images leave, 0 where nothing shows it."""

    folds: dict[int, _Fold]
    run_means: Floats
    residual: float
    residual_degrees: int

    @classmethod
    def of(cls, group: Mapping[int, Floats]) -> _Group:
        folds = {fold: _Fold.of(contrasts) for fold, contrasts in group.items()}
        degrees = sum(fold.residual_degrees for fold in folds.values())
        residual = sum(fold.residual_squares for fold in folds.values()) / max(degrees, 1)
        return cls(folds, np.concatenate([fold.run_means for fold in folds.values()]), residual, degrees)

    @property
    def runs(self) -> int:
        return len(self.run_means)

    @property
    def value(self) -> float:
        return float(self.run_means.mean())

    def variance(self) -> float:
        """Of the mean over the runs, from all of them."""
        return float(self.run_means.var(ddof=1)) / self.runs

    def variance_within_folds(self) -> float:
        """The same, from how runs differ that have the same images."""
        squares = sum(len(fold.run_means) * float(fold.run_means.var()) for fold in self.folds.values())
        return squares / (self.runs - len(self.folds)) / self.runs

    def residual_variance(self) -> float:
        """Of the mean over the runs, from the residual alone."""
        return (
            self.residual
            * sum(len(fold.run_means) / len(fold.image_means) for fold in self.folds.values())
            / self.runs**2
        )


@dataclass(frozen=True)
class _Images:
    """What the images of a fold do to the estimate.

    Args:
        count: Images.
        variance: Of the estimate, from the images' means over all groups.
        residual: The residual in it.
        added: Which share of both the variance of the runs does not contain already.
    """

    count: int
    variance: float
    residual: float
    added: float

    @classmethod
    def of(cls, number: int, groups: Sequence[_Group]) -> _Images:
        here = [(group, group.folds[number]) for group in groups if number in group.folds]
        count = len(here[0][1].image_means)
        means = np.zeros(count)
        residual = 0.0
        for group, fold in here:
            share = len(fold.run_means) / group.runs
            means += share * fold.image_means
            residual += share**2 * group.residual / (len(fold.run_means) * count)
        runs, all_runs = len(here[0][1].run_means), groups[0].runs
        added = 1.0 if len(groups) > 1 or all_runs < 2 else (1 - 1 / runs) / (1 - 1 / all_runs)
        variance = float(means.var(ddof=1)) / count if count > 1 else math.nan
        return cls(count, variance, residual, added)
