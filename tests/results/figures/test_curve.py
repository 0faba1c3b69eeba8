"""The picture of several budgets: what stands in it, for runs that can be checked by eye."""

from __future__ import annotations

import pandas as pd
from resnext_search.results import judge
from resnext_search.results.figures.chart import Chart, Intervals, Line, Points
from resnext_search.results.figures.curve import curve_charts
from resnext_search.results.report.facts import rows_of

ERRORS = {"base": 9.0, "cardinality@2": 7.0, "width@2": 7.4, "cardinality@4": 6.0, "width@4": 6.9}
COSTS = {
    "base": 1_000_000,
    "cardinality@2": 2_000_000,
    "width@2": 2_010_000,
    "cardinality@4": 4_000_000,
    "width@4": 4_000_000,
}


def table(*columns: str) -> pd.DataFrame:
    rows = [
        {
            "arm": arm,
            "seed": seed,
            "test_error": error + 0.1 * (-1) ** seed * (1 + seed // 2 / 10),
            "multiply_adds": COSTS[arm],
            "parameters": 9,
        }
        for arm, error in ERRORS.items()
        for seed in range(10)
    ]
    return pd.DataFrame(rows).drop(columns=[*columns])


def charts(runs: pd.DataFrame) -> list[Chart]:
    return list(curve_charts(rows_of(runs), judge(runs).to_json()))


def test_every_way_is_a_line_from_the_base_over_the_budgets() -> None:
    first, second = charts(table())
    assert (first.name, second.name) == ("error_by_multiply_adds", "error_by_parameters")
    lines = {layer.name: layer for layer in first.layers if isinstance(layer, Line)}
    assert list(lines) == ["cardinality", "width"]
    assert list(lines["width"].x) == [1_000_000, 2_010_000, 4_000_000]
    assert [round(error, 6) for error in lines["width"].y] == [9.0, 7.4, 6.9]
    assert [words for _, words in first.x.ticks] == ["1M", "2M", "4M"]


def test_every_run_is_a_point_and_every_mean_has_its_interval() -> None:
    first, _ = charts(table())
    points = [layer for layer in first.layers if isinstance(layer, Points) and layer.opacity < 1]
    assert sum(len(layer.x) for layer in points) == 50
    bars = [layer for layer in first.layers if isinstance(layer, Intervals)]
    assert sum(len(layer.places) for layer in bars) == 5
    assert all(low < high for layer in bars for low, high in zip(layer.low, layer.high, strict=True))


def test_the_table_behind_it_has_a_row_an_arm() -> None:
    first, _ = charts(table())
    assert first.columns == ("arm", "multiply-adds", "test error, %", "low", "high")
    assert [row[:2] for row in first.rows][:2] == [("cardinality@2", 2_000_000), ("width@2", 2_010_000)]


def test_few_runs_have_their_picture_too() -> None:
    runs = table()
    first, _ = charts(runs[runs.seed < 3])
    points = [layer for layer in first.layers if isinstance(layer, Points) and layer.opacity < 1]
    assert sum(len(layer.x) for layer in points) == 15


def test_a_cost_that_is_not_known_is_no_picture() -> None:
    assert [chart.name for chart in charts(table("parameters"))] == ["error_by_multiply_adds"]


def test_with_one_budget_there_is_no_curve() -> None:
    runs = table()
    one = runs[runs.arm.isin(["base", "cardinality@2", "width@2"])].replace(
        {"arm": {"cardinality@2": "cardinality", "width@2": "width"}}
    )
    assert charts(one) == []
