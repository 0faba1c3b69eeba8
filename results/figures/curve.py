"""What does each way of spending buy over several budgets, as a picture? Error against cost, a line for each way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from resnext_search.results.figures.chart import COLOURS, INK, Axis, Chart, Intervals, Layer, Line, Points, Row
from resnext_search.results.figures.claim import confirmed, run_points
from resnext_search.spaces.study.units import short_count

# Costs that are written at the axis differ by this factor at least.
APART = 4 / 3
_COSTS = {"multiply_adds": "multiply-adds", "parameters": "parameters"}


def curve_charts(trials: Sequence[Row], verdict: Row) -> Iterator[Chart]:
    """Test error against multiply-adds and against parameters; nothing where there is one budget.

    Args:
        trials: The rows of the trials table, or anyone's runs; an empty cell is None.
        verdict: `Verdict.to_json()` of the same runs.
    """
    if not verdict["budgets"]:
        return
    for quantity, words in _COSTS.items():
        arms = [arm for arm in verdict["arms"] if arm["test_error"] is not None and arm[quantity] is not None]
        if len(arms) > 1:
            yield _curve(trials, arms, quantity, words)


def _curve(trials: Sequence[Row], arms: Sequence[Row], quantity: str, words: str) -> Chart:
    layers: list[Layer] = []
    base = [arm for arm in arms if "@" not in arm["arm"]]
    ways = list(dict.fromkeys(arm["arm"].rpartition("@")[0] for arm in arms if "@" in arm["arm"]))
    for place, way in enumerate(ways):
        colour = COLOURS[place % len(COLOURS)]
        along = [arm for arm in arms if arm in base or arm["arm"].rpartition("@")[0] == way]
        along.sort(key=lambda arm: (arm[quantity], arm["arm"]))
        own = [arm for arm in along if arm not in base]
        layers += _runs(trials, own, quantity, colour)
        layers += _intervals(own, quantity, colour)
        hover = [_said(arm, words, quantity) for arm in along]
        x, y = [arm[quantity] for arm in along], [arm["test_error"] for arm in along]
        layers.append(Line(x, y, way, colour, marks=True, hover=hover))
    layers += [*_runs(trials, base, quantity, INK), *_intervals(base, quantity, INK)]
    for arm in base:
        said = [_said(arm, words, quantity)]
        layers.append(Points([arm[quantity]], [arm["test_error"]], "base", INK, "diamond", 8, hover=said))
    found = "; ".join(f"{arm['arm']} {arm['test_error']:.2f} % at {arm[quantity]:,}" for arm in arms)
    return Chart(
        f"error_by_{quantity}",
        f"What each way of spending buys, by {words}",
        f"Mean test error against {words}, one line for each way to spend, from the base. {found}.",
        "Every way starts from the base. Dots are runs on fresh seeds, bars 95 % intervals of the mean, which cover "
        "other seeds and, as far as they are known, other test images and another tuning.",
        Axis(words, log=True, ticks=_ticks([arm[quantity] for arm in arms])),
        Axis("test error, %"),
        layers,
        ("arm", words, "test error, %", "low", "high"),
        [(arm["arm"], arm[quantity], arm["test_error"], *(arm["interval"] or (None, None))) for arm in arms],
    )


def _ticks(costs: Sequence[float]) -> list[tuple[float, str]]:
    """Some of these costs, at least a third apart, with words such as 4.04M."""
    chosen: list[float] = []
    for cost in sorted(costs):
        if not chosen or cost > APART * chosen[-1]:
            chosen.append(cost)
    return [(cost, short_count(cost)) for cost in chosen]


def _runs(trials: Sequence[Row], arms: Sequence[Row], quantity: str, colour: str) -> list[Layer]:
    """Every run of some arms."""
    at = [(arm[quantity], row) for arm in arms for row in confirmed(trials, arm["arm"])]
    runs = [row for _, row in at]
    return (
        [run_points(runs, [cost for cost, _ in at], [row["test_error"] for row in runs], colour, 0.3, 5)] if at else []
    )


def _intervals(arms: Sequence[Row], quantity: str, colour: str) -> list[Layer]:
    known: list[tuple[Any, Any]] = [(arm[quantity], arm["interval"]) for arm in arms if arm["interval"]]
    known = [(place, ends) for place, ends in known if None not in ends]
    if not known:
        return []
    places, ends = zip(*known, strict=True)
    return [Intervals(places, [low for low, _ in ends], [high for _, high in ends], "y", colour)]


def _said(arm: Row, words: str, quantity: str) -> str:
    cost = f"{arm[quantity]:,} {words}"
    return f"{arm['arm']} {arm['architecture'] or ''}\n{cost}\nmean of {arm['runs']} runs: {arm['test_error']:.2f} %"
