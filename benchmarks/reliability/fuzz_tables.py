"""Does any table of runs get a verdict that it should not, a traceback, or none in reasonable time?

Half of the tables say the same as a clean one in another form: order, separator, encoding, quotes, comments, decimal
commas, words of other trackers. Their verdict must be that of the clean table, to the last digit. A quarter say
something else: shares, copies, several data sets, rows that are missing. They must be refused, or the verdict must note
it. The rest is broken at random, and must be judged or refused with exit code 2 and a message of at most 20 lines.

    python -m benchmarks.reliability.fuzz_tables --files 100000

The n-th table is always the same. A table that is not treated so is kept in `--keep`.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from resnext_search.results.verdict.outcome import Verdict
from resnext_search.results.verdict.sources import judge_csv
from resnext_search.results.verdict.text import verdict_text
from resnext_search.spaces.errors import UsageError

from benchmarks.reliability.broken_tables import broken
from benchmarks.reliability.fuzz_studies import MOST_BYTES, TooSlow, peak_bytes
from benchmarks.reliability.tables import as_csv, clean_rows, other_form, other_runs

LIMIT_SECONDS = 60
MOST_LINES = 20
LONGEST_MESSAGE_BYTES = 20_000


class Case(NamedTuple):
    """A table.

    Args:
        kind: `form`, `other` or `broken`.
        what: What was done to it.
        content: The file.
        clean: The same without that.
        claimant: The arm to compare with all others.
    """

    kind: str
    what: str
    content: bytes
    clean: bytes
    claimant: str


def table_case(number: int) -> Case:
    """The n-th case."""
    chance = random.Random(f"table {number}")
    rows, claimant = clean_rows(chance)
    clean = as_csv(rows).encode()
    kind = chance.random()
    if kind < 0.5:
        what, content = other_form(chance, rows)
        return Case("form", what, content, clean, claimant)
    if kind < 0.75:
        what, content = other_runs(chance, rows)
        return Case("other", what, content, clean, claimant)
    return Case("broken", "broken", broken(chance, rows, clean), clean, claimant)


def judged(path: Path, content: bytes, claimant: str) -> Verdict | UsageError:
    """What the command `verdict` makes of a file."""
    path.write_bytes(content)
    try:
        _, verdict = judge_csv(path, claimant=claimant)
    except UsageError as error:
        return error
    verdict_text(verdict).encode()
    json.dumps(verdict.to_json(), allow_nan=False)
    return verdict


def outcome(case: Case, path: Path) -> str:
    """The kind of a case and what became of it: `same`, `refused`, `noted` or `judged`.

    Raises:
        RuntimeError: It is not what has to become of this kind.
    """
    found = judged(path, case.content, case.claimant)
    if isinstance(found, UsageError):
        message = f"{found}\n{found.hint}"
        lines = message.count("\n") + 1
        if found.exit_code != 2 or lines > MOST_LINES or len(message.encode()) > LONGEST_MESSAGE_BYTES:
            raise RuntimeError(
                f"exit code {found.exit_code}, {lines} lines, {len(message):,} characters: {message[:200]}"
            )
        if case.kind == "form":
            raise RuntimeError(f"{case.what}: refused: {message[:300]}")
        return f"{case.kind}: refused"
    if case.kind == "broken":
        return f"{case.kind}: judged"
    clean = judged(path, case.clean, case.claimant)
    if isinstance(clean, UsageError):
        raise RuntimeError(f"the clean table is refused: {clean}")
    if case.kind == "form":
        if found.to_json() != clean.to_json():
            raise RuntimeError(f"{case.what}: another verdict than the clean table's")
        return "form: same"
    if set(found.notes) <= set(clean.notes) and found.verdict != "invalid":
        raise RuntimeError(f"{case.what}: judged in silence")
    return f"{case.kind}: noted"


def main() -> None:
    """Try tables; prints what became of them, the slowest, and the most memory that there was in use."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--files", type=int, default=1_000)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    arguments = parser.parse_args()

    def stop(*_: object) -> None:
        raise TooSlow(f"longer than {LIMIT_SECONDS} s")

    signal.signal(signal.SIGPROF, stop)
    outcomes: Counter[str] = Counter()
    failed, slowest = 0, (0.0, -1)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.first, arguments.first + arguments.files):
            case, before = table_case(number), time.process_time()
            signal.setitimer(signal.ITIMER_PROF, LIMIT_SECONDS)
            try:
                outcomes[outcome(case, Path(folder, "runs.csv"))] += 1
            except (Exception, TooSlow) as error:
                failed += 1
                outcomes[f"FAILED {type(error).__name__}"] += 1
                arguments.keep.mkdir(exist_ok=True)
                (arguments.keep / f"{number}.csv").write_bytes(case.content)
                print(f"table {number}: {case.what}: {type(error).__name__}: {str(error)[:300]}", flush=True)
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
            slowest = max(slowest, (round(time.process_time() - before, 3), number))
    facts = {
        "first": arguments.first,
        "files": arguments.files,
        "outcomes": dict(sorted(outcomes.items())),
        "processor_seconds": round(time.process_time() - began, 1),
        "slowest_seconds": slowest,
        "peak_mib": round(peak_bytes() / 2**20),
        "passed": not failed and peak_bytes() < MOST_BYTES,
    }
    print(json.dumps(facts), flush=True)
    if not facts["passed"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
