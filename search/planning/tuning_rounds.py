"""Which tuning trials does the claim need next? Study and journal alone say it, so that asking twice adds nothing.

The first round tries every arm with the same rates and one seed, on a range that is widened while an arm's best rate is
at its edge. The second, which `rules: 1` do not have, tries five rates of its own for every arm on further seeds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, Trial
from resnext_search.search.planning.space_trials import missing_space_tuning
from resnext_search.search.planning.wanted import Wanted, enqueue, lacking
from resnext_search.spaces.claim.arms import claim_arms
from resnext_search.spaces.claim.seeds import tuning_seed
from resnext_search.spaces.claim.tuning import planned_rates, tuned, wider_rates
from resnext_search.spaces.claim.tuning_fit import Point, Tuned, fit_tuning, second_rates
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study


def enqueue_tuning(study: Study, journal: Journal) -> int:
    """Queue the tuning trials of the next round, when all of the round before have ended; returns how many.

    It is 0 when the tuning is complete. One seed for all trials of the first round: rates and arms then differ in
    nothing else. When all have ended and some arm's best rate is the lowest or the highest that was tried, the range is
    widened on that side, for every arm, at most twice. An arm that is at the edge then cannot be tuned, and there is no
    second round for any.
    """
    return enqueue(journal, "tune", missing_tuning(study, journal))


def missing_tuning(study: Study, journal: Journal) -> list[Wanted]:
    """What `enqueue_tuning` would queue."""
    if study.claim is not None and study.claim.kind == "spaces":
        return missing_space_tuning(study, journal)
    done = journal.trials(phase="tune")
    if any(trial.state not in ENDED for trial in done):
        return []
    first = [trial for trial in done if trial.seed == done[0].seed]
    curves = _curves(first)
    rates = wider_rates(study, curves) if first else planned_rates(study)
    if rates:
        return _round(study, dict.fromkeys(_arms(study), rates), [tuning_seed(study, 0)])
    if study.rules == 1 or len(_tuned_inside(curves)) < len(_arms(study)):
        return []
    assert study.claim is not None  # callers ask first
    seeds = [tuning_seed(study, number) for number in range(1, study.claim.tuning_seeds + 1)]
    # once begun it keeps its rates: on another machine the fit may differ in the last digit
    begun, points = _curves(trial for trial in done if trial.seed == seeds[0]), _points(first)
    own_rates = {
        arm: list(begun[arm]) if arm in begun else second_rates(points[arm], images=study.images_to_validate())
        for arm in _arms(study)
    }
    return lacking(_round(study, own_rates, seeds), done)


def tuned_rates(journal: Journal) -> dict[str, float]:
    """The learning rate that is chosen for every arm that is tuned inside its range; one at the edge has none."""
    if journal.study().rules == 1:
        return tuned(_curves(journal.trials(phase="tune")))
    return {arm: chosen.rate for arm, chosen in chosen_rates(journal).items()}


def chosen_rates(journal: Journal) -> dict[str, Tuned]:
    """The same, with the runner-up and what else is known of the choice; not under `rules: 1`.

    Nor has an arm a rate of whose first round every trial failed.
    """
    study, trials = journal.study(), journal.trials(phase="tune")
    inside = _tuned_inside(_curves(trial for trial in trials if trial.seed == trials[0].seed))
    points = {arm: of_arm for arm, of_arm in _points(trials).items() if arm in inside}
    return fit_tuning(points, images=study.images_to_validate(), levels=study.has_folds)


def _tuned_inside(first_round: Mapping[str, Mapping[float, float]]) -> set[str]:
    """The arms whose best rate is neither the lowest nor the highest; one without a single error has no best rate."""
    failed = {arm for arm, errors in first_round.items() if all(map(math.isnan, errors.values()))}
    return set(tuned(first_round)) - failed


def _round(study: Study, rates: dict[str, list[float]], seeds: Sequence[int]) -> list[Wanted]:
    """Every arm at its rates, as many for each, under every seed; rate by rate, so that arms alternate."""
    architectures = {arm.name: arm.architecture for arm in claim_arms(study)}
    return [
        Wanted(arm, Configuration(architectures[arm], (("learning_rate", rate),)), seed)
        for seed in seeds
        for of_arms in zip(*rates.values(), strict=True)
        for arm, rate in zip(rates, of_arms, strict=True)
    ]


def _arms(study: Study) -> list[str]:
    return [arm.name for arm in claim_arms(study)]


def _points(trials: Iterable[Trial]) -> dict[str, list[Point]]:
    """Rate, validation error and seed of the trials of every arm; an error of NaN where a trial failed."""
    points: dict[str, list[Point]] = defaultdict(list)
    for trial in trials:
        error = math.nan if trial.validation_error is None else trial.validation_error
        points[str(trial.arm)].append(Point(dict(trial.configuration.knobs)["learning_rate"], error, trial.seed))
    return dict(points)


def _curves(trials: Iterable[Trial]) -> dict[str, dict[float, float]]:
    """Validation error by learning rate, of every arm, for trials with one seed."""
    return {arm: {point.rate: point.error for point in points} for arm, points in _points(trials).items()}
