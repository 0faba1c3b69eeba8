"""Is a comma decimal, or does it group thousands? The table says it, or the number is refused."""

from __future__ import annotations

import pytest
from resnext_search.results.runs.file import parse_table
from resnext_search.results.runs.numbers import plain
from resnext_search.results.runs.table import read_runs
from resnext_search.spaces.errors import UsageError


def seconds(errors: list[str], cells: list[str]) -> list[float | None]:
    rows = [f"a;{seed};{error};{cell}" for seed, (error, cell) in enumerate(zip(errors, cells, strict=True))]
    return [run.seconds for run in read_runs(parse_table("\n".join(["arm;seed;test_error;seconds", *rows])))]


@pytest.mark.parametrize(
    ("errors", "cells", "read"),
    [
        (["3", "4"], ["0,125", "100,125"], [0.125, 100.125]),
        (["3", "4"], ["100,5", "4,100"], [100.5, 4.1]),
        (["3,5", "4"], ["100,125", "4,100"], [100.125, 4.1]),
        (["3.5", "4"], ["100,125", "4,100"], [100125, 4100]),
        (["3", "4"], ["1,234,567", "4,100"], [1234567, 4100]),
        (["3", "4"], ["12.5", "4,100"], [12.5, 4100]),
        (["3", "4"], ["1.234,5", "4,100"], [1234.5, 4.1]),
        (["3,5", "4"], ["748 000 000", "1\u202f234,5"], [748e6, 1234.5]),
    ],
)
def test_the_table_says_what_its_commas_are(errors: list[str], cells: list[str], read: list[float]) -> None:
    assert seconds(errors, cells) == read


def test_a_comma_that_nothing_explains_is_refused() -> None:
    with pytest.raises(UsageError) as error:
        seconds(["3", "4"], ["100,125", "101,125"])
    assert (
        "seconds: '100,125' in line 2, '101,125' in line 3; allowed: a number, 0 or more, without a comma: nothing "
        "here says whether 4,100 is 4100 or 4.1"
    ) in str(error.value)


def test_no_group_of_thousands_begins_with_0() -> None:
    assert (plain("0,125"), plain("012,345"), plain("125,000")) == ("0,125", "012,345", "125000")
    with pytest.raises(UsageError, match="seconds: '0,125' in line 2; allowed: a number, 0 or more"):
        seconds(["3.5"], ["0,125"])
