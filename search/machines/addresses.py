"""Where do trials run? On the cluster that the study names, else on that of `RAY_ADDRESS`, else on this machine.

Asked before anything is started. Imports Ray only to find the cluster of this machine: asked whether one answers
somewhere, Ray takes a minute to say that nobody is there, and longer if it is somebody else.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
from typing import NamedTuple

from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.study.study import AUTO, LOCAL

KEY, VARIABLE = "resources.cluster", "RAY_ADDRESS"
# Seconds in which the head of a Ray cluster must have answered, of the five that a user waits.
TIMEOUT_SECONDS = 2.0

CLUSTER_HINT = (
    "Give host:port of the cluster's head, as `ray start --head` printed it; its dashboard has another port. Or "
    "resources.cluster=local, to run on this machine."
)
VARIABLE_HINT = f"Give resources.cluster=local to run on this machine, whatever {VARIABLE} says."
# Of addresses that mean the cluster from outside: those of Ray's client and of its dashboard.
OUTSIDE_HINT = (
    "Give the command on a machine of the cluster, with resources.cluster=auto; or from here: ray job submit --address "
    "http://HEAD:8265 -- resnext-search run ... Or give resources.cluster=local, to run on this machine."
)

# How HTTP/2, and so gRPC, begins (RFC 9113, 3.4): a client's words and settings, which a server answers with its own.
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS


class ClusterAddress(NamedTuple):
    """A cluster to join, and who says so."""

    address: str  # host:port
    named_by: str

    def __str__(self) -> str:
        """As the first line of a run has it."""
        return f"Ray cluster at {self.address} ({self.named_by})"


class _Named(NamedTuple):
    """What a study or the environment says."""

    words: str
    key: str

    @property
    def hint(self) -> str:
        return CLUSTER_HINT if self.key == KEY else VARIABLE_HINT


def is_on_a_cluster(named: str | None) -> bool:
    """Whether trials run on a cluster, by `resources.cluster` of a study and the environment; asks nobody."""
    return _named(named) is not None


def cluster_of(named: str | None) -> ClusterAddress | None:
    """The cluster to join, which answers; None for this machine.

    Args:
        named: `resources.cluster` of a study.

    Raises:
        UsageError: No cluster answers there, none runs on this machine, or the address is no machine's of a cluster.
    """
    found = _named(named)
    if found is None:
        return None
    address = _cluster_of_this_machine(found) if found.words == AUTO else found.words
    if wrong := what_is_wrong(address):
        raise UsageError(f"{found.key}: {wrong}", hint=OUTSIDE_HINT if _means_outside(address) else found.hint)
    return ClusterAddress(address, f"{found.key}={AUTO}" if found.words == AUTO else found.key)


def _named(named: str | None) -> _Named | None:
    found = _Named(os.environ.get(VARIABLE, "").strip(), VARIABLE) if named is None else _Named(named, KEY)
    return None if found.words in ("", LOCAL) else found


def _cluster_of_this_machine(found: _Named) -> str:
    """As Ray itself finds it: that of `ray start` if it is still there, else the only one that runs here."""
    from resnext_search.search.machines.settings import clusters_of_this_machine

    last, running = clusters_of_this_machine()
    if last in running:
        return last
    if len(running) == 1:
        return running[0]
    several = f": {', '.join(running)}; allowed: one of these" if running else ""
    words = f"{found.key}: found {AUTO}, and {'several Ray clusters run' if running else 'no Ray cluster runs'}"
    raise UsageError(f"{words} on this machine{several}", hint=found.hint)


def what_is_wrong(address: str) -> str:
    """Why there is no cluster to join at an address; empty if one answers there. Takes `TIMEOUT_SECONDS` at most."""
    nobody, place = f"no Ray cluster answers at {address}", _host_and_port(address)
    if outside := _means_outside(address):
        return f"found {address}, which is {outside}; a study is driven from a machine of the cluster"
    if place is None:
        return f"{nobody}: it is not of the form host:port"
    answers: queue.Queue[str] = queue.Queue()
    # in a thread: the time that a name takes to be looked up cannot be limited
    threading.Thread(target=lambda: answers.put(_asked(*place)), name="probe", daemon=True).start()
    try:
        wrong = answers.get(timeout=TIMEOUT_SECONDS)
    except queue.Empty:
        wrong = "timed out"
    if wrong == _NO_HEAD:
        return f"what answers at {address} is no head of a Ray cluster"
    return f"{nobody}: {wrong}" if wrong else ""


def _means_outside(address: str) -> str:
    """What an address is by which Ray is reached from outside of the cluster; empty for any other."""
    scheme, colon, _ = address.partition("://")
    return {"ray": "Ray's client", "http": "a dashboard", "https": "a dashboard"}.get(scheme, "") if colon else ""


_NO_HEAD = "no head"


def _asked(host: str, port: int) -> str:
    """What is wrong with a server, asked as a client of gRPC would; empty if nothing is."""
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_SECONDS) as head:
            if os.environ.get("RAY_USE_TLS", "0") == "1":
                return ""
            head.sendall(GREETING)
            answer = head.makefile("rb").read(len(SETTINGS))
    except (OSError, ValueError) as error:  # ValueError: a name that no host can have
        return str(error)
    return "" if answer[3:4] == SETTINGS[3:4] else _NO_HEAD


def _host_and_port(address: str) -> tuple[str, int] | None:
    """Both parts of `host:port` or `[::1]:6379`; None for anything else."""
    host, _, port = address.rpartition(":")
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not host or "/" in host or not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536):
        return None
    return host, int(port)
