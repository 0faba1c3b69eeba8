"""Learning curves and running trials in a terminal."""

from __future__ import annotations

import io
import math

import pytest
from resnext_search.search.monitor.terminal import BARS_ASCII, RunningTrial, running_table, sparkline
from resnext_search.spaces.study.units import duration
from rich.console import Console


def shown(trials: list[RunningTrial], *, width: int, height: int = 50, encoding: str = "utf-8") -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(file=file, width=width, height=height)
    console.print(running_table(trials, console))
    file.seek(0)
    return file.read().splitlines()


def trial(number: int, *curve: float, name: str = "8x3d-17 (1-1-3) lr=0.0306") -> RunningTrial:
    return RunningTrial(f"trial {number:04d} {name}", len(curve), 8, 12.4, curve, curve[-1] if curve else None)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.4, "0 s"),
        (99.4, "99 s"),
        (99.6, "1 min 40 s"),
        (5_999, "99 min 59 s"),
        (6_000, "1 h 40 min"),
        (90_061, "25 h 1 min"),
    ],
)
def test_a_time_is_said_in_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_curves_that_are_drawn_together_have_one_scale() -> None:
    assert sparkline([80.0, 10.0], among=[1.0, 80.0]) == "█▅"
    assert sparkline([10.0, 1.0], among=[1.0, 80.0]) == "▅▁"


def test_a_long_curve_is_drawn_by_the_last_epoch_of_every_part() -> None:
    """Of 32 epochs every second one; the last bar is the last epoch."""
    curve = [100.0] * 31 + [1.0]
    assert sparkline(curve) == "█" * 15 + "▁"
    assert sparkline(curve[:-1]) == "▁" * 16


def test_zero_and_what_is_no_number_are_drawn_as_the_lowest() -> None:
    assert sparkline([8.0, 1.0, 0.0, math.nan, math.inf]) == "█▁▁▁▁"


def test_a_terminal_of_80_columns_holds_a_trial_in_a_line() -> None:
    lines = shown([trial(0), trial(1, 80.0, 40.0, 20.0, 10.0)], width=80)
    assert [line.split() for line in lines] == [
        ["trial", "epoch", "curve", "error", "%", "time"],
        ["trial", "0000", "8x3d-17", "(1-1-3)", "lr=0.0306", "0/8", "12", "s"],
        ["trial", "0001", "8x3d-17", "(1-1-3)", "lr=0.0306", "4/8", "█▆▃▁", "10.00", "12", "s"],
    ]


def test_a_long_name_is_cut_and_the_numbers_stay() -> None:
    long = trial(1, *[80.0] * 16, name="32x14d-101 (3-4-23-3) lr=0.0306 batch=128 wd=0.0005 momentum=0.9 smoothing=0.1")
    line = shown([long], width=80)[1]
    assert len(line) <= 80
    assert "…" in line
    assert line.endswith("80.00  12 s")


def test_trials_that_do_not_fit_on_the_screen_are_counted() -> None:
    lines = shown([trial(number) for number in range(100)], width=80, height=24)
    assert len(lines) == 12
    assert lines[-1].rstrip() == "and 90 more"


def test_a_long_name_is_cut_without_a_sign_that_the_terminal_has_not() -> None:
    line = shown([trial(1, 80.0, name="32x14d-101 " * 9)], width=60, encoding="ascii")[1]
    assert line.isascii()
    assert len(line) <= 60
    assert line.endswith("80.00  12 s")


def test_a_terminal_without_unicode_gets_other_bars() -> None:
    lines = shown([trial(1, 80.0, 10.0)], width=80, encoding="ascii")
    assert f" {BARS_ASCII[-1]}{BARS_ASCII[0]} " in lines[1]
