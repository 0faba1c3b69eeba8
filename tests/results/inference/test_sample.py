"""Which numbers are compared: blocks, independent runs, and what is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from resnext_search.results.inference.question import ask
from resnext_search.results.inference.sample import Sample, gather
from resnext_search.results.runs.table import read_runs
from resnext_search.results.statistics.clustered import clustered
from resnext_search.spaces.correctness import pack_correct

from tests.support.tables import answers_table, runs_table, study_table

NO_IMAGES = (
    "The intervals leave out that the test images are a sample too: that takes which test images each run recognised "
    "(column correct)."
)
OTHER_SEEDS = "The arms do not have the same seeds: they are compared as independent runs."


def gathered(table: pd.DataFrame) -> tuple[Sample, list[str]]:
    runs = read_runs(table)
    return gather(runs, ask({run.arm for run in runs if not run.is_finalist}))


def test_runs_with_the_same_seeds_are_blocks() -> None:
    sample, notes = gathered(runs_table({"1x8d": [8.0, 8.5], "2x5d": [7.0, 7.1]}))
    assert [errors.tolist() for errors in sample.errors] == [[8.0, 8.5], [7.0, 7.1]]
    assert sample.blocked
    assert notes == [NO_IMAGES]


def test_a_seed_on_which_a_run_failed_is_left_out_for_all_arms() -> None:
    sample, notes = gathered(runs_table({"1x8d": [8.0, 8.5, 9.0], "2x5d": [7.0, None, 7.1]}))
    assert [errors.tolist() for errors in sample.errors] == [[8.0, 9.0], [7.0, 7.1]]
    assert sample.blocked
    assert notes == ["1 of 3 seeds left out for all arms: a run failed on them.", NO_IMAGES]


def test_the_kind_of_processor_is_a_block_where_it_trained_whole_seeds() -> None:
    """Contrasts 0.4, 0.6 on one kind and 1.4, 1.6 on another: their SD is 0.589, and within the kinds 0.141."""
    table = runs_table({"1x8d": [8.4, 8.6, 9.4, 9.6], "2x5d": [8.0] * 4})
    kinds = ["AMD EPYC", "AMD EPYC", "Apple M3", "Apple M3"]
    sample, _ = gathered(table.assign(processor=kinds * 2))
    assert sample.processors == tuple(kinds)
    seeds = sample.between_seeds(np.array([1.0, -1.0]))
    assert seeds is not None
    assert [round(one.standard_error, 4) for one in seeds] == [0.2944, 0.0707]
    assert sample.without_run(0).processors == tuple(kinds[1:])
    for others in (["AMD EPYC"] * 8, kinds + kinds[::-1], kinds + [None] * 4, list("abcd") * 2):
        assert gathered(table.assign(processor=others))[0].between_seeds(np.array([1.0, -1.0])) is None
    independent, _ = gathered(runs_table({"1x8d": [8.0, None, 9.0], "2x5d": [7.0, 7.1]}).assign(processor="AMD EPYC"))
    assert independent.processors is None


@pytest.mark.parametrize(
    ("states", "why"),
    [(("running", "completed"), "has not ended"), (("stopped", "failed"), "failed or has not ended")],
)
def test_a_run_that_has_not_ended_is_not_said_to_have_failed(states: tuple[str, str], why: str) -> None:
    table = runs_table({"1x8d": [8.0, 8.5], "2x5d": [7.0, 7.1]})
    first, second = states
    _, notes = gathered(table.assign(state=[first, "completed", second, "completed"]))
    assert notes == [f"1 of 2 seeds left out for all arms: a run {why} on them.", NO_IMAGES]


def test_runs_with_other_seeds_are_independent() -> None:
    sample, notes = gathered(runs_table({"1x8d": [8.0, None, 9.0], "2x5d": [7.0, 7.1]}))
    assert [errors.tolist() for errors in sample.errors] == [[8.0, 9.0], [7.0, 7.1]]
    assert not sample.blocked
    assert notes == [
        OTHER_SEEDS,
        "1 failed runs left out.",
        NO_IMAGES,
    ]


def test_the_test_images_of_runs_with_other_seeds_are_gathered_too() -> None:
    hard = np.random.default_rng(1).random((2, 1, 40))
    wrong = np.random.default_rng(0).random((2, 3, 40)) < hard**2
    sample, notes = gathered(answers_table({"1x8d": wrong[0], "2x5d": wrong[1, :2]}))
    assert notes == [OTHER_SEEDS]
    assert [len(errors) for errors in sample.errors] == [3, 2]
    assert sample.wrong is not None
    estimate = sample.estimate(np.array([1.0, -1.0]))
    assert estimate == clustered([{0: 100.0 * wrong[0]}, {0: -100.0 * wrong[1, :2]}])
    assert estimate.example_error > 0


def folded_table() -> tuple[pd.DataFrame, np.ndarray]:
    """Two arms with seeds 0 to 3, whose folds 0 and 1 have 9 and 8 images."""
    wrong = np.random.default_rng(0).random((2, 4, 9)) < 0.3
    rows = [
        {"arm": arm, "seed": seed, "fold": seed % 2, "test_error": 100 * of.mean(), "correct": pack_correct(~of)}
        for arm, answers in zip(("1x8d", "2x5d"), wrong, strict=True)
        for seed, of in enumerate(answers[seed][: 9 - seed % 2] for seed in range(4))
    ]
    return pd.DataFrame(rows), wrong


def test_runs_in_folds_are_blocks_whose_images_are_shared_within_a_fold() -> None:
    table, wrong = folded_table()
    sample, notes = gathered(table)
    assert notes == []
    assert sample.examples() == 17
    assert [folds.tolist() for folds in sample.folds or ()] == [[0, 1, 0, 1]] * 2
    contrasts = 100.0 * wrong[0] - 100.0 * wrong[1]
    expected = clustered([{0: contrasts[[0, 2]], 1: contrasts[[1, 3], :8]}])
    assert sample.estimate(np.array([1.0, -1.0])) == expected
    assert expected.value == pytest.approx(float((sample.errors[0] - sample.errors[1]).mean()))


def test_a_seed_may_be_missing_in_a_fold() -> None:
    table, wrong = folded_table()
    table.loc[3, ["test_error", "correct"]] = None
    sample, notes = gathered(table)
    assert notes == ["1 of 4 seeds left out for all arms: a run failed on them."]
    contrasts = 100.0 * wrong[0] - 100.0 * wrong[1]
    expected = clustered([{0: contrasts[[0, 2]], 1: contrasts[[1], :8]}])
    assert sample.estimate(np.array([1.0, -1.0])) == expected


def test_a_deviation_between_runs_is_one_on_the_same_images() -> None:
    errors = (np.array([1.0, 8.0, 3.0, 8.0]),)
    folds = (np.array([0, 1, 0, 1]),)
    assert Sample(("a",), errors, True, None, folds).deviation_of("a") == 1.0  # squares 1 + 1 + 0 + 0, of 4 - 2
    assert Sample(("a",), errors, True).deviation_of("a") == pytest.approx(errors[0].std(ddof=1))
    assert np.isnan(Sample(("a",), (errors[0][:2],), True, None, (folds[0][:2],)).deviation_of("a"))


def test_the_test_images_of_blocks_are_gathered_and_are_the_errors() -> None:
    wrong = np.random.default_rng(0).random((2, 3, 40)) < 0.2
    table = answers_table({"2x5d": wrong[1], "1x8d": wrong[0]})
    sample, notes = gathered(table.assign(test_error=table.test_error.round(1)))
    np.testing.assert_array_equal(sample.wrong, wrong)
    np.testing.assert_allclose(sample.errors, 100 * wrong.mean(axis=2))
    assert notes == []


def test_images_that_one_run_does_not_know_are_not_used() -> None:
    table = answers_table({"1x8d": np.zeros((2, 9), bool), "2x5d": np.zeros((2, 9), bool)})
    table.loc[3, "correct"] = None
    sample, notes = gathered(table)
    assert sample.wrong is None
    assert notes == [NO_IMAGES]


def test_only_confirming_runs_of_the_arms_are_gathered() -> None:
    table = study_table(runs_table({"1x8d": [8.0, 8.5], "2x5d": [7.0, 7.1], "finalist-0007": [1.0, 1.1]}))
    sample, _ = gathered(table)
    assert sample.arms == ("1x8d", "2x5d")
    assert [len(errors) for errors in sample.errors] == [2, 2]


def test_an_estimate_takes_the_best_standard_error_that_there_is() -> None:
    errors = (np.array([8.0, 8.5, 8.2]), np.array([7.0, 7.6, 7.1]))
    weights = np.array([1.0, -1.0])
    arms = ("1x8d", "2x5d")
    assert Sample(arms, errors, True).estimate(weights).degrees == 2
    assert Sample(arms, errors, False).estimate(weights).degrees == pytest.approx(3.78, abs=0.01)  # Welch
    wrong = np.random.default_rng(0).random((2, 3, 400)) < 0.2
    assert Sample.of_answers(arms, wrong).estimate(weights).example_error > 0


def test_an_arm_without_runs_has_no_estimate() -> None:
    sample = Sample(("1x8d", "2x5d"), (np.empty(0), np.array([7.0])), True)
    assert np.isnan(sample.estimate(np.array([1.0, -1.0])).value)
    assert np.isnan(sample.estimate_of("1x8d").value)
    assert sample.estimate_of("2x5d").value == 7
    assert np.isnan(sample.deviation_of("2x5d"))
