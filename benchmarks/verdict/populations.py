"""Does the verdict on two spaces keep its promises? Whole studies, from the networks that are drawn to the word.

    python -m benchmarks.verdict.populations [--studies 2000] [--workers 2] [--only null]

Every study draws networks of both spaces anew: those that tune, and those that are compared. Networks differ in their
error, and in the rate at which it is lowest: that moves with C and depth, in part by chance, so that no fit can foresee
it. Then the fit says every network's rate, and each is trained once and judged image by image. A space's true error is
its mean over networks, tunings and trainings. A wrong word is any word or phrase that says better or worse of spaces
that are equal; the interval behind its share is Clopper and Pearson's, 95 %.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from resnext_search.results.inference.decision import decide
from resnext_search.results.inference.question import Question
from resnext_search.results.inference.sample import Sample
from resnext_search.results.statistics.estimates import clopper_pearson
from resnext_search.spaces.claim.population_fit import Network, Tuning, fit_population, population_variances
from resnext_search.spaces.claim.tuning import MOST_EXTENSIONS, edge_of, rates_beyond
from resnext_search.spaces.claim.tuning_fit import Point

from benchmarks.verdict.calibration import ERROR, MARGIN, SEED, STUDY, WORDS
from benchmarks.verdict.tunings import NOISES, RATES, TRUTHS, VALIDATION_IMAGES, Curve, bent, noise_of, smooth
from benchmarks.verdict.worlds import World

SPACES = ("one group", "more groups")
QUESTION = Question("spaces", SPACES[1], SPACES[::-1])
# The published curves that networks of each space have, moved to their own best rates.
CURVES = {"one group": "width", "more groups": "cardinality"}
# Of networks of one space: SD of the log error; of the log of the best rate beside what C and depth say of it.
NETWORKS_DIFFER = 0.1
RATES_DIFFER = 0.3
# What the log of the best rate moves by as C doubles, and as the depth grows by a factor of e.
BY_CARDINALITY, BY_DEPTH = 0.15, -0.3
DEVIATION = 0.5
WORLD = World.of(2000, 0.13, wavering=0.38)


@dataclass(frozen=True)
class Case:
    """A kind of study.

    Args:
        truth: Of the tuning curves: one of `TRUTHS`.
        noise: Of a validation error: one of `NOISES`.
        gain: What more groups truly err less, in points.
        networks: Of each space.
        tuned: Further networks of each space that tune.
    """

    truth: str
    noise: str
    gain: float = 0.0
    networks: int = 40
    tuned: int = 6


class Member(NamedTuple):
    """A network: what the fit knows of it, its log error at its best rate, less the mean, and where that rate lies."""

    network: Network
    level: float
    shift: float


class Tuned(NamedTuple):
    """A study after its tuning: errors of the networks that are compared, `(spaces, networks)`, and what is unsure."""

    number: int
    errors: np.ndarray
    tuning: dict[str, tuple[float, float]]


def draw(space: str, generator: np.random.Generator) -> Member:
    """A network of a space."""
    cardinality = int(generator.choice((2, 4, 8))) if space == "more groups" else 1
    depth = 3 * int(generator.integers(1, 5, size=3).sum()) + 2
    shift = BY_CARDINALITY * math.log2(cardinality) + BY_DEPTH * math.log(depth / 23)
    level = NETWORKS_DIFFER * generator.normal()
    return Member(Network(space, cardinality, depth), level, shift + RATES_DIFFER * generator.normal())


def log_error(member: Member, curve: Curve, place: float) -> float:
    """Of a network at a log rate."""
    return float(curve(np.array(place - member.shift))) + member.level


def tune(case: Case, number: int) -> Tuned | None:
    """Draw and tune one study; None where a space's best rate stays at the edge."""
    generator = np.random.default_rng([SEED, number, TRUTHS.index(case.truth), NOISES.index(case.noise), 20])
    curves = {space: bent(case.truth, smooth(STUDY, CURVES[space])) for space in SPACES}
    tuners = [draw(space, generator) for space in SPACES for _ in range(case.tuned)]
    points: list[list[Point]] = [[] for _ in tuners]
    rates = list(RATES)
    for _ in range(MOST_EXTENSIONS + 1):
        for at, member in enumerate(tuners):
            points[at] += [_trial(case, member, curves, rate, at % case.tuned, generator) for rate in rates]
        means = {space: _mean_curve(tuners, points, space) for space in SPACES}
        rates = rates_beyond(means)
        if not rates:
            break
    if any(edge_of(curve) for curve in means.values()):
        return None
    tunings = [Tuning(member.network, of) for member, of in zip(tuners, points, strict=True)]
    fit = fit_population(tunings, images=VALIDATION_IMAGES)
    members = {space: [draw(space, generator) for _ in range(case.networks)] for space in SPACES}
    errors = [
        [math.exp(log_error(one, curves[space], math.log(fit.rate(one.network)))) for one in of]
        for space, of in members.items()
    ]
    trained = [one.network for of in members.values() for one in of]
    variances = population_variances(tunings, trained, images=VALIDATION_IMAGES)
    return Tuned(number, np.array(errors), {space: tuple(variances[space]) for space in SPACES})


def _trial(
    case: Case, member: Member, curves: dict[str, Curve], rate: float, seed: int, generator: np.random.Generator
) -> Point:
    space, place = member.network.space, math.log(rate)
    noise = noise_of(case.noise, CURVES[space], place)
    error = math.exp(log_error(member, curves[space], place)) + noise * generator.normal()
    return Point(rate, max(error, 0.0), seed)


def _mean_curve(tuners: Sequence[Member], points: Sequence[Sequence[Point]], space: str) -> dict[float, float]:
    of = [own for member, own in zip(tuners, points, strict=True) if member.network.space == space]
    return {first.rate: float(np.mean([own[place].error for own in of])) for place, first in enumerate(of[0])}


def study(case: Case, task: tuple[Tuned, np.ndarray]) -> Counter[str]:
    """Train and judge one study, whose networks have these errors; what came out."""
    tuned, errors = task
    generator = np.random.default_rng([SEED, tuned.number, round(1000 * case.gain), 21])
    true = errors + np.array([case.gain, 0.0])[:, None]
    wrong = WORLD.wrong(true.ravel() / 100, DEVIATION, 1, generator)[:, 0]
    of_space = dict(zip(SPACES, wrong.reshape(2, case.networks, -1), strict=True))
    answers = tuple(tuple(of_space[space]) for space in QUESTION.arms)
    means = tuple(100 * of_space[space].mean(axis=1) for space in QUESTION.arms)
    added = {
        space: (tuned.tuning[space][0] * float(mean.mean()) ** 2, tuned.tuning[space][1])
        for space, mean in zip(QUESTION.arms, means, strict=True)
    }
    decision = decide(Sample(QUESTION.arms, means, False, answers, tuning=added), QUESTION, MARGIN)
    [one] = decision.comparisons.plain
    counts: Counter[str] = Counter({decision.word: 1, decision.direction: 1})
    counts["wrong"] = case.gain == 0 and (
        decision.direction is not None or decision.word in ("supported", "contradicted", "partly supported")
    )
    counts["covered"] = int(one.interval[0] <= case.gain <= one.interval[1])
    counts["width"] = round(1e6 * (one.interval[1] - one.interval[0]))
    counts["tuning"] = round(1e6 * one.tuning_error**2)
    return counts


def row(case: Case, counts: Counter[str], total: int, at_the_edge: int, tuning: float) -> str:
    """A line of the table."""
    low, high = clopper_pearson(counts["wrong"], total)
    cells = [
        case.truth,
        case.noise,
        f"{case.gain:+g}" if case.gain else "none",
        *(f"{100 * counts[word] / total:.1f}" for word in WORDS if word != "partly supported"),
        f"{100 * counts['wrong'] / total:.1f} ({100 * low:.1f} to {100 * high:.1f})" if case.gain == 0 else "",
        f"{100 * counts['covered'] / total:.1f}",
        f"{1e-6 * counts['width'] / total:.2f}",
        f"{tuning:.2f}",
        f"{1e-3 * math.sqrt(counts['tuning'] / total):.2f}",
        f"{100 * at_the_edge / (total + at_the_edge):.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Simulate every case and print the table."""
    parser = argparse.ArgumentParser(description="Calibrate the verdict on two spaces.")
    parser.add_argument("--studies", type=int, default=2000, help="studies of each case (default: 2000)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--only", choices=["null", "gains"], help="a part of the table")
    options = parser.parse_args()
    start = time.perf_counter()
    gains = {"null": (0.0,), "gains": (0.3, 0.6, 1.2)}
    chosen = gains[options.only] if options.only else (0.0, *gains["gains"])
    print(f"n={options.studies} studies a row, {Case('smooth', '0.25').networks} networks a space; margin {MARGIN}.\n")
    words = " | ".join(word for word in WORDS if word != "partly supported")
    header = f"| truth | noise | true gain | {words} | wrong words (95 %) | covered | width of the interval "
    header += "| SD of tuning, of the difference | its estimate | at the edge |"
    print(f"{header}\n|{'---|' * header.count(' | ')}---|")
    with ProcessPoolExecutor(options.workers) as pool:
        for truth in TRUTHS:
            for noise in NOISES if truth == "smooth" else ("0.35",):
                found = list(pool.map(partial(tune, Case(truth, noise)), range(options.studies), chunksize=20))
                tuned = [one for one in found if one is not None]
                errors = np.array([one.errors for one in tuned])
                errors *= ERROR / errors.mean(axis=(0, 2))[:, None]
                # of a study's mean the networks that were drawn are a part, which a fit of the tuning has no share in
                spread = _of_tuning(errors)
                for gain in chosen if truth == "smooth" else chosen[:1]:
                    counts: Counter[str] = Counter()
                    case = Case(truth, noise, gain)
                    for one in pool.map(partial(study, case), zip(tuned, errors, strict=True), chunksize=20):
                        counts.update(one)
                    print(row(case, counts, len(tuned), len(found) - len(tuned), spread), flush=True)
    print(f"\n{time.perf_counter() - start:.0f} seconds with {options.workers} worker(s)")


def _of_tuning(errors: np.ndarray) -> float:
    """SD of the difference between the spaces that tunings make: of the means, less what the drawn networks explain."""
    means = errors.mean(axis=2)
    drawn = errors.var(axis=2, ddof=1).mean(axis=0) / errors.shape[2]
    return math.sqrt(max(0.0, float(np.var(means[:, 1] - means[:, 0], ddof=1)) - float(drawn.sum())))


if __name__ == "__main__":
    main()
