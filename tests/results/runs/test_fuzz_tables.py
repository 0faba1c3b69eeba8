"""The first of the tables of `benchmarks/reliability/fuzz_tables.py`, in which every kind of them occurs."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from benchmarks.reliability.fuzz_tables import outcome, table_case
from benchmarks.reliability.fuzzing import LIMIT_SECONDS


def test_no_generated_table_is_judged_in_silence_ends_in_a_traceback_or_takes_long(tmp_path: Path) -> None:
    outcomes = Counter()
    for number in range(400):
        before = time.process_time()
        outcomes[outcome(table_case(number), tmp_path / "runs.csv")] += 1
        assert time.process_time() - before < LIMIT_SECONDS
    assert set(outcomes) == {"form: same", "other: refused", "other: noted", "broken: refused", "broken: judged"}
    assert outcomes["form: same"] > 150


def test_the_nth_generated_table_is_always_the_same() -> None:
    assert table_case(7) == table_case(7)
    assert len({table_case(number).content for number in range(100)}) > 95
