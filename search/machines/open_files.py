"""May a process open as many files as Ray needs? Its sockets, pipes and logs count, of every worker."""

from __future__ import annotations

import resource

from resnext_search.spaces.errors import UsageError

# With 64 Ray's own process on a machine aborts soon after its start, without a word; 96 were enough for two workers.
LEAST_OPEN_FILES = 128
# Below this Ray may run out of them where there are many workers.
ROOMY = 1024


def most_open_files() -> int:
    """What this process and those that it starts may have open at once, each; a huge number where all is allowed."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 2**63 - 1 if soft == resource.RLIM_INFINITY else soft


def expect_open_files() -> None:
    """Raise `UsageError`, before Ray starts, if it could not; the hint says how to allow more."""
    most = most_open_files()
    if most < LEAST_OPEN_FILES:
        raise UsageError(
            f"Ray cannot start: a process may have {most} files open here (ulimit -n); it needs at least "
            f"{LEAST_OPEN_FILES}",
            hint=how_to_allow_more(),
        )


def how_to_allow_more() -> str:
    """The command for this shell, or who can help if it may not."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= ROOMY:
        return f"Give first: ulimit -n {ROOMY}"
    return f"Ask who runs this machine for more than its hard limit of {hard}, or start a new shell: ulimit -n {ROOMY}"
