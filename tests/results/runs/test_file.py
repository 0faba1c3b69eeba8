"""One table in every form in which people and programs write it: its verdict is that of the plain file."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results.runs.file import MOST_ROWS, parse_table, read_table
from resnext_search.results.runs.table import read_runs
from resnext_search.results.verdict.sources import judge_csv
from resnext_search.spaces.errors import UsageError

from tests.support.tables import spend_table

TABLE = spend_table(base=11.0)
PLAIN: str = TABLE.to_csv(index=False, lineterminator="\n")


def verdict_of(content: str | bytes, path: Path, **options: Any) -> dict[str, Any]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return judge_csv(path, **options)[1].to_json()


def complaint(content: str | bytes, path: Path) -> str:
    with pytest.raises(UsageError) as error:
        verdict_of(content, path)
    return f"{error.value}\n{error.value.hint}"


@cache
def plain_verdict(path: Path) -> dict[str, Any]:
    return verdict_of(PLAIN, path)


def lines(change: Callable[[str], str], *, header: bool = True) -> str:
    first, *others = PLAIN.splitlines()
    return "\n".join([change(first) if header else first, *map(change, others)]) + "\n"


def with_column(name: str, cell: str) -> str:
    first, *others = PLAIN.splitlines()
    return "\n".join([f"{name},{first}", *(f"{cell},{line}" for line in others)])


FORMS: dict[str, str | bytes] = {
    "semicolons": PLAIN.replace(",", ";"),
    "tabs": PLAIN.replace(",", "\t"),
    "bars": PLAIN.replace(",", "|"),
    "aligned": lines(lambda line: " ".join(f"{cell:>12}" for cell in line.split(","))),
    "decimal commas": PLAIN.replace(",", ";").replace(".", ","),
    "quoted decimal commas": lines(
        lambda line: '{},{},"{}"'.format(*line.replace(".", ",").split(",", 2)), header=False
    ),
    "Excel's line": "sep=;\n" + PLAIN.replace(",", ";"),
    "Excel's line of a comma": "sep=,\r\n" + PLAIN.replace("\n", "\r\n"),
    "Mac": PLAIN.replace("\n", "\r"),
    "no last line end": PLAIN.rstrip(),
    "mark": PLAIN.encode("utf-8-sig"),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16 without a mark": PLAIN.encode("utf-16-be"),
    "spaces": PLAIN.replace(",", " , "),
    "capitals": PLAIN.replace("arm,seed,test_error", "Arm,SEED,Test Error"),
    "units in the header": PLAIN.replace("test_error", "test_error [%]"),
    "quotes": lines(lambda line: ",".join(f'"{cell}"' for cell in line.split(","))),
    "comments before": "# raw results, one row a seed\n#\n\n" + PLAIN,
    "a title": "Results of the sweep, in percent\n\n" + PLAIN,
    "the header as a comment": "# " + PLAIN,
    "comments between": PLAIN.replace("depth,0,", '# don\'t use the "others\ndepth,0,') + "# end, of, it\n",
    "trailing commas": lines(lambda line: line + ",,", header=False),
    "trailing commas everywhere": lines(lambda line: line + ","),
    "rows of commas": PLAIN + ",,\n,,\n",
    "empty rows": PLAIN.replace("\n", "\n\n"),
    "joined files": PLAIN + PLAIN.splitlines()[0] + "\n",
    "numbers of rows": with_column("", "7"),
    "a further column": with_column("notes", '"a, b"'),
    "a further column with lines": with_column("notes", '"a\n# b"'),
    "empty states and phases": lines(lambda line: line + ("state,phase" if line.startswith("arm") else ",,"))
    .replace("test_errorstate", "test_error,state"),
    "a long cell": with_column("log", "y" * 200_000).replace("y" * 200_000, "", 39),
    "of Weights & Biases": with_column("State", "finished"),
    "of MLflow": with_column("Status", "FINISHED"),
    "of Optuna": with_column("state", "TrialState.COMPLETE"),
    "percent signs": lines(lambda line: line + " %", header=False),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_a_table_does_not_matter(form: str, tmp_path: Path) -> None:
    assert verdict_of(FORMS[form], tmp_path / "other.csv") == plain_verdict(tmp_path / "runs.csv")


@pytest.mark.parametrize("arm", ["None", "NA", "nan", "null", "1e3", "007", "True", "größe", "#1", "a, b"])
def test_whatever_stands_in_the_column_arm_is_a_name(arm: str, tmp_path: Path) -> None:
    cell = f'"{arm}"' if set(arm) & set("#,") else arm
    verdict = verdict_of(PLAIN.replace("width", cell).encode("utf-8"), tmp_path / "runs.csv")
    assert sorted(one["arm"] for one in verdict["arms"]) == sorted(["cardinality", "depth", "base", arm])
    assert {one["runs"] for one in verdict["arms"]} == {10}


def test_a_code_page_of_western_europe_is_understood(tmp_path: Path) -> None:
    named = PLAIN.replace("width", "größe")
    expected = verdict_of(named, tmp_path / "runs.csv")
    assert verdict_of(named.encode("cp1252"), tmp_path / "runs.csv") == expected


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04rest", "this is an Excel workbook or another zip"),
        (b"\x1f\x8brest", "this is compressed (gzip)"),
        (b"arm,seed\0\1\2", "this is no text"),
        (PLAIN.encode("utf-16")[:-1], "broken in the middle of a character; was it cut off?"),
        (PLAIN + '"', "unexpected end of data"),
    ],
)
def test_what_is_no_table_says_what_it_is(content: str | bytes, why: str, tmp_path: Path) -> None:
    assert f"not readable as a table of runs: {why}" in complaint(content, tmp_path / "runs.csv")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        read_table(tmp_path / "runs.csv")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("\n\n", "runs.csv: not readable as a table of runs: it is empty"),
        ("once upon a time", "columns: 'once upon a time'; allowed: arm, seed, test_error, and others"),
        ("arm,seed,test_error\n", "rows: none; allowed: one a run"),
        (with_column("arm", "a"), "arm: 2 columns of that name; allowed: one"),
        (with_column("Test Error", "8.0"), "test_error: 2 columns of that name; allowed: one"),
        (with_column("notes", "a").replace("notes,", "notes,notes,").replace("a,", "a,b,", 1), "cells: 4 in line 3"),
        (
            PLAIN.replace(".", ",", 1),
            "cells: 4 in line 2; allowed: 3, as the header has; a cell that holds a separator",
        ),
        (PLAIN.replace(".", ","), "a cell that holds a separator is to be in quotes, and a decimal comma is one"),
        (
            lines(lambda line: f'"1",{line}', header=False),
            "cells: 4 in line 2, 4 in line 3, 4 in line 4 and 37 more; allowed: 3, as the header has; the first cells "
            "have no name: R leaves that out for numbers of rows, unless row.names = FALSE",
        ),
        (
            'Step,"width - test_error","depth - test_error"\n0,4.2,5.0\n',
            "columns: 'Step', 'width - test_error', 'depth - test_error'; allowed: arm, seed, test_error, and others",
        ),
        (PLAIN.replace("depth,3,", "#depth,3,"), "comments: line "),
        (PLAIN + "width,11\n", "cells: 2 in line 42; allowed: 3, as the header has; was it cut off?"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_reason(content: str, line: str, tmp_path: Path) -> None:
    assert line in complaint(content, tmp_path / "runs.csv")


def test_complaints_name_the_line_of_the_file() -> None:
    table = parse_table('# a\narm,seed,test_error,notes\na,0,8.0,"two\nlines"\n\na,x,8.0,\n')
    with pytest.raises(UsageError, match="seed: 'x' in line 6; allowed: a whole number"):
        read_runs(table)


def test_thousands_of_bad_rows_are_told_in_a_few_lines(tmp_path: Path) -> None:
    rows = "".join(f"a,{n}x,high,0.75\n" for n in range(9_000))
    said = complaint("arm,seed,test_error,multiply_adds\n" + rows, tmp_path / "runs.csv")
    assert said.count("\n") == 4
    assert "test_error: 'high' in line 2, 'high' in line 3, 'high' in line 4 and 8,997 more; allowed: a number" in said


def test_a_table_that_never_ends_is_not_read_to_its_end(tmp_path: Path) -> None:
    rows = "a,0,8\n" * (MOST_ROWS + 5)
    assert "rows: more than 100,000" in complaint("arm,seed,test_error\n" + rows, tmp_path / "runs.csv")
