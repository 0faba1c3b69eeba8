"""What else a reader of a verdict is told: sentence by sentence, with numbers by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from resnext_search.results.inference.decision import decide
from resnext_search.results.inference.looks import cost_of_looking
from resnext_search.results.inference.question import ask
from resnext_search.results.inference.sample import Sample
from resnext_search.results.runs.table import read_runs
from resnext_search.results.verdict import notes
from resnext_search.results.verdict.notes import RunnerUp

from tests.support.tables import errors_with, runs_table, spend_table, study_table

MEANS = {"cardinality": 8.0, "depth": 8.6, "width": 8.6, "base": 11.0}
MARGIN = 0.3


def sample(means: Mapping[str, float], runs: int = 10) -> Sample:
    drawn = {arm: np.array(errors_with(mean, 0.1, runs, place)) for place, (arm, mean) in enumerate(means.items())}
    arms = ask(means).arms
    return Sample(arms, tuple(drawn[arm] for arm in arms), True)


def on_strength(of: Sample, words: Sequence[str] = (), runner_up: RunnerUp | None = None) -> list[str]:
    decision = decide(of, ask(of.arms), MARGIN)
    return list(notes.on_strength(of, decision, words, runner_up, failed=0, margin=MARGIN))  # type: ignore[arg-type]


@pytest.mark.parametrize(("runs", "share"), [(10, 26), (20, 14), (40, 7)])  # 1 - 0.05^(1/runs)
def test_runs_that_fail_rarely_show_in_no_seed(runs: int, share: int) -> None:
    assert on_strength(sample(MEANS, runs)) == [
        f"Runs that fail rarely are not in the intervals: with {runs} clean runs up to {share} % of runs may."
    ]


def test_single_runs_that_make_the_word_are_counted() -> None:
    words = ["supported"] * 7 + ["inconclusive", "partly supported", "inconclusive"]
    assert on_strength(sample(MEANS), words)[0] == (
        "Single runs make the word: of 10 seeds, it would be `inconclusive` without any of 2 and `partly supported` "
        "without any of 1."
    )
    assert not any("Single runs" in note for note in on_strength(sample(MEANS), ["supported"] * 10))


def test_tuning_that_is_most_of_what_is_uncertain_is_named() -> None:
    """Runs alone leave a variance of about 2 x 0.1² / 10 = 0.002: 0.01 an arm is most, 0.0001 is not."""
    uncertain = replace(sample(MEANS), tuning=dict.fromkeys(MEANS, (0.01, 4.0)))
    _, depth, width = on_strength(uncertain)
    assert depth.startswith("89 % of what is uncertain between cardinality and depth is the choice of their learning")
    assert "between cardinality and width" in width
    assert len(on_strength(replace(sample(MEANS), tuning=dict.fromkeys(MEANS, (0.0001, 4.0))))) == 1


def test_the_runner_up_is_told_with_its_word() -> None:
    found = RunnerUp(3, {"cardinality": 0.1, "depth": -0.05}, "inconclusive")
    assert on_strength(sample(MEANS), (), found)[-1] == (
        "At their second best learning rates (3 seeds) the arms err otherwise by cardinality +0.10 and depth -0.05 "
        "points; with that on all seeds the word would be `inconclusive`."
    )


def test_a_trend_that_is_not_all_there_is() -> None:
    bent = on_strength(sample({"1x64d": 9.5, "4x24d": 8.0, "32x4d": 8.4}))
    assert bent[-2].startswith("The arms' errors do not lie on a line over log2 C (p < 0.001)")
    assert bent[-1] == "The largest C surely errs more than 4x24d: more groups are not always better."
    assert len(on_strength(sample({"1x64d": 9.0, "4x24d": 8.6, "32x4d": 8.0}))) == 1  # log2 C of 0, 2 and 5: a line


def test_planned_looks_are_counted() -> None:
    assert list(notes.on_looks([10, 20, 40], [10], 20, 2)) == [
        "Look 2 of 3, planned at 10, 20 and 40 seeds: it may err 20 % as often as an only one, so that an interval "
        "above 0 need not be surely better."
    ]


def test_a_look_that_was_not_planned_says_so_and_what_it_costs() -> None:
    share = round(100 * cost_of_looking([10, 20], 2))
    assert 6 < share < 10
    assert list(notes.on_looks([10], [10], 20, 2)) == [
        "This look was not planned: the runs were judged at 10 and 20 seeds, and where nothing differs "
        f"{share} % of such studies say better or worse at one of them."
    ]
    assert list(notes.on_looks([10, 20, 40], [10], 15, 2)) == [
        "This look was not planned: that was at 10, 20 and 40 seeds."
    ]


@pytest.mark.parametrize(
    ("planned", "looked", "seeds"), [([], [], 10), ([], [10], 20), ([10], [], 10), ([10], [10], 10), ([20], [], 10)]
)
def test_one_look_needs_no_note(planned: list[int], looked: list[int], seeds: int) -> None:
    assert list(notes.on_looks(planned, looked, seeds, 2)) == []


def test_rivals_that_are_none_and_a_base_that_is_missing() -> None:
    def told(means: Mapping[str, float]) -> list[str]:
        runs = read_runs(spend_table(base=11.0, multiply_adds=[2000, 2000, 2000, 1200]))
        return list(notes.on_soundness(decide(sample(means), ask(means), MARGIN), runs, ask(means), enough=True))

    assert told(MEANS) == []
    assert told(MEANS | {"width": 11.0}) == [
        "width is not surely better than the base, which costs 60 % of what the arms do: it was not trained well "
        "enough to be a rival, and no word rests on it alone."
    ]
    assert told({arm: mean for arm, mean in MEANS.items() if arm != "base"})[0].startswith("There is no arm `base`")


def test_the_scope_says_what_the_intervals_cover() -> None:
    of = sample(MEANS)
    assert list(notes.on_scope([], of)) == [
        "The intervals cover other seeds; not other training images, other processors (the same seed gives other "
        "numbers there) or other recipes."
    ]
    wrong = np.zeros((4, 2, 9), bool)
    everything = replace(Sample.of_answers(of.arms, wrong), tuning=dict.fromkeys(of.arms, (0.01, 2.0)))
    assert "cover other seeds, other test images and another tuning; not" in next(notes.on_scope([], everything))
    assert "another tuning" not in next(notes.on_scope([], replace(everything, tuning={"base": (0.01, 2.0)})))


@pytest.mark.parametrize(
    ("processors", "counts"),
    [
        (["AMD EPYC"] * 3 + ["Intel Xeon"], "2 kinds of processor or GPU (3 on AMD EPYC and 1 on Intel Xeon)"),
        (["b", "a"], "2 kinds of processor or GPU (1 on a and 1 on b)"),  # in whatever order they come
        (list("abcdef") * 2, "6 kinds of processor or GPU (2 on a, 2 on b, 2 on c, 2 on d and 4 on others)"),
    ],
)
def test_runs_of_several_kinds_of_processor_are_counted(processors: Sequence[str], counts: str) -> None:
    assert list(notes.on_processors(processors)) == [
        f"The runs were trained on {counts}: the same seed gives other numbers on each."
    ]


@pytest.mark.parametrize("processors", [[], ["AMD EPYC"], ["AMD EPYC"] * 9])
def test_runs_of_one_kind_of_processor_or_of_unknown_ones_need_no_note(processors: Sequence[str]) -> None:
    assert list(notes.on_processors(processors)) == []


def test_seeds_of_several_kinds_of_processor_are_compared_within_them_too() -> None:
    """Contrasts 0.4, 0.6, 1.4, 1.6: 1 ± 3.182 x 0.2944 by all, 1 ± 4.303 x 0.0707 within the kinds."""
    two = replace(
        Sample(("1x8d", "2x5d"), (np.array([8.4, 8.6, 9.4, 9.6]), np.full(4, 8.0)), True), processors=tuple("aabb")
    )
    assert list(notes.on_blocks(two, ask(two.arms))) == [
        "By its seeds alone 2x5d errs 1.00 points less than 1x8d (0.06 to 1.94); with the kind of processor as a block "
        "0.70 to 1.30."
    ]
    assert list(notes.on_blocks(replace(two, processors=tuple("aaaa")), ask(two.arms))) == []


def test_folds_are_explained() -> None:
    runs = read_runs(runs_table({"a": [8.0, 8.5], "b": [7.0, 7.5]}).assign(fold=[0, 1, 0, 1]))
    first, _ = notes.on_scope(runs, sample(MEANS))
    assert first.startswith("The data have no test split of their own: folds of all images were tested in turn")


def test_fairness_that_was_not_shown() -> None:
    def told(table: pd.DataFrame) -> list[str]:
        return list(notes.on_fairness(read_runs(table), ask(MEANS), 0.02))

    no_tuning = "Whether every arm had an equally good learning rate was not shown: no tuning trials were given."
    half = spend_table(base=11.0, multiply_adds=[2000, None, 2000, 1000])
    assert told(half) == ["The match of FLOPs was not shown: no multiply-adds were given for depth.", no_tuning]
    dear = study_table(spend_table(base=11.0, multiply_adds=[2030, 2000, 2030, 1000]))
    assert told(dear) == ["cardinality costs 1.50 % more FLOPs than depth, which favours it."]
    base_unknown = study_table(spend_table(base=11.0, multiply_adds=[2000, 2000, 2000, None]))
    assert told(base_unknown) == []  # it is asked for no match


def runner_up(of: Mapping[str, Sequence[float | None]]) -> tuple[int, dict[str, float]] | None:
    return notes.runner_up_of(read_runs(runs_table(of)), ask(["cardinality", "width", "base"]))


def test_the_second_best_rate_is_compared_on_the_seeds_that_it_has() -> None:
    """cardinality: 8.3 and 8.5 against 8.0 and 8.1; of width the second run failed, and 7.6 stands against 7.5."""
    confirmed = {"cardinality": [8.0, 8.1, 9.9], "width": [7.5, 7.9, 7.7], "base": [11.0, 11.0, 11.0]}
    found = runner_up({**confirmed, "runner-up-cardinality": [8.3, 8.5], "runner-up-width": [7.6, None]})
    assert found == (2, {"cardinality": pytest.approx(0.35), "width": pytest.approx(0.1)})


def test_without_the_second_best_rate_of_every_matched_arm_nothing_is_said() -> None:
    confirmed = {"cardinality": [8.0], "width": [7.5], "base": [11.0]}
    assert runner_up(confirmed) is None
    assert runner_up({**confirmed, "runner-up-cardinality": [8.3]}) is None
    assert runner_up({**confirmed, "runner-up-cardinality": [8.3], "runner-up-width": [None]}) is None
