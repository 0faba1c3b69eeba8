"""How do the networks of two spaces err, as a picture? Their empirical distributions, each with its band."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from resnext_search.results.figures.chart import COLOURS, Area, Axis, Chart, Layer, Line, Row
from resnext_search.spaces.claim.populations import space_of


def population_charts(trials: Sequence[Row], verdict: Row) -> Iterator[Chart]:
    """The distributions of both spaces; nothing where the verdict is on arms.

    Args:
        trials: The rows of the trials table, or anyone's runs; an empty cell is None.
        verdict: `Verdict.to_json()` of the same runs.
    """
    found = verdict["distributions"]
    if found is None:
        return
    layers: list[Layer] = []
    table: list[tuple[str, str, float, float]] = []
    for colour, one in zip(COLOURS, (found["first"], found["second"]), strict=False):
        rows = [row for row in trials if _is_compared(row) and space_of(str(row["arm"])) == one["name"]]
        rows.sort(key=lambda row: float(row["test_error"]))
        errors, shares = [row["test_error"] for row in rows], [(place + 1) / len(rows) for place in range(len(rows))]
        # every step has a foot and a top, so that the band has the same steps
        x = [error for error in errors for _ in range(2)]
        y = [share for share in (0.0, *shares[:-1]) for _ in range(2)][1:] + shares[-1:]
        low, high = ([min(max(share + sign * one["band"], 0), 1) for share in y] for sign in (-1, 1))
        layers.append(Area(x, low, high, colour=colour))
        hover = [f"{row['arm']} {row.get('architecture') or ''}\ntest error {row['test_error']:.2f} %" for row in rows]
        layers.append(Line(x, y, one["name"], colour, hover=[text for text in hover for _ in range(2)]))
        table += [(one["name"], row["arm"], row["test_error"], at) for row, at in zip(rows, shares, strict=True)]
    medians = [f"{one['name']} {_median(one):.2f} %" for one in (found["first"], found["second"])]
    yield Chart(
        "distributions",
        "Test error of all networks of both spaces",
        f"Share of the networks against the test error that they do not exceed. Medians: {'; '.join(medians)}. The two "
        f"are at most {100 * found['distance']:.0f} % of the networks apart.",
        "Every network was drawn by chance and trained once, so that a line to the left and above is the better space. "
        "Each whole distribution lies in its band with 95 %.",
        Axis("test error, %"),
        Axis("share of the networks"),
        layers,
        ("space", "network", "test error, %", "share"),
        table,
        lines=16,
    )


def _is_compared(row: Row) -> bool:
    return row.get("phase", "confirm") == "confirm" and row["test_error"] is not None and row["arm"] is not None


def _median(of: Row) -> float:
    return next(float(one["error"]) for one in of["quantiles"] if one["share"] == 0.5)
