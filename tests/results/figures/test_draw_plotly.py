"""Charts as plotly.js takes them: what plotly itself holds to be a figure, with everything in it escaped."""

from __future__ import annotations

import json

import plotly.graph_objects as go
import pytest
from resnext_search.results.figures.chart import Area, Axis, Bars, Chart, Intervals, Layer, Line, Points, Span
from resnext_search.results.figures.draw_plotly import plotly_figure

LAYERS: list[Layer] = [
    Points([1.0, 2.0], [3.0, 4.0], "dots", hover=["<b>one</b>\ntwo", "three"], trials=[7, 8]),
    Points([1.0], [3.0], symbol="circle-open"),
    Points([1.0, 2.0], [3.0, 4.0], values=[1.0, 100.0], unit="%", sizes=[3.0, 9.0]),
    Line([1.0, 2.0], [3.0, 4.0], "a < b", steps=True, dashed=True),
    Line([1.0, 2.0], [3.0, 4.0], marks=True),
    Intervals([1.0, 2.0], [0.0, 1.0], [2.0, 3.0], "y"),
    Area([1.0, 2.0], [0.0, 1.0], [2.0, 3.0], "between"),
    Span(-1.0, 1.0, "margin"),
    Bars([0.0, 1.0], [0.0, 1.0], [2.0, 4.0], "bars"),
]


def chart(*layers: Layer, x: Axis | None = None, y: Axis | None = None) -> Chart:
    return Chart("one", "title", "words", "caption", x or Axis("x"), y or Axis("y"), layers, (), ())


def with_ground(figure: dict[str, object]) -> str:
    """Colours of the ground are names that the page replaces."""
    return json.dumps(figure).replace('"@ground"', '"#fff"').replace('"@faint"', '"#888"').replace('"@band"', '"#eee"')


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: type(layer).__name__)
def test_plotly_takes_every_layer(layer: Layer) -> None:
    figure = json.loads(with_ground(plotly_figure(chart(layer, x=Axis("x", log=True)))).replace('"@rule"', '"#ddd"'))
    go.Figure(figure["data"], figure["layout"])  # raises on what it does not know


def test_an_interval_is_a_piece_of_a_broken_line() -> None:
    [trace] = plotly_figure(chart(LAYERS[5]))["data"]
    assert (trace["x"], trace["y"]) == ([1.0, 1.0, None, 2.0, 2.0, None], [0.0, 2.0, None, 1.0, 3.0, None])


def test_values_are_coloured_by_their_logarithms_and_labelled_by_themselves() -> None:
    [trace] = plotly_figure(chart(LAYERS[2]))["data"]
    bar = trace["marker"]["colorbar"]
    assert trace["marker"]["color"] == [0.0, 2.0]
    assert dict(zip(bar["ticktext"], bar["tickvals"], strict=True))["10"] == 1.0


def test_marks_know_their_trials_and_bars_their_starts() -> None:
    points, bars = plotly_figure(chart(LAYERS[0], LAYERS[8]))["data"]
    assert points["customdata"] == [7, 8]
    assert (bars["base"], bars["x"]) == ([0.0, 1.0], [2.0, 3.0])


def test_text_is_escaped_and_lines_are_kept() -> None:
    figure = plotly_figure(chart(LAYERS[0], LAYERS[3], y=Axis("<y>", ticks=[(0, "<i>\nb")], down=True)))
    assert figure["data"][0]["hovertext"][0] == "&lt;b&gt;one&lt;/b&gt;<br>two"
    assert figure["data"][1]["name"] == "a &lt; b"
    axis = figure["layout"]["yaxis"]
    assert (axis["title"]["text"], axis["ticktext"], axis["range"]) == ("&lt;y&gt;", ["&lt;i&gt;<br>b"], [0.6, -0.6])


def test_a_legend_of_one_is_left_out() -> None:
    assert not plotly_figure(chart(LAYERS[0], LAYERS[1]))["layout"]["showlegend"]
    assert plotly_figure(chart(LAYERS[0], LAYERS[3]))["layout"]["showlegend"]
