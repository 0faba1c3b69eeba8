"""What a user sees of a running study."""

from __future__ import annotations

import io
import re

import pytest
from resnext_search.search.monitor.terminal import Progress
from resnext_search.spaces import Architecture, Configuration
from resnext_search.spaces.study.configuration import describe
from rich.console import Console

POINT = Configuration(
    Architecture(2, (4, 8), (1, 2)), (("learning_rate", 0.05477), ("batch_size", 64.0), ("momentum", 0.9))
)


def lines(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


@pytest.fixture
def console() -> Console:
    """Not a terminal, as in a log of CI."""
    return Console(file=io.StringIO(), width=300)


def test_a_trial_is_named_by_its_number_architecture_blocks_and_knobs() -> None:
    assert describe(7, POINT) == "trial 0007 2x4d-11 (1-2) lr=0.0548 batch=64 momentum=0.9"
    assert describe(12_345, Configuration(Architecture(1, (64,), (3,)))) == "trial 12345 1x64d-11 (3)"


def drawn(progress: Progress) -> list[str]:
    """What the table that redraws itself shows now, line by line."""
    console = Console(file=io.StringIO(), width=progress.console.width)
    console.print(progress._draw())
    return [line.rstrip() for line in lines(console)]


def test_where_there_is_no_terminal_every_event_is_a_line(console: Console) -> None:
    with Progress(console, total=4, epochs=2, done=1, best=11.0) as progress:
        progress.say("Ray dashboard: http://[::1]:8265")
        progress.started(1, POINT)
        progress.started(2, POINT)
        progress.epoch(1, 1, 80.0, 2.0)
        progress.completed(1, 12.345)
        progress.failed(2, "TrainingDiverged", "Traceback [1]\n  ...\nthe loss is [nan]\n")
        progress.started(3, POINT)
        progress.completed(3, 9.0)
    said = [re.sub(r"about .* left", "about so long left", line) for line in lines(console)]
    name = "2x4d-11 (1-2) lr=0.0548 batch=64 momentum=0.9"
    assert said == [
        "Ray dashboard: http://[::1]:8265",
        f"[2/4] trial 0001 {name}  validation error 12.35 %  best 11.00 %  about so long left",
        f"[3/4] trial 0002 {name}  failed (TrainingDiverged): the loss is [nan]",
        f"[4/4] trial 0003 {name}  validation error 9.00 %  best 9.00 %",
    ]


def test_a_trial_that_is_stopped_has_ended_and_is_not_the_best(console: Console) -> None:
    with Progress(console, total=3, epochs=9, done=1, best=11.0) as progress:
        progress.started(1, POINT)
        progress.stopped(1, 3, 8.0)
        assert progress.best == 11.0
    name = "2x4d-11 (1-2) lr=0.0548 batch=64 momentum=0.9"
    assert lines(console)[0].startswith(f"[2/3] trial 0001 {name}  stopped after epoch 3 at 8.00 %  about ")
    assert drawn(progress)[0].startswith("2 of 3 trials, best validation error 11.00 %, 1 stopped, about ")


def test_the_first_result_is_the_best_so_far(console: Console) -> None:
    progress = Progress(console, total=2, epochs=1)
    progress.started(0, POINT)
    progress.completed(0, 50.0)
    assert "validation error 50.00 %  best 50.00 %" in lines(console)[0]


def test_a_failure_without_words_and_of_an_unknown_trial_is_a_line_too(console: Console) -> None:
    Progress(console, total=9, epochs=1).failed(8, "WorkerLost", " ")
    assert lines(console) == ["[1/9] trial 0008  failed (WorkerLost): "]


def test_epochs_of_a_trial_that_does_not_run_are_ignored(console: Console) -> None:
    progress = Progress(console, total=9, epochs=1)
    progress.epoch(5, 1, 10.0, 2.0)
    assert lines(console) == []


def test_on_a_terminal_a_table_shows_the_running_trials() -> None:
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    with Progress(console, total=4, epochs=12) as progress:
        progress.started(1, POINT)
        progress.epoch(1, 3, 81.5, 2.0)
        progress.started(2, POINT)
        progress.completed(2, 12.0)
        progress.failed(3, "ValueError", "no")
        assert progress._live is not None
        progress._live.refresh()
        caption, header, *rows = drawn(progress)
    assert caption.startswith("2 of 4 trials, best validation error 12.00 %, 1 failed, about ")
    assert header.split() == ["trial", "epoch", "curve", "error", "%", "time"]
    assert len(rows) == 1
    seen = "\n".join(lines(console))
    assert "trial 0001 2x4d-11 (1-2) lr=0.0548" in seen
    assert "3/12" in seen
    assert "81.50" in seen
    assert "▁" in seen  # its curve, of one epoch
    assert "[2/4] trial 0003  failed (ValueError): no" in seen
    assert "validation error 12.00 %  best" not in seen  # the table says it; only failures stay above it


def test_a_notice_stands_below_the_table_and_of_a_phase_that_has_ended_its_count_stays() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=True, color_system=None)
    said = ""
    with Progress(console, total=2, epochs=2, notice=lambda: said) as progress:
        progress.started(0, POINT)
        progress.started(1, POINT)
        progress.completed(0, 12.0)
        said = "Interrupting the trials."
        caption, *_, last = drawn(progress)
    assert re.fullmatch(r"1 of 2 trials, best validation error 12\.00 %, about .* left", caption)  # one line of 80
    assert last == "Interrupting the trials."
    assert drawn(progress) == [caption, last]
