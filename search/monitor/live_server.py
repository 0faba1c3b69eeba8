"""Who may see the page of a running study? A web server on this machine's loopback, with three addresses to be read.

It knows nothing of studies: it hands out what others put there. Its addresses begin with a word that is drawn for every
server, so that other users of the machine do not know them. And a request is answered only if its Host header names
this machine's loopback, so that no web page can reach it under a name of its own (DNS rebinding).
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOSTS = ("127.0.0.1", "localhost", "[::1]")
# A request for news is held open for so long if there is none.
NEWS_SECONDS = 5.0
# Somebody looks, if they asked within this time.
WANTED_SECONDS = 10.0


class Board:
    """What is handed out: facts that are small and often new, and the parts of the page. Each has a version."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._facts: dict[str, Any] = {}
        self._parts = b"{}"
        self._version = self._parts_version = 0
        self._asked = -WANTED_SECONDS
        self._taken = (0, 0)

    def put_facts(self, facts: dict[str, Any]) -> None:
        """Replace the facts."""
        with self._changed:
            self._facts, self._version = facts, self._version + 1
            self._changed.notify_all()

    def put_last(self) -> None:
        """Say that the facts and parts that are there are the last, and that nobody needs to ask again."""
        with self._changed:
            self._facts, self._version = self._facts | {"over": True}, self._version + 1
            self._changed.notify_all()

    def put_parts(self, parts: dict[str, Any]) -> None:
        """Replace the parts of the page; with it the facts are new too, for they say which parts there are."""
        text = json.dumps(parts, separators=(",", ":")).encode()
        with self._changed:
            self._parts, self._parts_version = text, self._parts_version + 1
            self._version += 1
            self._changed.notify_all()

    def news(self, have: int) -> bytes | None:
        """Facts that are newer than those of a version; None if there are none for a while."""
        with self._changed:
            self._asked = time.monotonic()
            if not self._changed.wait_for(lambda: self._version > have, NEWS_SECONDS):
                return None
            self._asked = time.monotonic()
            self._taken = (self._version, self._taken[1])
            return json.dumps({**self._facts, "version": self._version, "parts": self._parts_version}).encode()

    def parts(self) -> bytes:
        """The parts of the page."""
        with self._changed:
            self._asked = time.monotonic()
            self._taken = (self._taken[0], self._parts_version)
            return self._parts

    def is_wanted(self) -> bool:
        """Whether somebody looks."""
        return time.monotonic() - self._asked < WANTED_SECONDS

    def is_left(self, quiet_seconds: float) -> bool:
        """Whether somebody has the newest of everything, and nobody has asked for anything so long."""
        is_taken = self._taken == (self._version, self._parts_version)
        return is_taken and time.monotonic() - self._asked >= quiet_seconds


class PageServer(ThreadingHTTPServer):
    """The server at a port of the loopback, 0 for any that is free; raises `OSError` if it may not be used."""

    daemon_threads = True

    def __init__(self, port: int, board: Board, page: Callable[[], bytes]) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.board, self.page = board, page
        self.root = f"/{secrets.token_urlsafe(12)}/"

    @property
    def url(self) -> str:
        """Where it answers; whoever knows this may read the page."""
        return f"http://127.0.0.1:{self.server_address[1]}{self.root}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that has gone is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "resnext-search", ""
    timeout = 30
    server: PageServer

    def do_GET(self) -> None:
        """Answer; anything but GET is refused by the base class."""
        host = self.headers.get("Host", "")
        asked = urlsplit(self.path)
        root = self.server.root
        name = asked.path.removeprefix(root) if asked.path.startswith(root) else None
        if host.rpartition(":")[0] not in HOSTS and host not in HOSTS:
            self._send(403, "text/plain", b"This page answers to 127.0.0.1 and localhost only.\n")
        elif name == "":
            self._send(200, "text/html; charset=utf-8", self.server.page())
        elif name == "news.json":
            have = parse_qs(asked.query).get("have", ["0"])[0]
            news = self.server.board.news(int(have) if have.isascii() and have.isdigit() and len(have) < 16 else 0)
            self._send(204 if news is None else 200, "application/json", news or b"")
        elif name == "parts.json":
            self._send(200, "application/json", self.server.board.parts())
        else:
            words = b"There is nothing here; the whole address is printed where the page is served.\n"
            self._send(404, "text/plain", words)

    def _send(self, code: int, kind: str, content: bytes) -> None:
        self.send_response(code)
        if code != 204:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are nobody's business."""
