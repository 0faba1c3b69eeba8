"""What did the search find, as pictures: the front, the surface of equal FLOPs, effects along it, the best so far."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from resnext_search.results.figures.chart import COLOURS, FAINT, Area, Axis, Chart, Layer, Line, Points, Row, wide
from resnext_search.results.statistics.pareto import best_of_start
from resnext_search.spaces.search_space.methods import METHODS, START
from resnext_search.spaces.search_space.objectives import OBJECTIVES

# Labels of what may be minimised.
LABELS = {name: facts.label for name, facts in OBJECTIVES.items()}

# More numbers below an axis would run into each other.
MOST_TICKS = 16


def front_chart(trials: Sequence[Row], front: Sequence[Row], objectives: Sequence[str]) -> Chart | None:
    """Validation error against the second objective, or against activations where error alone is minimised.

    None before a trial of the search has completed with both.
    """
    cost = objectives[1] if len(objectives) > 1 else "activations"
    shown = [row for row in completed(trials) if row[cost] is not None]
    if not shown:
        return None
    best = [row for row in front if row[cost] is not None]
    ordered = sorted(best, key=lambda row: (row[cost], row["validation_error"]))
    best_name = "not beaten in all objectives" if len(objectives) > 1 else "the lowest error"
    marks = _marks([row[cost] for row in ordered], ordered, best_name, COLOURS[0], 10)
    layers: list[Layer] = [_marks([row[cost] for row in shown], shown, "trials of the search", FAINT, 7.0)]
    layers += [Line(marks.x, marks.y, steps=True), marks] if len(objectives) == 2 else [marks]
    ends = [f"{row['architecture']} with {row['validation_error']:.2f} % at {row[cost]:,}" for row in ordered]
    named = ends if len(ends) < 4 else [ends[0], f"{len(ends) - 2} more", ends[-1]]
    columns = ("trial", "architecture", "blocks", "learning_rate", cost, "validation_error", "test_error")
    return Chart(
        "front",
        "The Pareto front" if len(objectives) > 1 else "Error and activations",
        f"Validation error against {LABELS[cost]}, {len(shown)} completed trials. "
        f"{'On the front' if len(objectives) > 1 else 'Lowest'}: {'; '.join(named)}.",
        "Every mark is a trial of the search; single runs on the validation images, so a lead and not a finding.",
        Axis(LABELS[cost]),
        Axis(LABELS["validation_error"], log=wide(row["validation_error"] for row in shown)),
        layers,
        ("trial", "architecture", "blocks", "learning rate", LABELS[cost], "validation error, %", "test error, %"),
        [tuple(row[name] for name in columns) for row in best],
        lines=15,
    )


def _marks(x: Sequence[float], trials: Sequence[Row], name: str, colour: str, size: float) -> Points:
    """A mark for every trial, at its validation error."""
    errors, hover = [row["validation_error"] for row in trials], [_trial_words(row) for row in trials]
    return Points(x, errors, name, colour, sizes=size, hover=hover, trials=[row["trial"] for row in trials])


def _trial_words(row: Row) -> str:
    """A trial for people, over several lines."""
    lines = [
        f"trial {row['trial']:04d}: {row['architecture']}",
        f"C = {row['cardinality']}, d = {row['width']}, blocks {row['blocks']}, depth {row['depth']}",
        f"learning rate {row['learning_rate']:.3g}",
        f"validation error {row['validation_error']:.2f} %",
        f"{row['multiply_adds']:,} multiply-adds, {row['parameters']:,} parameters, {row['activations']:,} activations",
    ]
    if row.get("latency_ms") is not None:
        lines.append(f"latency {row['latency_ms']:.3g} ms")
    return "\n".join(lines)


def progress_chart(trials: Sequence[Row]) -> Chart | None:
    """The lowest error so far, beside what chance would have found with the trials of the start; None before any."""
    ended = completed(trials)
    if not ended:
        return None
    so_far = list(accumulate((row["validation_error"] for row in ended), min))
    numbers = list(range(1, len(ended) + 1))
    start = [row["validation_error"] for row in ended if row["proposed_by"] == START]
    chance = best_of_start(start)
    layers: list[Layer] = []
    if len(chance) > 1:
        drawn = [one.trials for one in chance]
        low, high = [one.low for one in chance], [one.high for one in chance]
        layers += [
            Area(drawn, low, high, "what chance finds, 95 % of draws", COLOURS[4]),
            Line(drawn, [one.expected for one in chance], "what chance finds, on average", COLOURS[4], dashed=True),
        ]
    for proposer, method in sorted(METHODS.items(), key=lambda row: row[1].learns):
        of = [(number, row) for number, row in zip(numbers, ended, strict=True) if row["proposed_by"] == proposer]
        if of:
            colour = FAINT if method.learns else COLOURS[4]
            layers.append(_marks([number for number, _ in of], [row for _, row in of], method.label, colour, 6))
    layers.append(Line(numbers, so_far, "lowest so far", steps=True))
    return Chart(
        "progress",
        "The best so far",
        f"Lowest validation error after every completed trial of the search: {so_far[0]:.2f} % after the first, "
        f"{so_far[-1]:.2f} % after {counted(len(ended), 'trial')}; the start of {len(start)} had reached "
        f"{f'{min(start):.2f} %' if start else 'nothing'}.",
        "Trials in the order of their proposals. The start covers the space evenly, so its trials say what a random "
        "search of the same space finds: the lowest of every n of them, as a mean and a range. Beyond the length of "
        "the start that is not known from one study, and no line is drawn. The lowest of many noisy errors flatters.",
        Axis("completed trials of the search"),
        Axis("validation error, %", log=wide(row["validation_error"] for row in ended)),
        layers,
        ("trial", "proposed by", "validation error, %", "lowest so far, %"),
        [
            (row["trial"], row["proposed_by"], row["validation_error"], low)
            for row, low in zip(ended, so_far, strict=True)
        ],
        lines=14,
    )


def completed(trials: Sequence[Row]) -> list[Row]:
    """The trials of the search that were trained to their end."""
    return [row for row in trials if row["phase"] == "search" and row["state"] == "completed"]


def counted(number: int, noun: str) -> str:
    """A number of things: `1 trial`, `2 trials`."""
    return f"{number} {noun}{'s' * (number != 1)}"
