"""The live page: of a journal that grows, and of a real run with a browser open."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.results.journal.folder import locked
from resnext_search.results.report.page import page as report_page
from resnext_search.search.monitor import live_page as live
from resnext_search.search.monitor.live_page import LivePage, served
from resnext_search.search.monitor.status import read_status

from tests.support.browser import browser, needs_browser
from tests.support.helpers import TINY_STUDY, running, wait_for
from tests.support.journals import completed, ended_folder, epoch_row, facts_of, new_folder, point, started
from tests.support.shell import Shell

SLOWEST_SECONDS = 2.0


def get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return bytes(answer.read())


@contextmanager
def page_of(folder: StudyFolder) -> Iterator[LivePage]:
    page = LivePage(folder, 0)
    page.start()
    try:
        yield page
    finally:
        page.close()


def news_until(page: LivePage, condition: str) -> dict[str, Any]:
    """News, again and again, until a condition holds for them."""
    version, until = 0, time.monotonic() + 30
    while time.monotonic() < until:
        content = get(f"{page.server.url}news.json?have={version}")
        if content:
            news: dict[str, Any] = json.loads(content)
            version = news["version"]
            if news.get("budget") and eval(condition, {"news": news}):
                return news
    raise AssertionError(f"never: {condition}")


def test_an_epoch_and_an_end_are_news(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal, locked(folder.lock), page_of(folder) as page:
        completed(journal, point(0), 12.5)
        number = started(journal, point(4, 0.2))
        journal.record_epoch(number, epoch_row(1, 70.0), device="cpu", host="here", final=False)
        news = news_until(page, "news['running']")
        assert news["live"] is True
        assert news["budget"] == {"used": 1, "of": 4}
        assert [(one["name"], one["curve"]) for one in news["running"]] == [("trial 0001 2x4d-8 (1-1) lr=0.2", [70.0])]
        journal.record_epoch(number, epoch_row(2, 5.0), device="cpu", host="here", final=True)
        news = news_until(page, "len(news['ended']) == 2")
    assert [(one["trial"], one["state"], one["error"]) for one in news["ended"]] == [
        (1, "completed", 5.0),
        (0, "completed", 12.5),
    ]


def test_the_parts_of_the_page_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_OF_A_CORE", 1.0)
    folder, journal = new_folder(tmp_path)
    with journal, locked(folder.lock), page_of(folder) as page:
        news_until(page, "news['parts'] > 0")
        assert "There is no trial yet" in json.loads(get(f"{page.server.url}parts.json"))["sections"]["front"]
        completed(journal, point(0), 12.5)
        until = time.monotonic() + 30
        while "12.5" not in json.loads(get(f"{page.server.url}parts.json"))["sections"]["front"]:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_the_page_asks_for_news_and_a_report_does_not(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with page_of(folder) as page:
        html = get(page.server.url).decode()
    with Journal(folder.journal, read_only=True) as journal:
        report = report_page(facts_of(folder, journal))
    for word in ("news.json", "connect-src &#39;self&#39;"):  # counted: a page is too long to be shown by a failure
        assert (html.count(word), report.count(word)) == (1, 0)


def test_while_nobody_looks_the_journal_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    monkeypatch.setattr(live, "read_status", lambda *given: (looks.append(1), read_status(*given))[1])
    monkeypatch.setattr(live, "parts", lambda *_: looks.append(1))
    with page_of(ended_folder(tmp_path)):
        time.sleep(4 * live.SECONDS_BETWEEN_LOOKS)
    assert looks == []


def test_there_is_no_page_of_a_folder_without_a_study(shell: Shell) -> None:
    code, error = shell.refused("report", "nowhere", "--serve")
    assert code == 2
    assert "no such journal" in error


def test_a_port_that_is_taken_is_said_with_its_cure(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    with taken_port() as port:
        code, error = shell.refused("report", "run", "--serve", str(port))
    assert code == 2
    assert f"port {port}: no page can be served there: Address already in use" in error
    assert "takes a port that is free" in error


@pytest.mark.parametrize("port", ["65536", "99999999"])
def test_a_number_that_is_no_port_is_bad_usage(shell: Shell, port: str) -> None:
    code, error = shell.refused("report", "run", "--serve", port)
    assert code == 2
    assert f"invalid value for '--serve': {port} is not in the range 0<=x<=65535" in error


@contextmanager
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def said_by(folder: StudyFolder, port: int) -> tuple[list[str], float]:
    """What a run says of its page, and how long the page takes to go when nobody looks."""
    said: list[str] = []
    with served(folder, port, said.append) as page:
        until = time.monotonic() + 30
        while not said and time.monotonic() < until:
            time.sleep(0.02)
        page.show_dashboard("http://127.0.0.1:8265")
        if "http" in said[0]:
            get(re.findall(r"http://\S+", said[0])[0])
        begin = time.monotonic()
    return said, time.monotonic() - begin


def test_a_run_says_where_its_page_is_or_why_there_is_none(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    said, _ = said_by(folder, 0)
    assert re.fullmatch(r"Live page: http://127\.0\.0\.1:\d+/[\w-]{16}/ \(on this machine alone\)", said[0])
    with taken_port() as port:
        said, _ = said_by(folder, port)
    assert said[0].startswith(f"Live page: none on port {port}: [Errno 98] Address already in use. The study goes on")
    assert said[0].endswith(f"resnext-search report {tmp_path} --serve")


def test_the_page_ends_with_its_run_however_that_ends(tmp_path: Path) -> None:
    """The pipe is closed with the process, also by kill -9."""
    folder = ended_folder(tmp_path)
    page = subprocess.Popen(
        [sys.executable, "-m", "resnext_search.search.monitor.live_page", str(folder.path), "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert page.stdin is not None
    assert page.stdout is not None
    assert "url" in json.loads(page.stdout.readline())
    page.stdin.close()
    assert page.wait(30) == 0
    page.stdout.close()


@needs_browser
def test_an_open_page_ends_with_a_word_and_asks_no_more(tmp_path: Path) -> None:
    """Two tabs of it: neither has asked once more and logged that nobody answers."""
    folder = ended_folder(tmp_path)
    live_page = LivePage(folder, 0)
    live_page.start()
    with browser() as page:
        page.get(live_page.server.url)
        page.switch_to.new_window("tab")
        page.get(live_page.server.url)
        until = time.monotonic() + 30
        while "of 4 trials have ended" not in page.find_element("id", "live-now").text:
            assert time.monotonic() < until
            time.sleep(0.05)
        live_page.close()
        time.sleep(1.0)
        for tab in page.window_handles:
            page.switch_to.window(tab)
            assert page.find_element("id", "live-connection").text.startswith(
                "The run has ended. This page stays as it"
            )
            assert page.find_element("id", "heading-live").text == "At the end"
            assert page.find_element("css selector", "#top .state").text == "completed"
            assert page.get_log("browser") == []


# When a trial is first seen in the list of those that ended last, by its number, in milliseconds since 1970.
WATCH = """
window.seen = {};
const look = () => {
  for (const row of document.querySelectorAll("tr[data-ended]")) window.seen[row.dataset.ended] ??= Date.now();
};
new MutationObserver(look).observe(document.getElementById("live"), { childList: true, subtree: true });
look();
"""


@pytest.mark.slow
@needs_browser
def test_a_trial_that_ends_is_seen_within_two_seconds_and_a_closed_browser_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY_STUDY)
    words = tmp_path / "words.txt"
    arguments = [
        "run",
        "tiny.yaml",
        "--out",
        "run",
        "search.trials=8",
        "trainer.epochs=4",
        "--serve",
        "--no-calibrate",
        "data.name=digits",
    ]
    with running(arguments, tmp_path) as driver:
        wait_for(lambda: "Live page: http" in words.read_text(), driver)
        with browser() as page:
            page.get(re.findall(r"Live page: (http://\S+)", words.read_text())[0])
            page.execute_script(WATCH)
            wait_for(lambda: len(page.execute_script("return window.seen")) >= 5, driver)
            seen = {int(number): moment / 1000 for number, moment in page.execute_script("return window.seen").items()}
            dashboard = page.find_element("id", "live-dashboard").text
            complaints = page.get_log("browser")
        wait_for(lambda: count_ended(tmp_path / "run") == 8, driver)  # with nobody looking
        assert driver.wait(60) == 0
    with Journal(StudyFolder(tmp_path / "run").journal, read_only=True) as journal:
        ended = {trial.trial_id: trial.ended_at for trial in journal.trials()}
    delays = [seen[number] - moment for number, moment in ended.items() if number in seen and moment is not None]
    assert len(delays) >= 5
    assert max(delays) < SLOWEST_SECONDS, f"median {statistics.median(delays):.2f} s"
    assert complaints == []
    assert "Ray dashboard. It asks for a token: run ray get-auth-token" in dashboard
    assert "resnext-search report" not in words.read_text()  # there was a page


def count_ended(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{folder / 'journal.sqlite'}?mode=ro", uri=True)) as journal:
        return int(journal.execute("SELECT COUNT(*) FROM trials WHERE ended_at IS NOT NULL").fetchone()[0])
