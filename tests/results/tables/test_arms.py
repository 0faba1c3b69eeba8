"""The arms as a table for a paper: every cell, and nothing that LaTeX or Markdown would take for its own."""

from __future__ import annotations

from resnext_search.results import judge
from resnext_search.results.tables.arms import arm_rows, latex, markdown

from tests.support.tables import runs_table, spend_table


def test_a_row_has_the_counts_the_error_and_its_interval() -> None:
    table = spend_table(runs=5, architecture=["2x12d-11", "1x13d-20", "1x18d-11"], multiply_adds=[1_225_354] * 3)
    rows = arm_rows(judge(table).to_json())
    assert [row[:6] for row in rows] == [
        ["cardinality", "2x12d-11", "1,225,354", "", "", "5"],
        ["depth", "1x13d-20", "1,225,354", "", "", "5"],
        ["width", "1x18d-11", "1,225,354", "", "", "5"],
    ]
    assert rows[0][6:] == ["8.00", "7.88 to 8.12"]  # 8 ± 2.776 x 0.1 / sqrt(5)
    assert [row[6] for row in rows[1:]] == ["8.60", "8.60"]


def test_one_run_has_no_interval() -> None:
    table = runs_table({"cardinality": [8.0], "depth": [8.0], "width": [8.0]})
    assert [row[5:] for row in arm_rows(judge(table).to_json())] == [["1", "8.00", ""]] * 3


def test_markdown_and_latex_hold_the_same_cells() -> None:
    rows = arm_rows(judge(spend_table(runs=5)).to_json())
    in_markdown = [line.strip("| \n").split("|") for line in markdown(rows).splitlines()[2:]]
    in_latex = [line.removesuffix(r" \\").split("&") for line in latex(rows).splitlines() if "&" in line][1:]
    assert [[cell.strip() for cell in row] for row in in_markdown] == [
        [cell.strip() for cell in row] for row in in_latex
    ]
    assert len(in_latex) == 3


def test_what_means_something_to_latex_or_markdown_is_escaped() -> None:
    row = ["a_b", "x|y", "1", "2", "3", "4", "5", "6"]
    assert r"a\_b" in latex([row])
    assert r"x\|y" in markdown([row])
