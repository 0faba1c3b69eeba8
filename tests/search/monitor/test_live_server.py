"""Who gets what from the page's server."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator

import pytest
from resnext_search.search.monitor import live_server
from resnext_search.search.monitor.live_server import Board, PageServer


@pytest.fixture
def server() -> Iterator[PageServer]:
    server = PageServer(0, Board(), lambda: b"<p>the page</p>")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ask(
    server: PageServer, path: str, *, method: str = "GET", host: str | None = None, inside: bool = True
) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    connection.request(
        method, server.root + path[1:] if inside else path, headers={} if host is None else {"Host": host}
    )
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), content


def test_it_listens_on_the_loopback_alone(server: PageServer) -> None:
    host, port = server.server_address[:2]
    assert host == "127.0.0.1"
    assert server.url == f"http://127.0.0.1:{port}{server.root}"


def test_who_does_not_know_the_address_sees_nothing(server: PageServer) -> None:
    """Other users of the machine can reach the port, and guess no 16 letters."""
    assert len(server.root) == 18
    other = PageServer(0, Board(), lambda: b"")
    other.server_close()
    assert other.root != server.root
    for path in ("/", "//", "/x/../", "/news.json", "//parts.json", server.root[:-1], f"/x{server.root}"):
        status, _, content = ask(server, path, inside=False)
        assert (status, b"page</p>" in content) == (404, False), path


def test_there_are_three_addresses(server: PageServer) -> None:
    server.board.put_facts({"live": True})
    server.board.put_parts({"sections": {}})
    assert ask(server, "/")[::2] == (200, b"<p>the page</p>")
    assert json.loads(ask(server, "/news.json?have=0")[2]) == {"live": True, "version": 2, "parts": 1}
    assert ask(server, "/parts.json")[::2] == (200, b'{"sections":{}}')
    for other in ("/journal.sqlite", "/../../etc/passwd", "/index.html", "/%2e%2e/"):
        assert ask(server, other)[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example:80", "", "localhost.:1:2"])
def test_a_page_under_another_name_is_refused(server: PageServer, host: str) -> None:
    """A site whose name is pointed at 127.0.0.1 could else read the study in its visitor's browser."""
    assert ask(server, "/", host=host)[0] == 403
    assert ask(server, "/news.json", host=host)[0] == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "localhost:9999", "[::1]:9999"])
def test_the_loopback_has_several_names_and_a_tunnel_other_ports(server: PageServer, host: str) -> None:
    assert ask(server, "/", host=host)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"])
def test_nothing_can_be_done_but_read(server: PageServer, method: str) -> None:
    assert ask(server, "/", method=method)[0] == 501


def test_no_other_page_may_show_or_read_it(server: PageServer) -> None:
    headers = ask(server, "/")[1]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert not any(name.startswith("Access-Control") for name in headers)


def test_news_are_waited_for_and_come_at_once(server: PageServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_server, "NEWS_SECONDS", 0.05)
    server.board.put_facts({"live": True})
    assert ask(server, "/news.json?have=1")[::2] == (204, b"")  # nothing newer
    monkeypatch.setattr(live_server, "NEWS_SECONDS", 30.0)
    threading.Timer(0.1, server.board.put_facts, [{"live": False}]).start()
    assert json.loads(ask(server, "/news.json?have=1")[2]) == {"live": False, "version": 2, "parts": 0}


@pytest.mark.parametrize("have", ["", "x", "-1", "9" * 40, "\u0663"])
def test_a_version_that_is_no_number_is_none(server: PageServer, have: str) -> None:
    from urllib.parse import quote

    server.board.put_facts({"live": True})
    assert ask(server, f"/news.json?have={quote(have)}")[0] == 200


def test_whether_somebody_looks_and_has_seen_everything(server: PageServer) -> None:
    board = server.board
    assert not board.is_wanted()
    board.put_facts({"live": True})
    board.put_parts({})
    ask(server, "/news.json?have=0")
    assert board.is_wanted()
    assert not board.is_left(0.0)
    ask(server, "/parts.json")
    assert board.is_left(0.0)
    assert not board.is_left(60.0), "somebody has asked in the last minute, and may ask for more"
    board.put_facts({"live": False})
    assert not board.is_left(0.0)


def test_the_last_word_keeps_the_facts_and_says_that_nobody_has_to_ask_again(server: PageServer) -> None:
    server.board.put_facts({"live": False, "remaining": None})
    server.board.put_last()
    assert json.loads(ask(server, "/news.json?have=1")[2]) == {
        "live": False,
        "remaining": None,
        "over": True,
        "version": 2,
        "parts": 0,
    }


def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(OSError, match="in use"):
            PageServer(other.getsockname()[1], Board(), lambda: b"")
