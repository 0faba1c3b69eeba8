"""Which cluster a study joins: its own, that of `RAY_ADDRESS`, else none. With real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest
from resnext_search.search.machines import addresses, settings
from resnext_search.search.machines.addresses import (
    CLUSTER_HINT,
    OUTSIDE_HINT,
    SETTINGS,
    cluster_of,
    is_on_a_cluster,
)
from resnext_search.spaces.errors import UsageError

from tests.support.helpers import finish, tiny_study
from tests.support.journals import ended_folder

VARIABLE_HINT = "Give resources.cluster=local to run on this machine, whatever RAY_ADDRESS says."
Server = Callable[[], AbstractContextManager[str]]


@contextmanager
def listening(answer: bytes | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """The address of somebody who takes every connection, and answers so; None: never."""
    taken = []
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        server.bind((host, 0))
        server.listen()

        def serve() -> None:
            while True:
                try:
                    client, _ = server.accept()
                except OSError:  # closed: the test is over
                    return
                taken.append(client)
                if answer is not None:
                    client.recv(100)
                    client.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"[{host}]:{server.getsockname()[1]}" if ":" in host else f"{host}:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    for client in taken:
        client.close()


def head(host: str = "127.0.0.1") -> AbstractContextManager[str]:
    """Somebody who answers as the head of a Ray cluster does: with the settings of gRPC."""
    return listening(SETTINGS, host)


@contextmanager
def nobody() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    yield f"127.0.0.1:{port}"


def refused(named: str | None = None) -> tuple[str, str]:
    """What is wrong, and what to do, said within the five seconds that a user waits."""
    began = time.monotonic()
    with pytest.raises(UsageError) as caught:
        cluster_of(named)
    assert time.monotonic() - began < 4
    return str(caught.value), caught.value.hint


# ------------------------------------------------------------------ the rule


@pytest.mark.parametrize("variable", [None, "", " ", "local"])
def test_without_an_address_trials_run_on_this_machine(monkeypatch: pytest.MonkeyPatch, variable: str | None) -> None:
    if variable is None:
        monkeypatch.delenv("RAY_ADDRESS", raising=False)
    else:
        monkeypatch.setenv("RAY_ADDRESS", variable)
    assert cluster_of(None) is None
    assert not is_on_a_cluster(None)


@pytest.mark.parametrize("variable", ["127.0.0.1:1", "auto", "no address at all"])
def test_a_study_that_says_local_ignores_the_environment(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv("RAY_ADDRESS", variable)
    named = tiny_study("resources.cluster=local").resources.cluster
    assert cluster_of(named) is None
    assert not is_on_a_cluster(named)


def test_the_studys_own_cluster_goes_before_the_environments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    with head() as address:
        assert cluster_of(address) == (address, "resources.cluster")
        assert is_on_a_cluster(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_cluster_that_only_the_environment_names_is_joined(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    with head(host) as address:
        monkeypatch.setenv("RAY_ADDRESS", f" {address} ")
        assert str(cluster_of(None)) == f"Ray cluster at {address} (RAY_ADDRESS)"
        assert is_on_a_cluster(None)


# ------------------------------------------------------------------ auto


def runs_here(monkeypatch: pytest.MonkeyPatch, last: str | None, *running: str) -> None:
    """What Ray says of this machine: the cluster that was started or joined last, and those that run."""
    monkeypatch.setattr(settings, "clusters_of_this_machine", lambda: (last, list(running)))


def test_auto_is_the_cluster_of_this_machine_in_the_study_and_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with head() as address:
        for last, running in ((None, [address]), ("127.0.0.1:1", [address]), (address, ["127.0.0.1:1", address])):
            runs_here(monkeypatch, last, *running)
            monkeypatch.delenv("RAY_ADDRESS", raising=False)
            assert str(cluster_of("auto")) == f"Ray cluster at {address} (resources.cluster=auto)"
            monkeypatch.setenv("RAY_ADDRESS", "auto")
            assert str(cluster_of(None)) == f"Ray cluster at {address} (RAY_ADDRESS=auto)"


def test_auto_where_none_runs_or_several_do_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    runs_here(monkeypatch, "10.0.0.1:6379")  # of `ray start`, and gone
    assert refused() == ("RAY_ADDRESS: found auto, and no Ray cluster runs on this machine", VARIABLE_HINT)
    assert refused("auto") == ("resources.cluster: found auto, and no Ray cluster runs on this machine", CLUSTER_HINT)
    runs_here(monkeypatch, None, "10.0.0.1:6379", "10.0.0.2:6379")
    assert refused()[0] == (
        "RAY_ADDRESS: found auto, and several Ray clusters run on this machine: 10.0.0.1:6379, 10.0.0.2:6379; "
        "allowed: one of these"
    )


# ------------------------------------------------------------------ where no cluster answers


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (nobody, "no Ray cluster answers at {}: [Errno 111] Connection refused"),
        (listening, "no Ray cluster answers at {}: timed out"),
        (partial(listening, SETTINGS[:5]), "no Ray cluster answers at {}: timed out"),  # and no more
        (partial(listening, b"HTTP/1.1 400 Bad Request"), "what answers at {} is no head of a Ray cluster"),
        (partial(listening, b"-ERR unknown command"), "what answers at {} is no head of a Ray cluster"),  # Redis
    ],
)
def test_whoever_is_no_cluster_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, server: Server, words: str) -> None:
    monkeypatch.setattr(addresses, "TIMEOUT_SECONDS", 0.3)
    with server() as address:
        monkeypatch.setenv("RAY_ADDRESS", address)
        assert refused() == (f"RAY_ADDRESS: {words.format(address)}", VARIABLE_HINT)
        named = refused(address)
        assert named == (f"resources.cluster: {words.format(address)}", CLUSTER_HINT)
        assert "resources.cluster=local" in CLUSTER_HINT


@pytest.mark.parametrize(
    "address",
    [
        *("foo", "host:", ":6379", "host:port", "host:0", "host:65536", "host:" + "9" * 500, "host:²", "Auto"),
        *("127.0.0.1:6379/path", "host 6379", "local:", "[::1]", "\udcff"),
    ],
)
def test_what_is_no_address_is_said(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    words = f"RAY_ADDRESS: no Ray cluster answers at {address}: it is not of the form host:port"
    assert refused() == (words, VARIABLE_HINT)


def test_a_name_that_no_host_can_have_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", f"{'x' * 300}:6379")
    assert refused()[0].startswith("RAY_ADDRESS: no Ray cluster answers at xxx")


def test_a_name_that_is_looked_up_for_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def wait(*_: object, **__: object) -> None:
        over.wait(60)
        raise OSError("nobody asks any more")

    monkeypatch.setattr(socket, "create_connection", wait)
    monkeypatch.setenv("RAY_ADDRESS", "head.example:6379")
    assert refused()[0] == "RAY_ADDRESS: no Ray cluster answers at head.example:6379: timed out"
    over.set()


@pytest.mark.parametrize(
    ("address", "what"),
    [
        ("ray://127.0.0.1:10001", "Ray's client"),
        ("http://127.0.0.1:8265", "a dashboard"),
        ("https://head.example", "a dashboard"),
    ],
)
def test_addresses_by_which_a_cluster_is_reached_from_outside_say_how_it_is_done(
    monkeypatch: pytest.MonkeyPatch, address: str, what: str
) -> None:
    words = f"found {address}, which is {what}; a study is driven from a machine of the cluster"
    assert refused(address) == (f"resources.cluster: {words}", OUTSIDE_HINT)
    monkeypatch.setenv("RAY_ADDRESS", address)
    assert refused() == (f"RAY_ADDRESS: {words}", OUTSIDE_HINT)
    assert "ray job submit --address http://HEAD:8265 -- resnext-search run" in OUTSIDE_HINT
    assert "resources.cluster=local" in OUTSIDE_HINT


# ------------------------------------------------------------------ commands


def test_a_run_is_refused_before_anything_is_made(tmp_path: Path, study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody() as address:
        monkeypatch.setenv("RAY_ADDRESS", address)
        ended = finish(["run", "tiny.yaml"], tmp_path, seconds=60)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert ended.stderr == (
            f"resnext-search: RAY_ADDRESS: no Ray cluster answers at {address}: [Errno 111] Connection refused\n"
            f"{VARIABLE_HINT}\n"
        )
        assert sorted(path.name for path in tmp_path.iterdir()) == ["tiny.yaml"]
        ended_folder(tmp_path / "run")
        assert finish(["resume", "run", "search.trials=9"], tmp_path, seconds=60).returncode == 2
        for command in (["plan", "tiny.yaml", "--no-calibrate"], ["status", "run"]):
            assert finish(command, tmp_path, seconds=60).returncode == 0
