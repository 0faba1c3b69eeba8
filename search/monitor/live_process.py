"""How does a run show its live page? It starts a process for it, and says where it is; what happens there is no matter.

See `live.py` for the other end.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from resnext_search.results.journal.folder import StudyFolder

# How long the page may take to say goodbye to open browsers.
PATIENCE_SECONDS = 15


class Served:
    """The page of this run, or none."""

    def __init__(self, process: subprocess.Popen[str] | None = None) -> None:
        self._process = process

    def show_dashboard(self, url: str | None) -> None:
        """Put the address of the Ray dashboard on the page, if there is one."""
        if url and self._process is not None and self._process.stdin is not None:
            with suppress(OSError):
                self._process.stdin.write(f"{url}\n")
                self._process.stdin.flush()


@contextmanager
def served(folder: StudyFolder, port: int | None, say: Callable[[str], None]) -> Iterator[Served]:
    """Serve the live page of a folder for the time of the block.

    Args:
        folder: Of the study; its journal is there.
        port: Of the loopback, 0 for any that is free; None for no page.
        say: Is told the address, or why there is none.
    """
    if port is None:
        yield Served()
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "resnext_search.search.monitor.live_page", str(folder.path.resolve()), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for the run, which then ends the page
    )
    speaker = threading.Thread(target=_say_where, args=(process, folder, port, say), daemon=True)
    speaker.start()
    try:
        yield Served(process)
    finally:
        with suppress(OSError):
            if process.stdin is not None:
                process.stdin.close()
        speaker.join(PATIENCE_SECONDS)
        if process.stdout is not None:
            process.stdout.close()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _say_where(process: subprocess.Popen[str], folder: StudyFolder, port: int, say: Callable[[str], None]) -> None:
    assert process.stdout is not None
    try:
        said = json.loads(process.stdout.readline())
    except ValueError:
        said = {"error": f"its process ended; {folder.log} may say why"}
    if "url" in said:
        say(f"Live page: {said['url']} (on this machine alone)")
    else:
        say(
            f"Live page: none on port {port}: {said['error']}. The study goes on without it. "
            f"For one beside it: resnext-search report {folder.path} --serve"
        )
