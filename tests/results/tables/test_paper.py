"""Tables for a paper: every cell, and nothing that LaTeX or Markdown would take for its own."""

from __future__ import annotations

from resnext_search.results import judge
from resnext_search.results.tables.paper import PaperTable, arms_table, budgets_table

from tests.support.tables import errors_with, runs_table, spend_table


def test_a_row_has_the_counts_the_error_and_its_interval() -> None:
    runs = spend_table(runs=5, architecture=["2x12d-11", "1x13d-20", "1x18d-11"], multiply_adds=[1_225_354] * 3)
    table = arms_table(judge(runs).to_json())
    assert table.headings == ("arm", "architecture", "multiply-adds", "runs", "test error, %", "95 % interval")
    assert [row[:4] for row in table.rows] == [
        ["cardinality", "2x12d-11", "1,225,354", "5"],
        ["depth", "1x13d-20", "1,225,354", "5"],
        ["width", "1x18d-11", "1,225,354", "5"],
    ]
    assert table.rows[0][4:] == ["8.00", "7.88 to 8.12"]  # 8 ± 2.776 x 0.1 / sqrt(5)
    assert [row[4] for row in table.rows[1:]] == ["8.60", "8.60"]


def test_what_no_arm_has_is_no_column() -> None:
    table = arms_table(judge(runs_table({"cardinality": [8.0], "depth": [8.0], "width": [8.0]})).to_json())
    assert (table.headings, table.words) == (("arm", "runs", "test error, %"), 1)  # one run has no interval
    assert [row[1:] for row in table.rows] == [["1", "8.00"]] * 3


def test_markdown_and_latex_hold_the_same_cells() -> None:
    table = arms_table(judge(spend_table(runs=5)).to_json())
    in_markdown = [line.strip("| \n").split("|") for line in table.markdown().splitlines()[2:]]
    in_latex = [line.removesuffix(r" \\").split("&") for line in table.latex().splitlines() if "&" in line][1:]
    assert [[cell.strip() for cell in row] for row in in_markdown] == [
        [cell.strip() for cell in row] for row in in_latex
    ]
    assert len(in_latex) == 3


def test_what_means_something_to_latex_or_markdown_is_escaped() -> None:
    table = PaperTable(("arm", "of"), 2, [["a_b", "x|y"]])
    assert r"a\_b" in table.latex()
    assert r"x\|y" in table.markdown()


def test_several_budgets_have_a_row_for_each_rival_then_the_mean_and_what_a_doubling_adds() -> None:
    errors = {"cardinality@2": 6.0, "width@2": 7.0, "cardinality@4": 5.0, "width@4": 8.0, "base": 9.0}
    spread = {arm: errors_with(mean, 0.1, 10, seed) for seed, (arm, mean) in enumerate(errors.items())}
    costs = [2_000_000] * 2 + [4_000_000] * 2 + [1_000_000]
    table = budgets_table(judge(runs_table(spread, multiply_adds=costs)).to_json())
    assert table is not None
    assert [list(row[:6]) for row in table.rows] == [
        ["2x: supported", "width", "2,000,000", "6.00", "7.00", "1.00"],
        ["4x: supported", "width", "4,000,000", "5.00", "8.00", "3.00"],
        ["all: supported", "width", "", "", "", "2.00"],
        ["a doubling", "width", "", "", "", "2.00"],
    ]
    assert all(" to " in row[6] for row in table.rows)


def test_the_words_of_the_budgets_are_those_of_a_verdict_without_an_answer() -> None:
    errors = {"cardinality@2": 6.0, "width@2": 7.0, "cardinality@4": 5.0, "width@4": 8.0, "base": 9.0}
    few = runs_table({arm: errors_with(mean, 0.1, 5, seed) for seed, (arm, mean) in enumerate(errors.items())})
    unfair = runs_table({arm: [mean] for arm, mean in errors.items()}, multiply_adds=[2000, 3000, 4000, 4000, 1000])
    nothing = runs_table({arm: [None] for arm in errors}).assign(phase="confirm", state="failed")
    for runs, word in ((few, "inconclusive"), (unfair, "invalid")):
        table = budgets_table(judge(runs).to_json())
        assert table is not None
        assert [row[0] for row in table.rows] == [f"2x: {word}", f"4x: {word}", f"all: {word}", "a doubling"]
    assert budgets_table(judge(nothing).to_json()) is None


def test_one_budget_has_no_table_of_budgets() -> None:
    assert budgets_table(judge(spend_table(runs=5)).to_json()) is None
