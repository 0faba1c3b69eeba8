"""Does any table of runs get a verdict that it should not, a traceback, or none in reasonable time?

Half of the tables say the same as a clean one in another form: order, separator, encoding, quotes, comments, decimal
commas, words of other trackers. Their verdict must be that of the clean table, to the last digit. A quarter say
something else: shares, copies, several data sets, rows that are missing. They must be refused, or the verdict must note
it. The rest is broken at random, and must be judged or refused with exit code 2 and a message of at most 20 lines.

    python -m benchmarks.reliability.fuzz_tables --files 100000

The n-th table is always the same. A table that is not treated so is kept in `--keep`.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import NamedTuple

from resnext_search.results.verdict.outcome import Verdict
from resnext_search.results.verdict.sources import judge_csv
from resnext_search.results.verdict.text import verdict_text
from resnext_search.spaces.errors import UsageError

from benchmarks.reliability.broken_tables import broken
from benchmarks.reliability.fuzzing import try_files
from benchmarks.reliability.tables import as_csv, clean_rows, other_form, other_runs

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
    try_files(
        lambda number: table_case(number).content,
        lambda number, path: outcome(table_case(number), path),
        suffix=".csv",
        words=__doc__.splitlines()[0] if __doc__ else "",
    )


if __name__ == "__main__":
    main()
