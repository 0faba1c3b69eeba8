"""Pictures of a study: that they show what the tables hold, and are the same file from the same data."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from resnext_search.results import judge
from resnext_search.results.plots import draw

from tests.tables import spend_table, study_table


def drawn(table: pd.DataFrame, folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in draw(table, judge(table).to_json(), folder)}


def test_a_study_has_a_picture_of_its_tuning_its_runs_and_its_differences(tmp_path: Path) -> None:
    files = drawn(study_table(spend_table(runs=5)), tmp_path / "new")
    assert sorted(files) == [
        f"{name}.{kind}" for name in ("differences", "learning_rate", "test_error") for kind in ("png", "svg")
    ]
    assert all(content.startswith(b"\x89PNG") for name, content in files.items() if name.endswith("png"))
    assert all(b"</svg>" in content for name, content in files.items() if name.endswith("svg"))


def test_every_run_is_a_dot(tmp_path: Path) -> None:
    drawn(spend_table(runs=7), tmp_path)
    svg = (tmp_path / "test_error.svg").read_text()
    lines = re.findall(r'<g id="line2d_\d+">.*?</g>\n {3}</g>', svg, re.DOTALL)
    assert sum(line.count("<use") == 7 for line in lines) == 3  # three arms of seven runs


def test_the_trend_that_decides_a_trade_heads_its_differences(tmp_path: Path) -> None:
    table = spend_table(runs=6)
    table["arm"] = table.arm.map({"width": "1x8d", "depth": "2x5d", "cardinality": "4x3d"})
    drawn(table.drop(columns="architecture", errors="ignore"), tmp_path)
    svg = (tmp_path / "differences.svg").read_text()
    names = [name.strip() for name in re.findall(r"<!-- (.*?) -->", svg) if "against" in name or "trend" in name]
    assert names[:3] == ["4x3d against 1x8d", "(trend over log$_2$ C)", "2x5d against 1x8d"]


def test_the_same_data_give_the_same_files(tmp_path: Path) -> None:
    table = study_table(spend_table(runs=5))
    assert drawn(table, tmp_path / "a") == drawn(table, tmp_path / "b")


def test_runs_that_cannot_be_compared_have_no_picture_of_differences(tmp_path: Path) -> None:
    table = study_table(spend_table(runs=5))
    files = drawn(table[table.phase != "confirm"], tmp_path)
    assert "differences.png" not in files
