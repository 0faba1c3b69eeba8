"""What does the live page show, and when is it new? The report of a study, renewed from its journal while it runs.

A process of its own beside the run: it reads the journal by its own connections and shares nothing with the trials but
the processor, of which it takes a tenth of a core, and nothing while nobody looks. `served` starts it as `python -m
resnext_search.search.monitor.live_page DIR PORT`, tells it the address of the dashboard, and closes the pipe to end it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, Trial
from resnext_search.results.report.facts import Facts, read_facts, read_results
from resnext_search.results.report.page import page, parts
from resnext_search.results.search_summary import SearchSummary
from resnext_search.search.monitor.live_server import Board, PageServer
from resnext_search.search.monitor.status import idle_seconds, read_status
from resnext_search.search.monitor.summary import summarize_search
from resnext_search.search.surrogate.seen_trials import seen_trials
from resnext_search.spaces.errors import typed
from resnext_search.spaces.study.configuration import describe

SECONDS_BETWEEN_LOOKS = 0.25
# News are sent at least so often while somebody looks: clocks go on even if no epoch ends.
SECONDS_BETWEEN_NEWS = 5.0
MOST_OF_A_CORE = 0.1
# Trials that are listed as having ended last.
ENDED_SHOWN = 12
# After the run has ended, an open page has this time to fetch its last state.
FAREWELL_SECONDS = 5.0
# Whoever has the last state has fetched all of it in this time.
QUIET_SECONDS = 0.5
# In which its process must have said goodbye.
GOODBYE_SECONDS = 15


class LivePage:
    """The page of one study folder, with the threads that renew it.

    Raises:
        OSError: The port is taken, or may not be used.
        UsageError: There is no journal.
    """

    def __init__(self, folder: StudyFolder, port: int) -> None:
        self.folder, self.board = folder, Board()
        self.dashboard: str | None = None
        Journal(folder.journal, read_only=True).close()  # complain here, if there is anything to complain of
        self.server = PageServer(port, self.board, self._page)
        self._search: SearchSummary | None = None
        self._drawn = 0
        self._rendering = threading.Lock()
        self._ended = threading.Event()  # of the run
        self._workers = [threading.Thread(target=work, daemon=True) for work in (self._tell, self._redraw)]

    def start(self) -> None:
        """Answer requests, and follow the journal."""
        for thread in (threading.Thread(target=self.server.serve_forever, daemon=True), *self._workers):
            thread.start()

    def close(self) -> None:
        """The run has ended: hand its last state to the pages that are open, and answer no more."""
        self._ended.set()
        if self.board.is_wanted():
            patience = time.monotonic() + FAREWELL_SECONDS
            for worker in self._workers:  # they have the last word of the trials; after it nobody has to ask again
                worker.join(max(0.0, patience - time.monotonic()))
            self.board.put_last()
            while time.monotonic() < patience and not self.board.is_left(QUIET_SECONDS):
                time.sleep(0.05)
        self.server.shutdown()
        self.server.server_close()

    def _page(self) -> bytes:
        with self._rendering, Journal(self.folder.journal, read_only=True) as journal:
            return page(self._facts_of_page(journal), live=True).encode()

    def _facts_of_page(self, journal: Journal) -> Facts:
        return read_facts(self.folder, journal, read_results(journal), self._known(journal))

    def _known(self, journal: Journal) -> SearchSummary:
        """What the search knows; its model, which takes seconds to ask, as it was when it was last asked."""
        now = summarize_search(self.folder, journal, model=False)
        if self._search is not None:
            known = self._search
            now = replace(now, incumbent=known.incumbent, effects=known.effects, surface=known.surface)
        return replace(now, live=now.live and not self._ended.is_set())

    def _tell(self) -> None:
        """Send the facts of `status` whenever the journal has something new."""
        seen, sent = -1, 0.0
        with Journal(self.folder.journal, read_only=True) as journal:
            while True:
                last = self._ended.is_set()
                version, now = journal.data_version(), time.monotonic()
                is_due = version != seen or now - sent >= SECONDS_BETWEEN_NEWS
                if (last or is_due) and self.board.is_wanted():
                    seen, sent = version, now
                    self.board.put_facts(self._facts(journal, last))
                if last:
                    return
                cost = time.monotonic() - now
                self._ended.wait(max(SECONDS_BETWEEN_LOOKS, cost * 3))

    def _facts(self, journal: Journal, last: bool) -> dict[str, Any]:
        facts = read_status(self.folder, journal)
        ended = sorted(journal.trials(states=ENDED), key=lambda trial: trial.ended_at or 0.0)[-ENDED_SHOWN:]
        return {
            "live": facts["live"] and not last,
            "budget": facts["budget"]["trials"],
            "remaining": facts["remaining"],
            "running": facts["running"],
            "ended": [_ended_trial(trial) for trial in reversed(ended)],
            "dashboard": self.dashboard,
        }

    def _redraw(self) -> None:
        """Renew the parts of the page whenever the journal has something new; the model's when it has another trial."""
        drawn = known = -1
        with Journal(self.folder.journal, read_only=True) as journal:
            while not self._ended.is_set():
                version = journal.data_version()
                if self.board.is_wanted() and version != drawn:
                    drawn = version
                    self._draw(journal)
                    told = len(seen_trials(journal, ENDED))
                    if told != known:
                        known = told
                        self._ask_model(journal)
                        self._draw(journal)
                self._ended.wait(SECONDS_BETWEEN_LOOKS)
            if self.board.is_wanted():
                self._draw(journal)

    def _draw(self, journal: Journal) -> None:
        begin = time.thread_time()
        is_first = self._drawn == 0
        try:
            with self._rendering:
                self.board.put_parts(parts(self._facts_of_page(journal)))
        except Exception:  # into log.txt; the next trial may be drawn again
            traceback.print_exc()
        self._drawn += 1
        if not is_first:  # then much was imported, and somebody waits
            self._pause(begin)

    def _ask_model(self, journal: Journal) -> None:
        begin = time.thread_time()
        self._search = summarize_search(self.folder, journal)
        self._pause(begin)

    def _pause(self, begin: float) -> None:
        """Leave the processor to the trials for nine times as long as it was used; not once the run has ended."""
        self._ended.wait(idle_seconds(time.thread_time() - begin, MOST_OF_A_CORE))


def _ended_trial(trial: Trial) -> dict[str, Any]:
    error = trial.test_error if trial.validation_error is None else trial.validation_error
    return {
        "trial": trial.trial_id,
        "phase": trial.phase,
        "name": describe(trial.trial_id, trial.configuration),
        "state": trial.state,
        "error": error,
        "what": "test error" if trial.validation_error is None else "validation error",
        "failure": trial.failure_class,
        "ended_at": trial.ended_at,
    }


def serve(folder: StudyFolder, port: int, say: Callable[[str], None]) -> None:
    """Serve the page until the caller is interrupted.

    Raises:
        OSError: The port is taken, or may not be used.
        UsageError: There is no journal.
        KeyboardInterrupt: That is how it ends.
    """
    page = LivePage(folder, port)
    page.start()
    say(page.server.url)
    try:
        threading.Event().wait()
    finally:
        page.server.shutdown()


def main() -> None:
    """Serve the page of a run that is the parent of this process; `served` is the other end of the pipes."""
    try:
        page = LivePage(StudyFolder(Path(sys.argv[1])), int(sys.argv[2]))
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
        return
    page.start()
    print(json.dumps({"url": page.server.url}), flush=True)
    for line in sys.stdin:
        page.dashboard = line.strip() or None
    page.close()


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

    The port is one of the loopback, 0 for any that is free; None for no page. `say` is told the address, or why there
    is none.
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
        speaker.join(GOODBYE_SECONDS)
        if process.stdout is not None:
            process.stdout.close()
        try:
            process.wait(GOODBYE_SECONDS)
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
            f"For one beside it: resnext-search report {typed(folder.path)} --serve"
        )


if __name__ == "__main__":
    main()
