"""The verdict against one written from its page alone, on simulated studies."""

import ast
import math
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import pandas as pd
import pytest
from resnext_search.results import judge
from resnext_search.results.inference.question import Word
from resnext_search.results.inference.tuning import tuning_points
from resnext_search.results.runs.table import read_runs
from resnext_search.results.verdict.answer import Looks
from resnext_search.spaces.claim.tuning_fit import fit_tuning
from resnext_search.spaces.correctness import pack_correct
from scipy.special import stdtr, stdtrit

from tests.results.verdict.independent import student_t
from tests.results.verdict.independent import verdict as independent
from tests.results.verdict.independent.tuning import tuned

IMAGES, VALIDATION_IMAGES, MARGIN = 200, 500, 2.0
SPEND, TRADE = ("cardinality", "depth", "width", "base"), ("1x64d", "2x40d", "4x24d", "8x14d", "32x4d")
COSTS = {"": 1_000_000, "2": 1_900_000, "4": 3_500_000, "8": 6_800_000}  # by budget
# Of a comparison, by both of the names that they have there.
FIELDS = ("difference", "standard_error", "interval", "interval_90", "p", "p_holm", "p_worse", "p_worse_holm", "p_gain",
          "p_gain_holm", "p_loss", "p_loss_holm", "example_error", "tuning_error", "median", "probability")  # fmt: skip


class Study(NamedTuple):
    """What to simulate: by how many margins each arm errs less than 25 %, and all that may be different."""

    gains: tuple[tuple[str, float], ...]
    seeds: int = 12
    noise: float = 0.1  # of a seed; without any, arms do not differ in their images either
    other_noise: float = 0.1  # of the last arm
    tuning: str = "two rounds"  # or one, or none, or two that share a rate
    knows_images: bool = True
    failed_tuning: int = 0
    failed_runs: int = 0
    edge: bool = False
    elsewhere: bool = False  # confirmed at another rate than the fit's
    own_seeds: bool = False
    look: int = 0
    costs: bool = False  # whether the multiply-adds are known


def spend(cardinality: float, depth: float, width: float, base: float | None = -3, **rest: Any) -> Study:
    gains = dict(zip(SPEND, (cardinality, depth, width, base), strict=True))
    return Study(tuple((arm, gain) for arm, gain in gains.items() if gain is not None), **rest)


def trade(*gains: float, **rest: Any) -> Study:
    return Study(tuple(zip(TRADE, gains, strict=False)), **rest)


def curve(*gains: float, rivals: Sequence[float] = (), base: float | None = -6, **rest: Any) -> Study:
    """A spend at so many budgets: what cardinality gains at each, and both its rivals."""
    arms = {
        f"{way}@{2 ** (at + 1)}": gain
        for way, of_way in (("width", rivals or [0] * len(gains)), ("cardinality", gains), ("depth", [0] * len(gains)))
        for at, gain in enumerate(of_way)
    }
    return Study(tuple((arms | ({} if base is None else {"base": base})).items()), **rest)


GAINS = (0, 0.5, 1, 2, 3)
STUDIES = [
    *(spend(gain, 0, 0, seeds=10 + 2 * at) for at, gain in enumerate(GAINS)),
    *(spend(gain, 0, 0, seeds=20, tuning="none") for gain in GAINS),
    *(spend(gain, 0, 0, seeds=15, knows_images=False) for gain in (0, 1, 3)),
    *(spend(gain, 0, 0, seeds=20, knows_images=False, tuning="none") for gain in (0, 2)),
    *(spend(-loss, 0, 0, -6, seeds=18) for loss in (0.5, 1, 2, 3)),
    spend(3, 0, 3, -3, seeds=20, tuning="shared rate"),
    spend(2, 0, 4, seeds=14, tuning="one round"),
    spend(0, 0, 0, seeds=20, noise=0, tuning="none"),
    *(spend(4, 0, -4, -4, seeds=14 + 2 * at) for at in range(2)),  # a weak rival
    spend(3, -3, -3, -3, seeds=20),  # two
    *(spend(gain, 0, 0, None, seeds=16) for gain in (0, 1, 3)),
    spend(2, 0, 0, None, seeds=20, tuning="none"),
    *(spend(gain, 0, 0, seeds=16, failed_tuning=2) for gain in (1, 3)),
    spend(3, 0, 0, seeds=12, other_noise=0.5),
    spend(3, 0, 0, seeds=20, failed_runs=1),
    spend(3, 0, 0, seeds=12, failed_runs=3),
    spend(3, 0, 0, seeds=14, edge=True),
    spend(3, 0, 0, seeds=9),
    spend(3, 0, 0, seeds=18, elsewhere=True),
    spend(3, 0, 0, seeds=16, own_seeds=True),
    spend(3, 0, 0, seeds=16, own_seeds=True, knows_images=False, tuning="none"),
    spend(1.5, 0, 0, seeds=12, look=20),
    *(trade(*(step * gain / 4 for step in range(5)), seeds=14 + 2 * gain, noise=gain / 20) for gain in range(4)),
    *(trade(*(step * gain / 3 for step in range(4)), seeds=20, noise=gain / 20, tuning="none") for gain in (0, 1, 3)),
    *(trade(0, -0.5 * loss, -0.7 * loss, -loss, seeds=16) for loss in (1.5, 3)),
    trade(0, -1, -2, -3, seeds=20, tuning="none", knows_images=False),
    trade(0, 2, 3, 1.5, 0, seeds=20),  # U-shaped
    trade(0, 3, 4, 4, 1.5, seeds=20, tuning="none"),
    trade(0, -3, -3, 0, 3, seeds=14),
    trade(0, 1, 3, seeds=18, knows_images=False),
    trade(0, 1, 3, seeds=13, tuning="one round"),
    trade(0, 2, 4, seeds=17, failed_tuning=1, elsewhere=True),
    trade(0, 0, 3, 3, seeds=15, other_noise=0.5, tuning="shared rate"),
    trade(0, 1, 2, 3, 4, seeds=15, failed_runs=1),
    trade(0, 1, 3, seeds=15, own_seeds=True),
    trade(0, 1, 2, 3, seeds=10, look=20),
]
CURVES = [
    *(curve(gain, gain, seeds=10 + 5 * at) for at, gain in enumerate((0, 2, 4))),
    *(curve(0, 0, seeds=20, noise=noise, tuning="none", costs=True) for noise in (0, 0.1)),
    curve(0, 0, 0, seeds=20, tuning="none"),
    curve(4, 4, 4, seeds=16, costs=True),
    curve(0, 4, seeds=14),
    curve(5, 0, 0, seeds=18, tuning="none"),
    curve(0, 2, 4, seeds=20, costs=True),  # a gain that grows
    curve(1, 3, 5, seeds=12, tuning="none", knows_images=False),
    curve(5, 3, 1, seeds=20, tuning="shared rate", costs=True),
    *(curve(-gain, 0, seeds=12 + gain, tuning="none") for gain in (1, 3, 5)),
    curve(-2, -3, -4, base=-9, seeds=16, knows_images=False, costs=True),
    curve(0, 0, -4, base=-9, seeds=18),
    curve(4, 0, rivals=(0, 4), seeds=20),
    curve(5, 5, 5, rivals=(-6, 0, 0), seeds=14, tuning="none"),  # a weak rival at one budget
    *(curve(4, 4, base=None, seeds=15, tuning=tuning) for tuning in ("two rounds", "none")),
    curve(3, 3, seeds=16, knows_images=False, failed_tuning=1),
    curve(3, 3, 3, seeds=12, failed_runs=1, elsewhere=True),
    curve(3, 3, seeds=12, failed_runs=2),
    curve(3, 3, seeds=14, edge=True),
    curve(3, 3, seeds=9, costs=True),
    curve(3, 3, seeds=16, own_seeds=True),
    curve(2, 4, seeds=12, look=20, tuning="one round"),
    Study((("cardinality-x4@4", 1), *curve(3, 0).gains), seeds=14),  # a further multiple of C is no rival
]


@cache
def rows_of(study: Study, number: int) -> list[dict[str, Any]]:
    """Its runs, as `independent.judge` takes them, in a shuffled order."""
    rng = np.random.default_rng([2026, number])
    difficulty = rng.normal(size=IMAGES)
    rows: list[dict[str, Any]] = []
    tuning = [row for arm, gain in study.gains for row in _tuning(study, rng, arm, 25 - MARGIN * gain)]
    fits = tuned(tuning)
    for at, (arm, gain) in enumerate(study.gains):
        of_images = difficulty + (0.06 if study.noise else 0) * rng.normal(size=IMAGES)
        noise = study.other_noise if at == len(study.gains) - 1 else study.noise
        for k in range(study.seeds):
            score = of_images + 0.1 * rng.normal(size=IMAGES) + noise * rng.normal()
            correct = score < np.quantile(of_images, (75 + MARGIN * gain) / 100)
            rate = fits[arm]["rate"] * (1.4 if study.elsewhere and at == 0 else 1) if fits else 0.1
            failed = at == 1 and k < study.failed_runs
            rows.append({
                "phase": "confirm", "arm": arm, "seed": 100 + k + (1000 * at if study.own_seeds else 0),
                "learning_rate": rate, "validation_error": None, "state": "failed" if failed else "completed",
                "test_error": None if failed else 100 * float(1 - correct.mean()),
                "correct": correct if study.knows_images and not failed else None, "validation_images": None,
                "multiply_adds": COSTS[arm.partition("@")[2]] if study.costs else None,
            })  # fmt: skip
    rows += tuning
    return [rows[place] for place in rng.permutation(len(rows))]


def _tuning(study: Study, rng: np.random.Generator, arm: str, error: float) -> list[dict[str, Any]]:
    first = np.geomspace(0.01, 1, 7)
    best = 0.008 if study.edge else 0.1 * math.exp(0.2 * rng.normal())
    middle = 0.1 if study.tuning == "shared rate" else best * math.exp(0.1 * rng.normal())
    rounds = {} if study.tuning == "none" else {9: first}
    if study.tuning in ("two rounds", "shared rate"):
        rounds |= dict.fromkeys((4, 12), middle * 1.7 ** np.arange(-2.0, 3))
    rows = []
    for seed, rates in rounds.items():
        for rate in rates.tolist():
            logarithm = math.log(error) + 0.08 * math.log(rate / best) ** 2 + 0.08 * rng.normal()
            wrong = round(min(math.exp(logarithm) / 100, 1) * VALIDATION_IMAGES)
            rows.append({
                "phase": "tune", "arm": arm, "seed": seed, "learning_rate": float(f"{rate:.4g}"), "state": "completed",
                "validation_error": 100 * wrong / VALIDATION_IMAGES, "validation_images": VALIDATION_IMAGES,
                "test_error": None, "correct": None, "multiply_adds": None,
            })  # fmt: skip
    for row in rows[len(rows) - study.failed_tuning :] if arm != "base" else []:  # at the highest rates
        row |= {"state": "failed", "validation_error": None}
    return rows


def judged(rows: list[dict[str, Any]], looks: Looks | None = None) -> tuple[Any, dict[str, Any]]:
    """The project's verdict, and the independent one."""
    packed = [row | {"correct": None if row["correct"] is None else pack_correct(row["correct"])} for row in rows]
    ours = judge(pd.DataFrame(packed), margin=MARGIN, looks=looks)
    return ours, independent.judge(rows, MARGIN, ours.look)


def said(ours: Any) -> tuple[Any, ...]:
    return ours.kind, ours.verdict, ours.direction


def said_at(ours: Any) -> dict[int, dict[str, str | None]]:
    """What it says of every budget, as the other one writes it."""
    return {at.times: {"word": at.word, "direction": at.direction} for at in ours.budgets}


def agree(study: Study, number: int) -> None:
    """Hold the two verdicts on a study against each other: the same words, and numbers to a millionth of a point."""
    rows = rows_of(study, number)
    ours, theirs = judged(rows, Looks((study.seeds, study.look), (study.seeds,)) if study.look else None)
    assert said(ours) == (theirs["kind"], theirs["word"], theirs["direction"])
    comparisons = {(one.claimant, one.rival): one for one in ours.comparisons}
    comparisons |= {("trend", ""): ours.trend} if ours.trend else {}
    assert set(comparisons) == set(theirs["comparisons"])
    for names, one in comparisons.items():
        for field in FIELDS:
            expected = theirs["comparisons"][names]["interval_95" if field == "interval" else field]
            assert getattr(one, field) == pytest.approx(expected, rel=0, abs=1e-6, nan_ok=True), (names, field)
    for one in ours.bought:
        assert one.interval == pytest.approx(theirs["bought"][one.claimant]["interval_95"], rel=0, abs=1e-6)
    assert said_at(ours) == theirs.get("budgets", {})
    assert {one.rival for one in ours.over_budgets} == set(theirs.get("over_budgets", {}))
    for one in ours.over_budgets:
        mean, slope = (theirs["over_budgets"][one.rival][name] for name in ("mean", "slope"))
        numbers = (one.gain, *one.gain_interval, one.slope, *one.slope_interval)
        expected = (mean["difference"], *mean["interval_95"], slope["difference"], *slope["interval_95"])
        assert numbers == pytest.approx(expected, rel=0, abs=1e-6, nan_ok=True), one.rival
    points = tuning_points(
        read_runs(pd.DataFrame([row | {"correct": None} for row in rows])), [arm for arm, _ in study.gains]
    )
    fits = fit_tuning(points, images=VALIDATION_IMAGES)
    assert {arm: fit.rate for arm, fit in fits.items()} == theirs["rates"]


@pytest.mark.parametrize("number", range(len(STUDIES)))
def test_the_verdict_is_what_its_page_says(number: int) -> None:
    agree(STUDIES[number], number)


@pytest.mark.parametrize("number", range(len(CURVES)))
def test_over_several_budgets_it_is_too(number: int) -> None:
    agree(CURVES[number], 100 + number)


def test_the_studies_have_every_word() -> None:
    assert len(STUDIES) == 60
    words = {independent.judge(rows_of(study, number), MARGIN)["word"] for number, study in enumerate(STUDIES)}
    assert words == set(get_args(Word))


def test_the_curves_have_every_word_over_all_budgets_and_at_one() -> None:
    assert len(CURVES) == 29
    found = [independent.judge(rows_of(study, 100 + number), MARGIN) for number, study in enumerate(CURVES)]
    assert {one["word"] for one in found} == set(get_args(Word))
    assert {at["word"] for one in found for at in one["budgets"].values()} == set(get_args(Word))


def runs_of(arms: dict[str, float], seeds: int = 12) -> list[dict[str, Any]]:
    """Confirming runs alone, whose arms err so many points less than 25 % and differ by chance as they always do."""
    rng = np.random.default_rng(7)
    noise = {arm: rng.normal(size=seeds) for arm in arms}
    return [
        {"phase": "confirm", "arm": arm, "seed": seed, "learning_rate": 0.1, "state": "completed", "correct": None,
         "test_error": 25 - gain + (noise[arm] - noise[arm].mean())[seed] * (1 if at else 1.5)}
        for at, (arm, gain) in enumerate(arms.items()) for seed in range(seeds)
    ]  # fmt: skip


# Where words hang on a detail of the page: arms, and the last planned look.
DETAILS = {
    "in a trade the loss of the trend is not corrected": ({"1x64d": 0, "2x40d": -1.4, "4x24d": -2.75}, 12),
    "in a trade of two arms the trend is no second comparison": ({"1x64d": 0, "4x24d": 1}, 12),
    "without a base a gain is corrected": ({"cardinality": 2.78, "depth": 0, "width": 0}, 12),
    "a weak rival is looked for at the level of the look": (
        {"cardinality": 6, "depth": 0, "width": 0.6, "base": 0},
        24,
    ),
    "at one budget what is sure of a gain is corrected": (
        {"cardinality@2": 2.9, "width@2": 0, "cardinality@4": 0, "width@4": 0, "base": -6},
        12,
    ),
    "at one budget whether a rival is weak is not corrected": (
        {"cardinality@2": 6, "width@2": 1, "cardinality@4": 3, "width@4": 3, "base": 0},
        12,
    ),
    "what is supported over all budgets is so at each": (
        {"cardinality@2": 2.9, "width@2": 0, "cardinality@4": 2.5, "width@4": 0, "base": -6},
        12,
    ),
    "no practical difference over all budgets is one at each": (
        {"cardinality@2": 0, "width@2": 1.1, "cardinality@4": 0, "width@4": 1.5, "base": -6},
        12,
    ),
    "no difference at one budget is corrected for those that are no surer": (
        {"cardinality@2": 0, "width@2": 0, "cardinality@4": 0, "width@4": 1.4, "cardinality@8": 0, "width@8": 1.9,
         "base": -6},
        12,
    ),
}  # fmt: skip


@pytest.mark.parametrize("detail", DETAILS)
def test_words_that_hang_on_a_detail_are_those_of_the_page(detail: str) -> None:
    arms, planned = DETAILS[detail]
    ours, theirs = judged(runs_of(arms), Looks((12, planned), (12,)) if planned > 12 else None)
    assert said(ours) == (theirs["kind"], theirs["word"], theirs["direction"])
    assert said_at(ours) == theirs.get("budgets", {})


def test_it_imports_nothing_of_the_project() -> None:
    folder = Path(independent.__file__).parent
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
        imported |= {node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        others = {name for name in imported if not name.startswith("tests.results.verdict.independent.")}
        assert {name.split(".")[0] for name in others} <= {"numpy"} | sys.stdlib_module_names


def test_its_t_distribution_is_right_to_ten_digits() -> None:
    for degrees in (1, 2.5, 9, 19.3, 57, 250.4, 7600, 1e5):
        for t in (-5, -0.01, 0, 1e-6, 1, 4, 30):
            assert student_t.t_upper(t, degrees) == pytest.approx(stdtr(degrees, -t), rel=0, abs=1e-10)
        for probability in (0.95, 0.975):
            expected = stdtrit(degrees, probability)
            assert student_t.t_quantile(probability, degrees) == pytest.approx(expected, rel=0, abs=1e-9)
