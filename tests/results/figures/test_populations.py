"""The distributions of two spaces as a picture: a step for every network, and the band around it."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.results import judge
from resnext_search.results.figures.chart import Area, Line
from resnext_search.results.figures.claim import claim_charts, tuning_chart
from resnext_search.results.figures.draw_matplotlib import draw
from resnext_search.results.figures.populations import population_charts
from resnext_search.results.report.facts import rows_of
from resnext_search.results.statistics.distributions import band_of

from tests.support.tables import space_table, spend_table


def test_every_network_is_a_step_of_its_space(tmp_path: Path) -> None:
    table = space_table(networks=10)
    [chart] = population_charts(rows_of(table), judge(table).to_json())
    more, one = (layer for layer in chart.layers if isinstance(layer, Line))
    assert (more.name, one.name) == ("more groups", "one group")
    errors = sorted(table.test_error[table.arm.str.startswith("more groups/0")])
    assert list(more.x) == [error for error in errors for _ in range(2)]
    assert list(more.y)[:4] == pytest.approx([0.0, 0.1, 0.1, 0.2])
    assert (more.y[0], more.y[-1]) == (0.0, 1.0)
    assert [(row[0], row[3]) for row in chart.rows][9] == ("more groups", 1.0)
    assert [path.name for path in draw([chart], tmp_path)] == ["distributions.png", "distributions.svg"]


def test_the_band_lies_around_the_line_and_between_nothing_and_all() -> None:
    table = space_table(networks=40)
    [chart] = population_charts(rows_of(table), judge(table).to_json())
    area = next(layer for layer in chart.layers if isinstance(layer, Area))
    line = next(layer for layer in chart.layers if isinstance(layer, Line))
    middle = 40
    assert area.high[middle] - line.y[middle] == pytest.approx(band_of(40), abs=1e-6)
    assert line.y[middle] - area.low[middle] == pytest.approx(band_of(40), abs=1e-6)
    assert (min(area.low), max(area.high)) == (0, 1)


def test_runs_and_tuning_of_a_space_are_drawn_as_one() -> None:
    table = space_table(networks=10)
    rows = rows_of(table)
    charts = {chart.name: chart for chart in claim_charts(rows, judge(table).to_json())}
    assert [row[0] for row in charts["test_error"].rows] == ["more groups"] * 10 + ["one group"] * 10
    tuning = tuning_chart(rows)
    assert tuning is not None
    assert [layer.name for layer in tuning.layers if isinstance(layer, Line)] == ["more groups", "one group"]
    assert "One fit over all of them" in tuning.caption


def test_arms_have_no_distributions() -> None:
    table = spend_table()
    assert list(population_charts(rows_of(table), judge(table).to_json())) == []
