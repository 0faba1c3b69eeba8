"""Machines that share nothing, on this one: a head without cores, and nodes that join it and are lost.

Namespaces of Linux: each machine has a network, mounts, shared memory and a folder of Ray of its own, and each node a
cable (a pair of veth) to the head, processes of its own, and an empty disk where the studies lie. Neither the network
nor the mounts of this machine are changed, and all ends with the process that made it, however that ends. Made by
root, or by anyone where the system lets users have namespaces.
"""

from __future__ import annotations

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

NETWORK = "10.77.0"
HEAD = f"{NETWORK}.1"
ADDRESS = f"{HEAD}:6379"
STARTED = "Ray runtime started"
PATIENCE_SECONDS = 300

RAY = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--disable-usage-stats"]
RAY += ["--object-store-memory=100000000"]  # bytes: the least that it takes, about
# Named here, ports need not be waited for: where the agents take more than 15 s to choose them, a node does not start.
# For the same reason nothing reads the logs beside them.
PORTS = ["dashboard-agent-grpc", "dashboard-agent-listen", "metrics-export", "runtime-env-agent"]
RAY += [*(f"--{name}-port={number}" for number, name in enumerate(PORTS, 52364)), "--include-log-monitor=false"]
AS_HEAD = [*RAY, "--head", "--num-cpus=0", f"--node-ip-address={HEAD}", "--include-dashboard=false"]

# A token of its own, whoever runs this, and processes that are not put last.
VARIABLES = ["RAY_AUTH_MODE=token", "RAY_worker_niceness=0"]

# What a machine does first, with the file for Ray's words as $1. It ends when nobody holds its standard input, and a
# Ray that did not come up in its time is started again, as the service manager of a machine would.
DISKS = "set -e; words=$1; mkdir -p /tmp/ray; mount -t tmpfs none /tmp/ray; mount -t tmpfs none /dev/shm"
HEAD_SCRIPT = (
    f"{DISKS}; shift; ip link set lo up; ip address add {HEAD}/32 dev lo; echo ready; "
    "(trap 'kill $ray; wait $ray; exit' TERM; "
    'until "$@" >>"$words" 2>&1 & ray=$!; wait $ray; do sleep 1; done) & cat >/dev/null; kill $!; wait $!'
)
NODE_SCRIPT = (
    f'{DISKS}; address=$2; disk=$3; shift 3; exec 3>>"$words"; mount -t tmpfs none "$disk"; echo ready; '
    f'read -r plugged; ip link set lo up; ip address add "$address/32" dev eth0; ip link set eth0 up; '
    f'ip route add {HEAD} dev eth0 src "$address"; (until "$@" >&3 2>&1; do sleep 1; done) & cat >/dev/null'
)


class NotAllowed(Exception):
    """This system lets us make no such machines; why not."""


class Machine:
    """What was started with namespaces of its own: its processes end with it.

    Args:
        holder: Which holds them, and waits for the end of its input.
        first: Number of the process from which others enter.
        enter: Command and options with which they do.
    """

    def __init__(self, holder: subprocess.Popen[str], first: int, enter: list[str]) -> None:
        self.holder, self.first, self.enter = holder, first, enter

    def command(self, *words: str, folder: Path = Path("/")) -> list[str]:
        """The command line that runs these words in a folder of this machine."""
        return [*self.enter, "sh", "-c", 'cd "$0" && exec "$@"', str(folder), *words]

    def ask(self, *words: str) -> str:
        """What a command of a moment prints there."""
        return subprocess.check_output(self.command(*words), text=True)

    def kill(self) -> None:
        """SIGKILL to the first of a node's processes, with which the system ends all of them at once."""
        self.holder.kill()
        self.holder.communicate()

    def shut_down(self) -> None:
        """Let it end by itself what it has started."""
        self.holder.communicate(timeout=60)


class MachinesApart:
    """A head, in which drivers run, and nodes of one core.

    Args:
        disk: Folder of the studies: each node has an empty one in its place.
        words: Folder for what Ray says.
    """

    def __init__(self, disk: Path, words: Path) -> None:
        self.disk, self.words, self.nodes = disk, words, 1
        self.node: Machine | None = None  # that joined last
        own = allowed()
        self._environment = ["env", *VARIABLES, f"RAY_AUTH_TOKEN={secrets.token_hex(32)}"]
        self._options = ["--user", "--preserve-credentials"] if own else []
        apart = [*self._environment, "unshare", *own, "--net", "--mount"]
        self.head = self._machine(apart, HEAD_SCRIPT, str(words / "head.txt"), *AS_HEAD)

    def is_up(self) -> bool:
        """Whether a driver can be started in the head."""
        said = self.words / "head.txt"
        return said.exists() and STARTED in said.read_text()

    def join(self) -> Machine:
        """A node that nobody has seen before; that Ray has come up on it is not waited for."""
        self.nodes += 1
        address, name = f"{NETWORK}.{self.nodes}", f"node{self.nodes}"
        start = [*RAY, f"--address={ADDRESS}", "--num-cpus=1", f"--node-ip-address={address}"]
        apart = self.head.command("unshare", "--net", "--mount", "--pid", "--kill-child", "--mount-proc")
        node = self._machine(apart, NODE_SCRIPT, str(self.words / f"{name}.txt"), address, str(self.disk), *start)
        plug = f"ip link add {name} type veth peer name eth0 netns {node.first}; ip link set {name} up; "
        self.head.ask("sh", "-ec", f"{plug} ip route add {address} dev {name} src {HEAD}")
        assert node.holder.stdin is not None
        node.holder.stdin.write("plugged\n")
        node.holder.stdin.flush()
        self.node = node
        return node

    def lose_node(self) -> None:
        """The node that joined last is gone, and another one joins."""
        if self.node is not None:
            self.node.kill()
        self.join()

    def _machine(self, apart: list[str], script: str, *arguments: str) -> Machine:
        holder = subprocess.Popen(
            [*apart, "sh", "-c", script, "sh", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert holder.stdout is not None
        if holder.stdout.readline() != "ready\n":
            raise NotAllowed(f"a machine did not start: {' '.join(apart)}")
        children = psutil.Process(holder.pid).children() if "--pid" in apart else []
        first = children[0].pid if children else holder.pid
        enter = ["nsenter", f"--target={first}", *self._options, "--net", "--mount", *(["--pid"] if children else [])]
        return Machine(holder, first, [*self._environment, *enter])


@contextmanager
def machines_apart(disk: Path, words: Path) -> Iterator[MachinesApart]:
    """A head that is up, for the time of a block; no node yet.

    Raises:
        NotAllowed: No namespaces can be made here.
        TimeoutError: Ray does not come up.
    """
    machines = MachinesApart(disk, words)
    try:
        patience = time.monotonic() + PATIENCE_SECONDS
        while not machines.is_up():
            if time.monotonic() > patience:
                raise TimeoutError(f"Ray has not come up within {PATIENCE_SECONDS} s: see {words}")
            time.sleep(0.1)
        yield machines
    finally:
        if machines.node is not None:
            machines.node.kill()
        machines.head.shut_down()


def allowed() -> list[str]:
    """Options of `unshare` with which this user may make machines; raises `NotAllowed` if there are none."""
    tried = "mkdir -p /tmp/ray && mount -t tmpfs none /tmp/ray && ip link add end0 type veth peer name end1"
    said = ""
    for own in ([], ["--user", "--map-root-user"]):
        try:
            done = subprocess.run(
                ["unshare", *own, "--net", "--mount", "--pid", "--fork", "sh", "-c", tried],
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            raise NotAllowed(f"unshare (util-linux): {error.strerror}") from error
        if done.returncode == 0:
            return own
        said = done.stderr.strip()
    raise NotAllowed(said)
