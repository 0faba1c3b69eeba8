"""Ours to the user, everything else to the log: also what C code and child processes write."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import logging, os, sys, warnings
from pathlib import Path
from resnext_search.search.execution.context import words_apart

print("before", flush=True)
try:
    with words_apart(Path(sys.argv[1])) as console:
        print("of a library")
        print("of its errors", file=sys.stderr)
        os.write(1, b"of C code\\n")
        os.system("echo of a child process")
        logging.getLogger("ray").warning("of a logger")
        warnings.warn("of a warning")
        console.print("[3/4] trial 0002 2x4d-8 (1-1) http://[::1]:8265 " + "x" * 200, markup=False)
        raise KeyError("in the block")
except KeyError as error:
    print("after", error)
print("after errors", file=sys.stderr)
logging.getLogger("ray").warning("after logger")
"""


def test_words_go_where_they_belong_and_back_after_an_error(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("of an earlier sitting\n")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(log)], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout.splitlines() == [
        "before",
        "[3/4] trial 0002 2x4d-8 (1-1) http://[::1]:8265 " + "x" * 200,  # not a terminal: one line stays one line
        "after 'in the block'",
    ]
    assert done.stderr.splitlines() == ["after errors", "after logger"]
    written = log.read_text()
    assert written.startswith("of an earlier sitting\n")
    for words in (
        "of a library",
        "of its errors",
        "of C code",
        "of a child process",
        "WARNING ray: of a logger",
        "UserWarning: of a warning",
    ):
        assert words in written
    assert "trial 0002" not in written
