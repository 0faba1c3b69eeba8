"""A run that repeats another one counts once; runs that tie by chance all count."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from resnext_search.results.inference.question import ask
from resnext_search.results.runs.copies import step_of, without_copies
from resnext_search.results.runs.table import read_runs

from tests.support.tables import answers_table, errors_with, runs_table


def counted(table: pd.DataFrame) -> tuple[dict[str, int], list[str]]:
    """Runs that are left of every arm, and the notes."""
    runs = read_runs(table)
    kept, notes = without_copies(runs, ask({run.arm for run in runs}, "a"))
    return {arm: sum(run.arm == arm for run in kept) for arm in sorted({run.arm for run in runs})}, notes


def drawn(seed: int, images: int, deviation: float, runs: int = 10, digits: int = 9) -> pd.DataFrame:
    """Errors of three arms on so many test images."""
    rng = np.random.default_rng(seed)
    errors = {arm: rng.normal(mean, deviation, runs) for arm, mean in (("a", 3.0), ("b", 3.5), ("c", 4.2))}
    return runs_table({arm: np.round(np.round(of * images / 100) * 100 / images, digits) for arm, of in errors.items()})


def copied(table: pd.DataFrame, seeds: int, arms: str = "abc") -> pd.DataFrame:
    rows = table[(table.seed < seeds) & table.arm.isin(list(arms))]
    return pd.concat([table, rows.assign(seed=rows.seed + 100)], ignore_index=True)


def test_seeds_that_change_nothing_are_one_run() -> None:
    left, notes = counted(runs_table({"a": [3.0] * 10, "b": [4.0] * 10}))
    assert left == {"a": 1, "b": 1}
    assert notes == [
        f"All 10 runs of {arm} are the same: a seed that changes nothing is one run, and they count as one."
        for arm in "ab"
    ]


def test_one_arm_whose_seeds_change_nothing_leaves_one_seed_for_all() -> None:
    left, [note] = counted(runs_table({"a": [3.0] * 10, "b": errors_with(4.0, 0.1, 10)}))
    assert left == {"a": 1, "b": 1}
    assert note.startswith("All 10 runs of a are the same")


@pytest.mark.parametrize(
    "errors",
    [
        [3.81, 3.81, 3.82, 3.82, 3.83, 3.83, 3.83, 3.83, 3.83, 3.84, 3.85, 3.88],
        [2.96, 2.98, 2.99, 2.99, 2.99, 2.99, 2.99, 3.00, 3.04, 3.06],
    ],
)
def test_seeds_that_change_nothing_show_beside_errors_that_are_rounded_to_their_spread(errors: list[float]) -> None:
    left, [note] = counted(runs_table({"a": [3.69] * len(errors), "b": errors}))
    assert left == {"a": 1, "b": 1}
    assert note.startswith(f"All {len(errors)} runs of a are the same")


def test_two_copies_of_one_run_count_once() -> None:
    others = {arm: errors_with(mean, 0.1, 11, seed) for seed, (arm, mean) in enumerate((("b", 3.4), ("c", 4.0)))}
    errors = [round(error, 6) for error in errors_with(3.0, 0.1, 10, 3)]
    left, notes = counted(runs_table({"a": [*errors, errors[4]], **others}))
    assert left == {"a": 10, "b": 10, "c": 10}
    assert notes == [
        "1 of 11 runs of a are the same as another one, as chance would not have it: such copies count once."
    ]


def test_arms_with_seeds_of_their_own_lose_only_their_own_copies() -> None:
    errors = [round(error, 6) for error in errors_with(3.0, 0.1, 10)]
    table = pd.concat([copied(runs_table({"a": errors}), 3, "a"), runs_table({"b": errors_with(4.0, 0.1, 8)})])
    assert counted(table)[0] == {"a": 10, "b": 8}


@pytest.mark.parametrize("digits", [2, 9])
def test_a_table_that_was_doubled_counts_once_though_its_errors_are_coarse(digits: int) -> None:
    left, notes = counted(copied(drawn(0, 10_000, 0.15, digits=digits), 10))
    assert left == {"a": 10, "b": 10, "c": 10}
    assert notes == ["10 of 20 seeds repeat the errors of another one in every arm: such copies count once."]


@pytest.mark.parametrize(
    "facts",
    [
        {"images": 360, "deviation": 0.5},
        {"images": 360, "deviation": 0.5, "digits": 2},
        {"images": 10_000, "deviation": 0.15},
        {"images": 50_000, "deviation": 0.1, "digits": 1},
        {"images": 100, "deviation": 0.5, "runs": 20},
        {"images": 100, "deviation": 1.0, "runs": 40},
    ],
)
def test_ties_by_chance_are_no_copies(facts: dict[str, Any]) -> None:
    noted = [counted(drawn(seed, **facts))[1] for seed in range(60)]
    assert sum(map(bool, noted)) <= 1


def test_an_arm_without_an_error_is_as_good_as_its_images_allow() -> None:
    assert counted(runs_table({"a": [0.0] * 10, "b": errors_with(4.0, 0.1, 10)})) == ({"a": 10, "b": 10}, [])


def test_equal_errors_with_other_answers_are_runs_of_their_own() -> None:
    rng = np.random.default_rng(0)
    wrong = {arm: np.array([rng.permutation(400) < 30 for _ in range(10)]) for arm in "ab"}
    assert counted(answers_table(wrong)) == ({"a": 10, "b": 10}, [])


def test_equal_answers_are_one_run() -> None:
    rng = np.random.default_rng(0)
    wrong = {arm: np.array([rng.permutation(400) < 30 for _ in range(10)]) for arm in "ab"}
    wrong["a"][7] = wrong["a"][2]
    left, notes = counted(answers_table(wrong))
    assert left == {"a": 9, "b": 9}
    assert notes == [
        "1 of 10 runs of a are the same as another one, as chance would not have it: such copies count once."
    ]
    one = {arm: np.repeat(of[:1], 10, axis=0) for arm, of in wrong.items()}
    assert counted(answers_table(one))[0] == {"a": 1, "b": 1}


def test_the_same_few_hard_images_are_failed_by_runs_of_their_own() -> None:
    rng = np.random.default_rng(0)
    hard = np.repeat((np.arange(400) < 3)[None], 10, axis=0)
    other = np.array([rng.permutation(400) < 30 for _ in range(10)])
    assert counted(answers_table({"a": hard, "b": other})) == ({"a": 10, "b": 10}, [])


def test_arms_that_err_the_same_are_noted() -> None:
    errors = [round(error, 4) for error in errors_with(4.0, 0.1, 10)]
    left, notes = counted(runs_table({"a": errors_with(3.0, 0.1, 10), "b": errors, "c": errors}))
    assert left == {"a": 10, "b": 10, "c": 10}
    assert notes == ["b and c err the same with every seed: is one a copy of the other?"]


@pytest.mark.parametrize(("images", "digits"), [(360, 9), (360, 6), (1_797, 9), (10_000, 9)])
def test_the_step_of_errors_is_that_of_one_image(images: int, digits: int) -> None:
    errors = np.round(np.array([5, 6, 8, 9, 13, 20]) * 100 / images, digits)
    assert step_of(errors) == pytest.approx(100 / images, abs=2 * 10.0**-digits)


def test_errors_that_are_multiples_of_nothing_have_a_fine_step() -> None:
    assert step_of(np.array([3.193228, 3.217417, 3.28995, 3.302918])) < 1e-3
