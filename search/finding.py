"""What `doctor` says of one thing that it looked at."""

from __future__ import annotations

from typing import NamedTuple

LEAST_DISK_BYTES = 2**30


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    found: str
    ok: bool
    advice: str = ""
