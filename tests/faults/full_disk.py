"""A study on a disk that fills up while it runs, and is emptied again: `python -m tests.faults.full_disk COPY`.

To be run in a mount namespace of its own (`unshare -rm`), where it may mount a small disk. Leaves the folder in COPY as
it was when the run ended, and after the same command was given again; prints both outcomes as JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from resnext_search.results import Journal
from resnext_search.spaces.errors import ResnextSearchError

from tests.support.helpers import TINY_STUDY, command

ARGUMENTS = [
    "run",
    "study.yaml",
    "--no-calibrate",
    "search.trials=6",
    "trainer.epochs=4",
    "search.parallel=1",
    "--out",
    "disk/study",
]


def completed(journal: Path) -> int:
    """How many trials have been completed; 0 before there is a journal."""
    try:
        with Journal(journal, read_only=True) as opened:
            return len(opened.trials(states=["completed"]))
    except ResnextSearchError:
        return 0


def fill(path: Path) -> None:
    """Write until not a byte more fits."""
    with path.open("wb", buffering=0) as file:
        for size in (65_536, 4_096, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError:
                continue


def outcome(driver: subprocess.Popen[str]) -> dict[str, object]:
    """How it ended, and what it said."""
    said, complaint = driver.communicate(timeout=240)
    return {"code": driver.returncode, "said": said, "complaint": complaint}


def start() -> subprocess.Popen[str]:
    """The command, in the current folder."""
    return subprocess.Popen(command(*ARGUMENTS), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def main(copy: Path) -> None:
    """Fill the disk when two trials have been completed, wait for the end, make room, and go on."""
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        Path("study.yaml").write_text(TINY_STUDY)
        Path("disk").mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", "disk"], check=True)
        outcomes = []
        try:
            driver = start()
            while completed(Path("disk/study/journal.sqlite")) < 2 and driver.poll() is None:
                time.sleep(0.01)
            fill(Path("disk/ballast"))
            outcomes.append(outcome(driver))
            shutil.copytree("disk/study", copy / "full")
            Path("disk/ballast").unlink()
            outcomes.append(outcome(start()))
            shutil.copytree("disk/study", copy / "continued")
        finally:
            os.chdir(copy)
            subprocess.run(["umount", f"{work}/disk"], check=True)
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
