"""Tries generated files, one after the other: what became of each, the slowest, and the memory that it took."""

from __future__ import annotations

import argparse
import json
import resource
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

LIMIT_SECONDS = 60  # of the processor; ten million combinations, which a study may have, take most of it
MOST_BYTES = 2**30


class TooSlow(BaseException):
    """A file has taken more of the processor than `LIMIT_SECONDS`."""


def try_files(content: Callable[[int], bytes], outcome: Callable[[int, Path], str], *, suffix: str, words: str) -> None:
    """Try as many files as the command line asks for; prints the facts, and ends with 1 if one was not treated well.

    Args:
        content: Of the n-th file, which is kept in `--keep` if trying it has failed.
        outcome: Writes the n-th file to a path, and says what became of it.
        suffix: Of its name, such as `.csv`.
        words: What the program does, for its help.
    """
    parser = argparse.ArgumentParser(description=words)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    arguments = parser.parse_args()

    def stop(*_: object) -> None:
        raise TooSlow(f"longer than {LIMIT_SECONDS} s")

    signal.signal(signal.SIGPROF, stop)
    outcomes: Counter[str] = Counter()
    slowest, hungriest = (0.0, -1), (0, -1)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"file{suffix}")
        for number in range(arguments.first, arguments.first + arguments.files):
            before, memory = time.process_time(), peak_bytes()
            signal.setitimer(signal.ITIMER_PROF, LIMIT_SECONDS)
            try:
                result = outcome(number, path)
            except (Exception, TooSlow) as error:
                result = f"FAILED {type(error).__name__}"
                arguments.keep.mkdir(exist_ok=True)
                (arguments.keep / f"{number}{suffix}").write_bytes(content(number))
                print(f"file {number}: {type(error).__name__}: {str(error)[:300]}", flush=True)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            outcomes[result] += 1
            slowest = max(slowest, (round(time.process_time() - before, 3), number))
            hungriest = max(hungriest, (peak_bytes() - memory, number))
    facts = {
        "first": arguments.first,
        "files": arguments.files,
        "outcomes": dict(outcomes.most_common()),
        "processor_seconds": round(time.process_time() - began, 1),
        "slowest_seconds": slowest,
        "peak_mib": round(peak_bytes() / 2**20),
        "largest_growth_mib": (round(hungriest[0] / 2**20), hungriest[1]),
        "passed": not any(result.startswith("FAILED") for result in outcomes) and peak_bytes() < MOST_BYTES,
    }
    print(json.dumps(facts), flush=True)
    if not facts["passed"]:
        raise SystemExit(1)


def peak_bytes() -> int:
    """Most memory that this process has had so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
