"""Pictures of a study as files: that they show what the tables hold, and are the same file from the same data."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pandas as pd
import pytest
from resnext_search.results import judge
from resnext_search.results.figures import draw_matplotlib
from resnext_search.results.figures.chart import COLOURS, Area, Axis, Bars, Chart, Points
from resnext_search.results.figures.claim import claim_charts, tuning_chart
from resnext_search.results.figures.draw_matplotlib import draw
from resnext_search.results.report.facts import rows_of

from tests.support.tables import runs_table, spend_table, study_table


def drawn(table: pd.DataFrame, folder: Path) -> dict[str, bytes]:
    rows = rows_of(table)
    tuning = tuning_chart(rows)
    charts = [*claim_charts(rows, judge(table).to_json()), *([tuning] if tuning else [])]
    return {path.name: path.read_bytes() for path in draw(charts, folder)}


def test_a_study_has_a_picture_of_its_tuning_its_runs_and_its_differences(tmp_path: Path) -> None:
    files = drawn(study_table(spend_table(runs=5)), tmp_path / "new")
    assert sorted(files) == [
        f"{name}.{kind}" for name in ("differences", "learning_rate", "test_error") for kind in ("png", "svg")
    ]
    assert all(content.startswith(b"\x89PNG") for name, content in files.items() if name.endswith("png"))
    assert all(b"</svg>" in content for name, content in files.items() if name.endswith("svg"))
    assert not list(tmp_path.rglob("*.part"))


def test_every_run_is_a_dot(tmp_path: Path) -> None:
    drawn(spend_table(runs=7), tmp_path)
    svg = (tmp_path / "test_error.svg").read_text()
    marks = re.findall(r"fill: (#\w+); fill-opacity: 0.4", svg)
    assert [marks.count(colour.lower()) for colour in COLOURS[:4]] == [7, 7, 7, 0]  # three arms of seven runs


def test_the_trend_that_decides_a_trade_heads_its_differences(tmp_path: Path) -> None:
    table = spend_table(runs=6)
    table["arm"] = table.arm.map({"width": "1x8d", "depth": "2x5d", "cardinality": "4x3d"})
    drawn(table.drop(columns="architecture", errors="ignore"), tmp_path)
    svg = (tmp_path / "differences.svg").read_text()
    names = [name.strip() for name in re.findall(r"<!-- (.*?) -->", svg) if "against" in name or "trend" in name]
    assert names[:3] == ["4x3d against 1x8d", "(trend over log₂ C)", "2x5d against 1x8d"]


def test_the_same_data_give_the_same_files(tmp_path: Path) -> None:
    table = study_table(spend_table(runs=5))
    assert drawn(table, tmp_path / "a") == drawn(table, tmp_path / "b")


def test_runs_that_cannot_be_compared_have_no_picture_of_differences(tmp_path: Path) -> None:
    table = study_table(spend_table(runs=5))
    table.loc[table.phase == "confirm", ["state", "test_error"]] = ("running", None)
    files = drawn(table, tmp_path)
    assert "differences.png" not in files


def test_one_run_an_arm_is_drawn_without_an_interval(tmp_path: Path) -> None:
    assert "test_error.png" in drawn(runs_table({"cardinality": [8.0], "depth": [8.5], "width": [9.0]}), tmp_path)


def test_what_the_usual_font_lacks_is_taken_from_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chart = Chart("one", "", "", "", Axis("\u29c1"), Axis("y"), [], (), ())  # a sign of STIX, which comes along
    draw([chart], tmp_path / "box")
    monkeypatch.setattr(draw_matplotlib, "OTHER_FONTS", ("No Such Font", "STIXGeneral"))
    draw([chart], tmp_path / "sign")
    box, sign = ((tmp_path / folder / "one.svg").read_text() for folder in ("box", "sign"))
    assert ("STIXGeneral" in box, "STIXGeneral" in sign) == (False, True)


def test_a_name_that_no_font_can_show_is_drawn_without_a_warning(tmp_path: Path) -> None:
    layers = [Points([1.0], [1.0], name=name) for name in ("\u5bbd\u5ea6", "\u0939\u093f")]  # Chinese and Hindi
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        files = draw([Chart("one", "", "", "", Axis("x"), Axis("y"), [*layers], (), ())], tmp_path)
    assert [str(one.message) for one in caught] == []
    assert [path.name for path in files] == ["one.png", "one.svg"]


@pytest.mark.parametrize(
    "layer",
    [Points([1.0, 2.0], [1.0, 2.0], values=[2.0, 30.0], unit="%"), Area([1, 2], [1, 2], [3, 4]), Bars([0], [1], [2])],
    ids=["values", "area", "bars"],
)
def test_every_kind_of_layer_can_be_drawn(layer: Points | Area | Bars, tmp_path: Path) -> None:
    chart = Chart("one", "", "", "", Axis("x"), Axis("y", log=True), [layer], (), ())
    assert [path.name for path in draw([chart], tmp_path)] == ["one.png", "one.svg"]
