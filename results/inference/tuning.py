"""What does the choice of its learning rate add to the uncertainty of an arm? From the trials that tuned it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence

from resnext_search.results.inference.sample import Run, Sample
from resnext_search.spaces.claim.population_fit import Network, Tuning, population_variances
from resnext_search.spaces.claim.tuning_fit import Point, fit_tuning

# A parabola has three coefficients.
FEWEST_RATES = 3


def tuning_points(runs: Iterable[Run], arms: Sequence[str]) -> dict[str, list[Point]]:
    """The tuning trials of every arm that have ended and say their rate; NaN where one failed."""
    points: dict[str, list[Point]] = {}
    for run in runs:
        if run.phase == "tune" and run.arm in arms and run.learning_rate is not None and run.has_ended:
            failed = run.state == "failed" or run.validation_error is None
            error = math.nan if failed or run.validation_error is None else run.validation_error
            points.setdefault(run.arm, []).append(Point(run.learning_rate, error, run.seed))
    return points


def space_variances(runs: Sequence[Run], sample: Sample) -> dict[str, tuple[float, float]]:
    """The same as `tuning_variances`, of two spaces whose networks were tuned by one fit; runs as of `by_space`.

    Without what the table says of the networks (C and depth, in `architecture`) there is none. The parts of the
    spaces are taken to be independent: what they share moves both the same way, and their difference less.
    """
    tunings: dict[str, Tuning] = {}
    for network in dict.fromkeys(run.network for run in runs if run.phase == "tune" and run.network):
        of = [run for run in runs if run.network == network]
        points, found = tuning_points(of, sample.arms).get(of[0].arm, []), _network(of[0])
        if found is None or len({point.rate for point in points}) < FEWEST_RATES:
            return {}
        tunings[network] = Tuning(found, points)
    trained = [found for run in runs if run.phase == "confirm" and (found := _network(run)) is not None]
    fitted = population_variances(list(tunings.values()), trained, images=_validation_images(runs))
    errors = {space: sample.errors[sample.arms.index(space)] for space in fitted}
    means = {space: float(of.mean()) for space, of in errors.items() if len(of)}
    return {space: (of.variance * means[space] ** 2, of.degrees) for space, of in fitted.items() if space in means}


def _network(run: Run) -> Network | None:
    """What the fit of a space knows of a run's network, by the paper's name of it."""
    match = re.fullmatch(r"([1-9][0-9]{0,8})x[1-9][0-9]{0,8}d-([1-9][0-9]{0,8})", run.architecture or "", re.ASCII)
    return Network(run.arm, int(match[1]), int(match[2])) if match else None


def _validation_images(runs: Iterable[Run]) -> int | None:
    """How many images a tuning trial was judged by, as far as the table says it."""
    images = {run.validation_images for run in runs if run.phase == "tune" and run.validation_images is not None}
    return round(min(images)) if images else None


def tuning_variances(runs: Sequence[Run], sample: Sample) -> dict[str, tuple[float, float]]:
    """By arm, what tuning adds to the variance of its mean test error, in squared points, and the degrees of freedom.

    The fit gives the variance of the logarithm of an arm's validation error; that of its test error is taken to be the
    same. An arm with fewer than three rates is left out, as is one without a confirming run.
    """
    points = {
        arm: of
        for arm, of in tuning_points(runs, sample.arms).items()
        if len({point.rate for point in of}) >= FEWEST_RATES and len(sample.errors[sample.arms.index(arm)])
    }
    fitted = fit_tuning(
        points,
        images=_validation_images(runs),
        levels=any(run.fold is not None for run in runs),
        used=_confirmed_rates(runs, points),
    )
    means = {arm: float(sample.errors[sample.arms.index(arm)].mean()) for arm in fitted}
    return {arm: (tuned.variance * means[arm] ** 2, tuned.degrees) for arm, tuned in fitted.items()}


def _confirmed_rates(runs: Iterable[Run], arms: Mapping[str, object]) -> dict[str, float]:
    """The rates that the arms were confirmed at, as far as the table says them."""
    return {
        run.arm: run.learning_rate
        for run in runs
        if run.phase == "confirm" and run.arm in arms and run.learning_rate is not None
    }
