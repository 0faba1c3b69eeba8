"""Where do trials run? On the cluster that the study names, else on that of `RAY_ADDRESS`, else on this machine.

Asked before anything is started. Imports no Ray, which takes a minute to say that nobody is there, and longer if it is
somebody else.
"""

from __future__ import annotations

import os
import queue
import socket
import threading
from typing import NoReturn

from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.study.study import LOCAL

VARIABLE = "RAY_ADDRESS"
# Seconds in which the head of a Ray cluster must have answered, of the five that a user waits.
TIMEOUT_SECONDS = 2.0
# The port of Ray's client, which `ray://` means.
CLIENT_PORT = 10001

CLUSTER_HINT = (
    "Give host:port of the cluster's head, as `ray start --head` printed it; its dashboard has another port. Or "
    "resources.cluster=local, to run on this machine."
)
VARIABLE_HINT = f"Give resources.cluster=local to run on this machine, whatever {VARIABLE} says."

# How HTTP/2, and so gRPC, begins (RFC 9113, 3.4): a client's words and settings, which a server answers with its own.
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS


def cluster_of(named: str | None) -> str | None:
    """Address of the cluster to join, at which one answers; None for this machine.

    Args:
        named: `resources.cluster` of a study.

    Raises:
        UsageError: No cluster answers at the address, or one that only the environment names.
    """
    if named == LOCAL:
        return None
    if named is not None:
        # Ray's client, which `ray://` means, runs no driver here
        wrong = f"found {named}; allowed: host:port" if "://" in named else what_is_wrong(named)
        if wrong:
            raise UsageError(f"resources.cluster: {wrong}", hint=CLUSTER_HINT)
        return named
    variable = os.environ.get(VARIABLE, "").strip()
    return None if variable in ("", LOCAL) else _cluster_of_the_environment(variable)


def _cluster_of_the_environment(address: str) -> NoReturn:
    """What becomes of a study that names no cluster where the environment does: it is refused, and told what to say."""
    words = what_is_wrong(address) or (
        f"a Ray cluster answers at {address}, and a study joins none that it does not name (resources.cluster)"
    )
    raise UsageError(f"{VARIABLE}: {words}", hint=VARIABLE_HINT)


def what_is_wrong(address: str) -> str:
    """Why there is no cluster to join at an address; empty if one answers there. Takes `TIMEOUT_SECONDS` at most."""
    nobody, place = f"no Ray cluster answers at {address}", _host_and_port(address)
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
    """Both parts of `host:port`, `[::1]:6379` or `ray://host`; None for anything else, as Ray's own `auto`."""
    rest = address.removeprefix("ray://")
    host, colon, port = rest.rpartition(":")
    if rest != address and not colon:
        return (rest, CLIENT_PORT) if rest else None
    host = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
    if not host or "/" in host or not (port.isascii() and port.isdecimal() and 0 < int(port[:6]) < 65_536):
        return None
    return host, int(port)
