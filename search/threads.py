"""How many threads may the optimizer use? One.

While a study runs, its trials keep all cores busy: on two such cores a proposal took 0.3 s with one thread and 4 to 7 s
with two, which wait for each other. And bits may depend on the number of threads; so they do not here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numpy and scipy use one thread within the block, and torch too if it is there."""
    torch = sys.modules.get("torch")  # not imported for its own sake: `export` starts without it
    before = torch.get_num_threads() if torch else 0
    if torch:
        torch.set_num_threads(1)
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        if torch:
            torch.set_num_threads(before)


@cache
def _libraries() -> ThreadpoolController:
    import scipy.linalg  # noqa: F401  what is not loaded yet would not be found

    return ThreadpoolController()
