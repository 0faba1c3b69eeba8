"""Is there what the study wants to run on? If not, that is said at once; and what is free is found."""

from __future__ import annotations

import socket
import threading
import time

import pytest
from resnext_search.search import machine as machines
from resnext_search.search.machine import ray_running
from resnext_search.spaces.errors import UsageError

from tests.helpers import tiny_study


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
    monkeypatch.setattr(machines, "CLUSTER_TIMEOUT_SECONDS", 0.2)
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
