"""A verdict as text, byte for byte."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from resnext_search.results.verdict.text import verdict_tables, verdict_text
from resnext_search.results.verdict.verdict import Verdict
from resnext_search.results.verdict.verdict import judge as judge_by

from tests.support.tables import errors_with, runs_table, spend_table, study_table, tuned_twice

FACTS = {
    "multiply_adds": [2_170_000, 2_171_000, 2_172_000],
    "parameters": [10_000, 9_000, 12_500],
    "seconds": [3.0, 3.1, 2.0],
    "epochs": [12, 12, 12],
    "data": ["digits", "digits", "digits"],
}
SCALE = "On digits, at 2,170,000 to 2,172,000 multiply-adds, 12 epochs and 5 seeds an arm, "
UNKNOWN = "On data not named, at FLOPs not given, epochs not given and 5 seeds an arm, "
SURELY = "surely, by at least the margin of 0.3 points, and in three of four pairs of runs or more"


def judge(table: pd.DataFrame) -> Verdict:
    """By the first rules; those of the second have their tests in `test_answer.py`, and at the end."""
    return judge_by(table, rules=1)


def test_the_whole_text_of_a_supported_claim() -> None:
    table = spend_table(0.6, deviation=0.1, runs=5, **FACTS)
    text = verdict_text(judge(table))
    paragraphs = text.split("\n\n")
    assert paragraphs[0] == "verdict: supported"
    assert paragraphs[1].splitlines() == [
        f"{SCALE}cardinality beats depth and width: {SURELY}.",
        "  - cardinality errs 0.60 points less than depth (95 % interval 0.40 to 0.80; "
        "probability of improvement 1.00).",
        "  - cardinality errs 0.60 points less than width (95 % interval 0.38 to 0.82; "
        "probability of improvement 1.00).",
    ]
    assert paragraphs[2].splitlines() == [
        "Note: Whether every arm had an equally good learning rate was not shown: no tuning trials were given.",
        "Note: The intervals leave out that the test images are a sample too: that takes which test images each run "
        "recognised (column correct).",
    ]
    assert paragraphs[3].splitlines() == [
        "Arms (test error in percent):",
        "  arm          runs  test error  95 % interval    SD  multiply-adds  parameters  seconds",
        "  cardinality     5        8.00   7.88 to 8.12  0.10      2,170,000      10,000      3.0",
        "  depth           5        8.60   8.48 to 8.72  0.10      2,171,000       9,000      3.1",
        "  width           5        8.60   8.48 to 8.72  0.10      2,172,000      12,500      2.0",
    ]
    title, header, *rows = paragraphs[4].splitlines()
    assert title == "Differences (points; positive: fewer errors):"
    assert header == (
        "  arm          against  difference  95 % interval  90 % interval       p  p (Holm)  P(improvement)  "
        "its 95 % interval  bootstrap 95 %"
    )
    assert [row.split()[:3] for row in rows] == [["cardinality", "depth", "0.60"], ["cardinality", "width", "0.60"]]
    ahead = "whether cardinality is ahead at equal"
    assert paragraphs[5].splitlines() == [
        "Other costs (ratio of arm to rival):",
        "  arm          against  cost        ratio   95 % interval  at equal cost of this kind",
        "  cardinality  depth    parameters  1.111  1.111 to 1.111  "
        f"more: {ahead} parameters is not answered by these runs",
        "  cardinality  depth    seconds     0.968  0.968 to 0.968  "
        "equal: the comparison holds at equal training seconds too",
        "  cardinality  width    parameters  0.800  0.800 to 0.800  "
        "less: where cardinality is ahead, it is so at equal parameters a fortiori",
        "  cardinality  width    seconds     1.500  1.500 to 1.500  "
        f"more: {ahead} training seconds is not answered by these runs",
    ]
    assert len(paragraphs) == 6


@pytest.mark.parametrize(
    ("gain", "sentence"),
    [
        (0.0, "cardinality differs from depth and width by less than the margin of 0.3 points, surely."),
        (-0.6, f"cardinality loses to depth and width: {SURELY}."),
    ],
)
def test_the_first_sentence_of_other_answers(gain: float, sentence: str) -> None:
    assert judge(spend_table(gain, runs=5, **FACTS)).reasons[0] == SCALE + sentence


def test_a_loss_is_told_as_what_the_claimant_errs_more() -> None:
    assert judge(spend_table(-0.6, runs=5, **FACTS)).reasons[1] == (
        "cardinality errs 0.60 points more than depth (95 % interval 0.40 to 0.80; probability of improvement 0.00)."
    )


def trade(*means: float, deviation: float = 0.1) -> dict[str, list[float]]:
    arms = ["1x64d", "4x24d", "32x4d"][: len(means)]
    return {
        arm: errors_with(mean, deviation, 5, seed) for seed, (arm, mean) in enumerate(zip(arms, means, strict=True))
    }


def test_a_trade_of_many_arms_tells_its_trend_first() -> None:
    verdict = judge(runs_table(trade(9.0, 8.5, 8.0)))
    assert verdict.reasons[0] == f"{UNKNOWN}more groups err less: {SURELY}."
    assert verdict.reasons[1].startswith(
        "the test error falls by 0.99 points from 1x64d to 32x4d, along the line over log2 C (95 % interval "
    )
    assert len(verdict.reasons) == 4
    assert "32x4d  1x64d (trend)" in verdict_text(verdict)
    assert judge(runs_table(trade(8.0, 8.5, 9.0))).reasons[0] == f"{UNKNOWN}more groups err more: {SURELY}."


def test_a_trade_of_which_only_the_middle_gains() -> None:
    verdict = judge(runs_table(trade(8.5, 7.9, 8.5)))
    assert verdict.verdict == "partly supported"
    assert verdict.reasons[0] == (f"{UNKNOWN}4x24d beats 1x64d, but the trend over all cardinalities is not shown.")


def test_several_budgets_that_are_no_fair_comparison_are_told_of_by_how_they_spend() -> None:
    arms = ("cardinality@2", "depth@2", "cardinality@4", "depth@4", "base")
    table = runs_table({arm: [None, None, *errors_with(8.0, 0.1, 8)] for arm in arms})
    assert "these runs are no fair comparison of cardinality with depth and base:" in verdict_text(judge_by(table))


def test_an_invalid_study_lists_its_reasons_and_shows_numbers_as_no_evidence() -> None:
    table = study_table(spend_table(0.6, runs=5, **FACTS), curves={"depth": (1, 2, 3, 4, 5)})
    paragraphs = verdict_text(judge(table)).split("\n\n")
    assert paragraphs[0] == "verdict: invalid"
    assert paragraphs[1].splitlines() == [
        f"{SCALE}these runs are no fair comparison of cardinality with depth and width:",
        "  - The best learning rate of depth, 0.01, is the lowest of 5 tried: a better one may lie outside.",
    ]
    assert (
        "Differences (points; positive: fewer errors, no evidence as long as the comparison is not fair):"
        in "\n".join(paragraphs)
    )


def test_the_scale_is_said_once_and_with_the_answer() -> None:
    for gain, deviation in ((0.6, 0.1), (0.0, 0.1), (-0.6, 0.1), (0.2, 0.4), (0.3, 2.0)):
        text = verdict_text(judge(spend_table(gain, deviation, runs=5, **FACTS)))
        assert text.split("\n\n")[1].startswith(SCALE)
        assert text.count("multiply-adds, 12 epochs and") == 1


def test_one_epoch_and_one_seed_are_singular() -> None:
    verdict = judge(runs_table({"1x8d": [8.0], "2x5d": [7.0]}, epochs=[1, 1], multiply_adds=[1000, 1000]))
    assert verdict.reasons[0].startswith("On data not named, at 1,000 multiply-adds, 1 epoch and 1 seed an arm, ")


def test_finalists_have_a_table_of_their_own() -> None:
    table = spend_table(0.6, runs=5)
    finalist = runs_table({"finalist-0012": errors_with(7.0, 0.1, 5)}, architecture=["8x6d-11"])
    both = study_table(table)
    confirmed = finalist.assign(phase="confirm", state="completed", learning_rate=0.1)
    words = verdict_text(judge(pd.concat([both, confirmed], ignore_index=True)))
    assert (
        "Finalists of the search, chosen and so not compared (test error in percent):\n"
        "  arm            architecture  runs  test error  95 % interval    SD\n"
        "  finalist-0012  8x6d-11          5        7.00   6.88 to 7.12  0.10\n"
    ) in words


def test_the_text_by_the_second_rules_shows_what_is_tuning_and_the_median() -> None:
    """The base has a table of what the budget buys, and the differences hold for the arms that cost the same."""
    facts = {name: [*values, 1_085_000 if name == "multiply_adds" else values[0]] for name, values in FACTS.items()}
    table = tuned_twice(study_table(spend_table(0.6, base=11.0, **facts)))
    table.loc[table.phase.eq("tune") & table.seed.eq(5), "validation_error"] += 0.4
    paragraphs = verdict_text(judge_by(table)).split("\n\n")
    assert paragraphs[0] == "verdict: supported"
    assert paragraphs[1].splitlines()[0] == (
        "On digits, at 2,170,000 to 2,172,000 multiply-adds, 12 epochs and 10 seeds an arm, cardinality beats depth "
        "and width: surely, by at least the margin of 0.3 points."
    )
    title, header, *rows = paragraphs[4].splitlines()
    assert title == "Differences (points; positive: fewer errors):"
    assert re.split("  +", header.strip()) == [
        "arm",
        "against",
        "difference",
        "95 % interval",
        "90 % interval",
        "of it tuning",
        "median",
        "p",
        "p (Holm)",
        "P(improvement)",
        "bootstrap 95 %",
    ]
    assert [row.split()[:3] for row in rows] == [["cardinality", "depth", "0.60"], ["cardinality", "width", "0.60"]]
    title, _, *rows = paragraphs[5].splitlines()
    assert title == "What the budget buys over the base (points; positive: fewer errors):"
    assert [row.split()[:3] for row in rows] == [
        ["cardinality", "base", "3.00"],
        ["depth", "base", "2.40"],
        ["width", "base", "2.40"],
    ]


def long_table(arm: str = "width") -> pd.DataFrame:
    """A spend with all that a text can show, one arm of which has another name."""
    facts = {name: [*values, 1_085_000 if name == "multiply_adds" else values[0]] for name, values in FACTS.items()}
    table = tuned_twice(study_table(spend_table(0.6, base=11.0, **facts)))
    return table.assign(activations=12_345, arm=table.arm.replace("width", arm))


def columns_of(text: str, title: str) -> list[str]:
    paragraph = next(paragraph for paragraph in text.split("\n\n") if paragraph.startswith(title))
    return re.split("  +", paragraph.splitlines()[1].strip())


def test_at_80_columns_no_line_of_a_table_is_longer_and_the_less_important_columns_go() -> None:
    """The sentences stay lines of their own: a terminal is not the only reader of them."""
    verdict = judge_by(long_table())
    narrow, wide = verdict_text(verdict, 80), verdict_text(verdict)
    tables = narrow[narrow.index("Arms (") :]
    assert max(map(len, tables.splitlines())) <= 80 < max(map(len, wide[wide.index("Arms (") :].splitlines()))
    assert columns_of(narrow, "Arms") == [
        "arm",
        "runs",
        "test error",
        "95 % interval",
        "SD",
        "multiply-adds",
        "parameters",
    ]
    assert columns_of(narrow, "Differences") == [
        "arm",
        "against",
        "difference",
        "95 % interval",
        "p (Holm)",
        "P(improvement)",
    ]
    assert narrow.endswith("\n\nSome columns do not fit: resnext-search verdict ... --wide shows all.")
    assert "--wide" not in wide
    assert narrow[: narrow.index("Arms (")] == wide[: wide.index("Arms (")]


def test_what_an_arm_costs_is_one_word_where_its_sentence_does_not_fit() -> None:
    other = verdict_text(judge_by(long_table()), 80).split("Other costs")[1]
    assert other.splitlines()[1] == "  arm          against  cost         ratio   95 % interval  it costs"
    assert other.splitlines()[2] == "  cardinality  depth    parameters   1.111  1.111 to 1.111  more"
    assert " ".join(other.split("\n\n")[0].split()).endswith(
        "less: where the arm is ahead, it is so at equal cost of this kind a fortiori; equal: the comparison holds "
        "there too; more: whether it is ahead there is not answered by these runs"
    )


@pytest.mark.parametrize("arm", ["a" * 60, "a wider network than all others " * 4, "ß" * 90])
def test_names_however_long_are_broken_to_fit(arm: str) -> None:
    text = verdict_text(judge_by(long_table(arm.strip()), claimant="cardinality"), 80)
    tables = text[text.index("Arms (") :]
    assert max(map(len, tables.splitlines())) <= 80
    letters = [line.split("  ")[1] for line in tables.split("\n\n")[0].splitlines()[2:]]
    assert arm.replace(" ", "") in "".join(letters).replace(" ", "")


def test_the_tables_alone_have_all_columns() -> None:
    verdict = judge_by(long_table())
    text = verdict_tables(verdict)
    assert text.startswith("Arms (test error in percent):\n")
    assert verdict_text(verdict).endswith(f"\n\n{text}")
