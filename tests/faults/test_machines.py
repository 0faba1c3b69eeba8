"""Is there what the study wants to run on? If not, that is said at once; and what is free is found."""

from __future__ import annotations

import os
import socket
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from resnext_search.search.execution.context import words_apart
from resnext_search.search.machines import addresses
from resnext_search.search.machines.cluster import ray_running
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import tiny_study


def refused(address: str) -> str:
    began = time.monotonic()
    with pytest.raises(UsageError) as error, ray_running(tiny_study(f"resources.cluster={address}")):
        pass
    assert time.monotonic() - began < 5
    assert "Give host:port of the cluster's head" in error.value.hint
    return str(error.value)


def test_a_cluster_that_is_not_there_is_said_within_five_seconds() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert refused(f"127.0.0.1:{port}") == (
        f"resources.cluster: no Ray cluster answers at 127.0.0.1:{port}: [Errno 111] Connection refused"
    )
    assert "no Ray cluster answers at nowhere" in refused("nowhere")


def test_a_head_that_does_not_answer_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "TIMEOUT_SECONDS", 0.2)
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for client in (first, second):  # fill its queue: a further connection is neither taken nor refused
            client.setblocking(False)
            client.connect_ex(full.getsockname())
        host, port = full.getsockname()
        assert refused(f"{host}:{port}").endswith("timed out")


def test_something_else_that_answers_there_is_no_cluster() -> None:
    with socket.socket() as web:
        web.bind(("127.0.0.1", 0))
        web.listen()
        host, port = web.getsockname()

        def answer() -> None:
            client, _ = web.accept()
            with client:
                client.recv(100)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        assert refused(f"{host}:{port}").endswith(f"what answers at {host}:{port} is no head of a Ray cluster")


@pytest.mark.slow
def test_ray_listens_to_this_machine_alone_asks_for_its_token_and_never_logs_it(no_ray: None, tmp_path: Path) -> None:
    with words_apart(tmp_path / "log.txt"), ray_running(tiny_study(), cpus=1) as machine:
        os.write(1, b"what Ray has to say goes to the log\n")
        # not one of our own: a process that has used Ray before goes on with the token that it has read
        token = os.environ.get("RAY_AUTH_TOKEN") or (Path.home() / ".ray" / "auth_token").read_text().strip()
        driver = psutil.Process()
        sockets = [
            connection.laddr.ip
            for process in (driver, *driver.children(recursive=True))
            for connection in process.net_connections("inet")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert len(sockets) > 5
        assert {address.removeprefix("::ffff:") for address in sockets} == {"127.0.0.1"}
        assert machine.dashboard is not None
        answers = []
        for headers in ({}, {"Authorization": "Bearer " + "6" * 64}, {"Authorization": f"Bearer {token}"}):
            try:
                request = urllib.request.Request(f"{machine.dashboard}/api/jobs/", headers=headers)
                with urllib.request.urlopen(request, timeout=30) as answer:
                    answers.append(answer.status)
            except urllib.error.HTTPError as error:
                answers.append(error.code)
                error.close()
        assert answers == [401, 403, 200]
    log = (tmp_path / "log.txt").read_text()
    assert "what Ray has to say" in log
    assert token not in log
