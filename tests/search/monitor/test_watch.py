"""What `status --watch` shows of a study that runs."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.results.journal.folder import locked
from resnext_search.search.monitor import watch as watching
from resnext_search.search.monitor.status import read_status
from resnext_search.search.monitor.watch import drawn, line, watch
from rich.console import Console

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, epoch_row, new_folder, point, started


def busy_folder(path: Path) -> tuple[StudyFolder, Journal]:
    """A study with a claim: one trial completed, two failed, one running."""
    folder, journal = new_folder(path, tiny_study(TINY_CLAIM))
    completed(journal, point(0), 12.5)
    journal.fail(started(journal, point(1)), "TrainingDiverged", "the loss is nan")
    journal.fail(started(journal, point(2)), "TrainingDiverged", "the loss is nan")
    number = started(journal, point(4, 0.2))
    journal.record_epoch(number, epoch_row(1, 70.0), device="cpu", host="here", final=False)
    return folder, journal


def text(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_a_running_study_is_drawn_within_the_width(tmp_path: Path, width: int) -> None:
    folder, journal = busy_folder(tmp_path)
    console = Console(file=io.StringIO(), width=width, height=40)
    with journal, locked(folder.lock):
        console.print(drawn(read_status(folder, journal), console))
    lines = text(console).splitlines()
    assert max(map(len, lines)) <= width
    words = [" ".join(line.split()) for line in lines]
    assert words[:4] == [
        "tiny: running",
        "tune 0 of 52",
        "search 3 (2 failed) of 4",
        "confirm 0 of 34",
    ]
    assert words[4].startswith("budget 87 of 90 trials left, ")
    assert words[5].startswith("time left about ")
    assert words[6] == "best so far trial 0000 1x6d-8, validation error 12.50 %"
    assert words[7] == "failures 2 TrainingDiverged (last: trial 0002)"
    assert words[-1].startswith("trial 0003 2x4d-8 (1-1) lr=0.2 1/2 ▁ 70.00 ")


def test_an_empty_study_is_drawn_too(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    console = Console(file=io.StringIO(), width=80)
    with journal, locked(folder.lock):
        console.print(drawn(read_status(folder, journal), console))
    assert "time left    not known yet" in text(console)
    assert "best so far  nothing yet" in text(console)
    assert "no trial is running" in text(console)


def test_a_limit_of_the_time_is_part_of_the_budget(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study("limits={time: 2h}"))
    console = Console(file=io.StringIO(), width=120)
    with journal, locked(folder.lock):
        console.print(drawn(read_status(folder, journal), console))
    assert "4 of 4 trials left, 100% of 2.69e+08 training FLOPs, 2 h 0 min of 2 h 0 min" in text(console)


def test_a_running_study_in_one_line(tmp_path: Path) -> None:
    folder, journal = busy_folder(tmp_path)
    with journal, locked(folder.lock):
        said = line(read_status(folder, journal))
    assert said.startswith("[3/90] about ")
    assert said.endswith(
        " left; best validation error 12.50 % (trial 0000); failed: 2 TrainingDiverged (last: trial 0002)"
    )


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("colour", [True, False])
def test_it_follows_the_run_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool, colour: bool
) -> None:
    """On a terminal the picture goes, and the state stays; elsewhere a trial that ended is one more line."""
    monkeypatch.setattr(watching, "SECONDS_BETWEEN_LOOKS", 0.01)
    folder, journal = busy_folder(tmp_path)
    console = Console(
        file=io.StringIO(), width=80, force_terminal=terminal, color_system="standard", no_color=not colour
    )
    watcher = threading.Thread(target=watch, args=(folder, console))
    with journal:
        with locked(folder.lock):
            watcher.start()
            while "trial 0003" not in text(console):
                time.sleep(0.01)
            journal.record_epoch(3, epoch_row(2, 5.0), device="cpu", host="here", final=True)
            while "5.00 %" not in text(console):
                time.sleep(0.01)
        watcher.join(30)
    written = text(console)
    assert ("\x1b[31m" in written) == (terminal and colour)  # failures in red
    assert ("\x1b[2K" in written) == terminal
    if not terminal:
        assert written.count("[4/90]") == 1
        assert "\x1b" not in written
    assert "tiny: not running; trials: 2 completed, 2 failed, of 90\n" in written
    assert written.endswith(f"Continue with: resnext-search resume {tmp_path}\n")
