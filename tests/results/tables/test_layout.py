"""Tables and sentences that fit a terminal."""

from __future__ import annotations

import pytest
from resnext_search.results.tables.layout import text_table, wrapped

ROWS = [["arm", "runs", "error", "note"], ["width", "10", "1.25", ""], ["a deeper network", "9", "10.50", ""]]


def test_names_stand_to_the_left_numbers_to_the_right_and_an_empty_column_nowhere() -> None:
    assert text_table(ROWS, names=["arm"]) == [
        "  arm               runs  error",
        "  width               10   1.25",
        "  a deeper network     9  10.50",
    ]


def test_columns_go_one_by_one_until_the_rest_fits() -> None:
    def headings(width: int) -> list[str]:
        return text_table(ROWS, names=["arm"], width=width, dispensable=["runs", "error"])[0].split()

    assert headings(31) == ["arm", "runs", "error"]
    assert headings(30) == ["arm", "error"]
    assert headings(24) == ["arm"]


@pytest.mark.parametrize("width", range(17, 31))
def test_what_still_does_not_fit_has_its_names_broken(width: int) -> None:
    lines = text_table(ROWS, names=["arm"], width=width, dispensable=["runs"])
    assert max(map(len, lines)) <= width
    assert " ".join(line[2:].partition("  ")[0] for line in lines[2:]).split() == ["a", "deeper", "network"]


def test_a_table_without_rows_has_no_lines() -> None:
    assert text_table(ROWS[:1], names=["arm"], width=10) == []


def test_a_sentence_goes_on_below_its_beginning_and_no_word_is_torn() -> None:
    path = "/a/path/that/is/longer-than/the-terminal/is/wide"
    assert wrapped(f"warning           see {path}\nshort", 40) == f"warning           see\n{' ' * 18}{path}\nshort"
    assert wrapped("it errs 9.1 % less", 12) == "it errs\n9.1 % less"
    assert wrapped("", 40) == ""
    assert wrapped("one two three", 8) == "one two\nthree"


@pytest.mark.parametrize("width", [1, 2, 20, 79, 80])
def test_no_word_is_lost_however_narrow_it_is(width: int) -> None:
    text = "verdict: x\n\n  - cardinality errs less, surely\nclaim             spend, margin 0.3 points; rules 2"
    assert wrapped(text, width).split() == text.split()
