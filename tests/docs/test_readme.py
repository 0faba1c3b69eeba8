"""The README is short enough to be read, and what it shows is what there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from resnext_search.spaces import load_study

from tests.docs.commands import ROOT, lines_of

README = ROOT / "README.md"
TEXT = README.read_text(encoding="utf-8")


def test_it_is_read_in_a_few_minutes() -> None:
    assert len(TEXT.splitlines()) <= 150
    assert len(TEXT.split()) <= 1_300  # as `wc -w` counts


def test_it_has_two_commands_to_copy() -> None:
    assert lines_of(README) == [
        "python3 -m venv .venv && .venv/bin/pip install -e . -c constraints.txt "
        "&& .venv/bin/resnext-search run spaces/fixed_flops.yaml",
        ".venv/bin/pip install -e '.[test]' -c constraints.txt && .venv/bin/python -m pytest",
    ]


def test_its_study_is_the_one_that_its_first_command_runs(tmp_path: Path) -> None:
    [shown] = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    file = tmp_path / "shown.yaml"
    file.write_text(shown, encoding="utf-8")
    assert load_study(file) == load_study(ROOT / "spaces" / "fixed_flops.yaml")


def test_it_boasts_of_at_most_eight_figures_each_with_a_link_to_where_it_is_measured() -> None:
    table = TEXT.split("## How good it is")[1].split("##")[0]
    rows = re.findall(r"^\| (?!what )(.*) \|$", table, re.MULTILINE)
    assert 0 < len(rows) <= 8
    assert [row for row in rows if "](" not in row and not row.endswith("the same")] == []


def test_the_same_versions_of_python_are_named_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found = [re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", one) for one in project["classifiers"]]
    first, *others, last = [one[1] for one in found if one]
    assert project["requires-python"] == f">={first}"
    assert f"Python {first} to {last}." in TEXT
    listed = f"Python {', '.join([first, *others])} and {last}"
    for page in ("docs/README.md", "constraints.txt"):
        assert listed in (ROOT / page).read_text(encoding="utf-8")
