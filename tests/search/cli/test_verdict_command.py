"""`verdict`: of a study folder and of anyone's runs, and what it refuses."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import ended_folder, new_folder
from tests.support.shell import Shell


def runs_file(shell: Shell, errors: dict[str, tuple[float, ...]], **more: dict[str, int]) -> None:
    """Anyone's runs: `runs.csv` in the folder of the shell."""
    rows = [
        {"arm": arm, "seed": seed, "test_error": error, **{name: values[arm] for name, values in more.items()}}
        for arm, of_arm in errors.items()
        for seed, error in enumerate(of_arm)
    ]
    pd.DataFrame(rows).to_csv(shell.folder / "runs.csv", index=False)


# ten runs each, with means of 23.2 and 21.9
TEN = {"1x64d-50": 2 * (23.1, 23.2, 23.3, 23.2, 23.2), "32x4d-50": 2 * (21.9, 22.0, 21.8, 21.9, 21.9)}


def test_anyones_runs_are_judged(shell: Shell) -> None:
    runs_file(shell, TEN)
    out = shell.done("verdict", "runs.csv", "--strict")
    assert out.startswith("verdict: supported\n")
    assert "The match of FLOPs was not shown" in out
    facts = shell.facts("verdict", "runs.csv")
    assert (facts["verdict"], facts["kind"], facts["claimant"], facts["margin"]) == (
        "supported",
        "trade",
        "32x4d-50",
        0.3,
    )


def test_the_options_of_a_verdict_are_heeded(shell: Shell) -> None:
    costs = {"1x64d-50": 4_000_000_000, "32x4d-50": 4_060_000_000}
    runs_file(shell, TEN, multiply_adds=costs)
    code, out, _ = shell.ended("verdict", "runs.csv", "--strict", "--tolerance", "1%")
    assert code == 7
    assert out.startswith("verdict: invalid\n")
    assert "+1.5 %" in out
    assert shell.facts("verdict", "runs.csv", "--tolerance", "2%")["verdict"] == "supported"
    wide = shell.facts("verdict", "runs.csv", "--tolerance", "0.02", "--margin", "2")
    assert (wide["verdict"], wide["margin"]) == ("no practical difference", 2.0)
    assert shell.facts("verdict", "runs.csv", "--claimant", "1x64d-50")["verdict"] == "contradicted"


@pytest.mark.parametrize("tolerance", ["2", "0.04", "3%", "two", "-0.01"])
def test_a_tolerance_that_a_study_file_would_not_allow_is_refused(shell: Shell, tolerance: str) -> None:
    runs_file(shell, TEN)
    code, said = shell.refused("verdict", "runs.csv", f"--tolerance={tolerance}")
    assert code == 2
    assert f"tolerance {tolerance}; allowed: " in said
    assert "a tolerance from 0 to 2%, such as 2% or 0.02" in said


def test_pictures_are_drawn_as_png_and_svg(shell: Shell) -> None:
    runs_file(shell, TEN)
    shell.done("verdict", "runs.csv", "--plots", "pictures")
    names = sorted(path.name for path in (shell.folder / "pictures").iterdir())
    assert names == ["differences.png", "differences.svg", "test_error.png", "test_error.svg"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "runs.csv: not readable as a table of runs: "),
        ("", "runs.csv: not readable as a table of runs: "),
        ("a,b\n1,2\n", "arm"),
    ],
)
def test_what_is_no_table_of_runs_is_said(shell: Shell, content: str | None, complaint: str) -> None:
    if content is not None:
        (shell.folder / "runs.csv").write_text(content)
    code, said = shell.refused("verdict", "runs.csv")
    assert code == 2
    assert complaint in said


def test_a_study_without_a_claim_has_no_verdict(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    code, said = shell.refused("verdict", "run")
    assert code == 2
    assert said.startswith("resnext-search: run: the study makes no claim, so there is nothing to judge\n")


def test_options_of_a_csv_file_are_refused_for_a_study(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    code, said = shell.refused("verdict", "run", "--margin", "1", "--claimant", "width")
    assert code == 2
    assert said.startswith("resnext-search: --claimant, --margin: only for a CSV file; ")


def test_the_verdict_of_a_study_that_has_not_come_to_its_arms_is_invalid_and_kept(shell: Shell) -> None:
    folder, journal = new_folder(shell.folder / "run", tiny_study(TINY_CLAIM))
    journal.close()
    code, out, _ = shell.ended("verdict", "run", "--strict")
    assert code == 7
    assert out.startswith("verdict: invalid\n")
    assert json.loads(folder.verdict.read_text())["verdict"] == "invalid"
