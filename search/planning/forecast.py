"""How long will the rest of a study take, by what its trials took? And what of a GPU will one, by prediction?

Starts without torch, Ax and Ray.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from resnext_search.results.journal.rows import ENDED, Trial
from resnext_search.search.planning.workload import trial_loads
from resnext_search.spaces.architecture.gpu_sharing import Gpus, Sharing, Step, sharing
from resnext_search.spaces.architecture.training_cost import (
    CONTEXT_BYTES,
    SCRATCH_BYTES,
    judging_bytes,
    training_bytes,
)
from resnext_search.spaces.claim.arms import claim_arms
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.study.study import Phase, Study
from scipy.special import stdtrit


def gpu_bytes(study: Study, feasible: FeasibleSet) -> int:
    """Most memory of a GPU that a trial takes, by prediction: that of the search with most activations, or of an arm.

    With all images of the data set, as bytes, where it is known how many there are, and what any process takes. The
    graph of a step keeps its memory while images are judged.

    Raises:
        EmptyFeasibleSet: An arm of the study's claim cannot be matched.
    """
    template, images = study.network_template(), _largest_batch(study)
    networks = [feasible[int(np.argmax(feasible.counts.activations))], *(arm.architecture for arm in claim_arms(study))]
    facts = study.facts()
    data = (facts.train_images + facts.test_images) * facts.channels * facts.resolution**2
    graphed = study.trainer.graph
    training = max(
        training_bytes(template, network, images) + (judging_bytes(template, network, images) if graphed else 0)
        for network in networks
    )
    return training + data + CONTEXT_BYTES + SCRATCH_BYTES


def sharing_of(study: Study, gpus: Gpus) -> Sharing:
    """How many trials share a GPU with `resources.gpu: auto`, by the network of the study that is longest at work.

    Raises:
        EmptyFeasibleSet: Nothing lies in the FLOP band, or an arm cannot be matched.
    """
    if study.trainer.plugin is not None:
        return Sharing(1, f"one trial a GPU: what the trainer {study.trainer.plugin} leaves of it is not known")
    if study.has_measured_objectives:
        return Sharing(1, "one trial a GPU: latencies are compared, which another trial there would disturb")
    if study.trainer.graph:
        return Sharing(1, "one trial a GPU: with trainer.graph no network waits for Python")
    template, images, feasible = study.network_template(), _largest_batch(study), study.feasible_set()
    networks = [feasible[int(np.argmin(feasible.depth))], *(arm.architecture for arm in claim_arms(study))]
    steps = [Step.of(template, network, images) for network in networks]
    most = study.search.parallel
    return sharing(
        min(steps, key=Step.trials_to_keep_busy),
        gpu_bytes(study, feasible),
        gpus,
        cpu=study.resources.cpu,
        at_once=None if most == "auto" else most,
    )


def gpu_of_a_trial(study: Study, gpus: Gpus) -> float:
    """`resources.gpu`, with `auto` resolved: a share of a GPU or a whole one if there is any."""
    wanted = study.resources.gpu
    if wanted != "auto":
        return wanted
    return sharing_of(study, gpus).gpu if gpus.number >= 1 else 0.0


def _largest_batch(study: Study) -> int:
    searched = [int(knob.high) for knob in study.knobs() if knob.name == "batch_size"]
    return max(searched, default=study.trainer.batch_size)


# What the trials that ended last have taken is what the next ones will take: a machine's load changes.
ENDS_LOOKED_AT = 12
# Of the trials started last: as many at once as when the busiest of them started is how many run at once.
STARTS_LOOKED_AT = 8
# What a trial may take beside its training: reading the data, starting its worker.
LONGEST_START_SECONDS = 120.0


class Remaining(NamedTuple):
    """Seconds from now to the end: expected, and the ends of a 95 % interval (None after fewer than three trials)."""

    seconds: float
    low: float | None
    high: float | None


def remaining(study: Study, planned: Mapping[Phase, int], trials: Sequence[Trial], now: float) -> Remaining | None:
    """Time to the end, if trials go on as they did; None before the first has ended, and when nothing is left.

    A trial's time is divided by its work (images times multiply-adds), since those that confirm train on more images.
    What is left is a sum of such times over the trials that run at once; its interval is the t interval of a sum that
    is predicted from a sample, the last trials. It holds if the machine stays as busy as it was.

    `planned` says how many trials every phase will have had; `now` is in seconds since 1970.
    """
    work = _work_per_trial(study)
    left = _trials_left(study, planned, trials)
    units = sum(count * work[phase] for phase, count in left.items())
    last = sorted((trial for trial in trials if trial.state in ENDED), key=lambda trial: trial.ended_at or 0.0)
    times = [(seconds, work[trial.phase]) for trial in last if (seconds := _seconds(trial)) is not None]
    paces = [seconds / of_trial for seconds, of_trial in times[-ENDS_LOOKED_AT:]]
    if not paces or units <= 0:
        return None
    return rest_of(paces, units, sum(left.values()), _at_once(trials, now))


def rest_of(paces: Sequence[float], units: float, count: float, at_once: int) -> Remaining:
    """Time that work takes which is left, by the times that a unit of such work took.

    Paces are the seconds that a unit took, of every trial that has ended, at least one; left are so many units in
    `count` trials.

    >>> [round(seconds, 1) for seconds in rest_of([9.0, 10.0, 11.0], units=8, count=8, at_once=2)]
    [40.0, 28.3, 51.7]
    """
    mean = sum(paces) / len(paces)
    expected = units * mean / at_once
    if len(paces) < 3:
        return Remaining(expected, None, None)
    deviation = math.sqrt(sum((pace - mean) ** 2 for pace in paces) / (len(paces) - 1))
    error = deviation * units / count * math.sqrt(count * (1 + count / len(paces))) / at_once
    reach = float(stdtrit(len(paces) - 1, 0.975)) * error
    return Remaining(expected, max(0.0, expected - reach), expected + reach)


def _work_per_trial(study: Study) -> dict[Phase, float]:
    """Work of a trial of every phase, that of the search being 1."""
    planned = trial_loads(study)
    first = planned["search"]
    return {
        phase: load.multiply_adds / first.multiply_adds * (load.images / first.images if first.images else 1.0)
        for phase, load in planned.items()
    }


def _trials_left(study: Study, planned: Mapping[Phase, int], trials: Sequence[Trial]) -> dict[Phase, float]:
    """Trials that have yet to be trained, those that have begun counted by the epochs that they lack."""
    left = {}
    for phase, total in planned.items():
        begun = [trial for trial in trials if trial.phase == phase]
        ended = sum(trial.state in ENDED for trial in begun)
        trained = sum(trial.epochs for trial in begun if trial.state not in ENDED) / study.trainer.epochs
        left[phase] = max(0.0, total - ended - trained)
    return left


def _seconds(trial: Trial) -> float | None:
    """How long an ended trial kept its worker.

    Its training alone is known if it was interrupted; also if the clock was set meanwhile, or the machine slept.
    """
    if trial.state not in ENDED or trial.started_at is None or trial.ended_at is None:
        return None
    around = trial.ended_at - trial.started_at - trial.seconds
    plausible = 0 <= around <= trial.seconds + LONGEST_START_SECONDS
    return trial.ended_at - trial.started_at if trial.attempts == 1 and plausible else trial.seconds


def _at_once(trials: Sequence[Trial], now: float) -> int:
    """How many trials run at a time, by the last that were started."""
    spans = [
        (trial.started_at, now if trial.ended_at is None else trial.ended_at)
        for trial in trials
        if trial.started_at is not None and trial.state in (*ENDED, "running")
    ]
    starts = sorted(start for start, _ in spans)[-STARTS_LOOKED_AT:]
    return max((sum(begin <= start < end for begin, end in spans) for start in starts), default=1) or 1
