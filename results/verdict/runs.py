"""Which runs does a table hold? Anyone's table, or a study's own `trials.csv`, read and checked.

In a study only the trials that confirm are evidence: what was searched or tuned was chosen for its luck.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from resnext_search.results.inference.sample import FINISHED, Run
from resnext_search.spaces.correctness import unpack_correct
from resnext_search.spaces.errors import UsageError

NEEDED = ("arm", "seed", "test_error")
COUNTS = ("multiply_adds", "parameters", "activations")
PHASES = ("search", "tune", "confirm")
STATES = ("queued", "running", "stopped", "interrupted", *FINISHED)
# By how many points a test error may differ from the recognised images: tables are rounded to a tenth.
MOST_ROUNDING = 0.1


def read_runs(table: pd.DataFrame) -> list[Run]:
    """The runs of a table, sorted by arm and seed; the trials of a search are left out.

    Args:
        table: One row a run, with at least the columns `NEEDED`. With a column `phase` it is a study's.

    Raises:
        UsageError: Something is missing, no number, out of range or there twice; the message lists every problem.
    """
    problems = [f"{name}: no such column" for name in NEEDED if name not in table.columns]
    if not problems and table.empty and "phase" not in table.columns:
        problems = ["no rows"]
    runs: list[Run] = []
    if not problems:
        for number, row in enumerate(table.to_dict("records"), start=1):
            if row.get("phase") != "search":
                runs.append(_Row(row, f"row {number}", problems).run())
        problems = problems or _contradictions(runs)
    if problems:
        raise UsageError(
            "these runs cannot be judged:\n" + "\n".join(f"  {problem}" for problem in problems),
            hint="One row is one run: arm, seed and test_error in percent; "
            "docs/how-to/read-the-verdict.md lists the others.",
        )
    return sorted(runs, key=lambda run: (run.arm, run.seed))


@dataclass(frozen=True)
class _Row:
    """Reads the cells of a row, and writes down what is wrong with them."""

    cells: dict[Any, Any]
    where: str
    problems: list[str]

    def run(self) -> Run:
        phase = self.one_of("phase", PHASES, "confirm")
        correct = self.read("correct", unpack_correct, "<images>:<packed bits in base 64>")
        error = self.number("test_error", 0, 100)
        state = self.one_of("state", STATES, "completed")
        return Run(
            arm=self.needed("arm", str, "a name") or "",
            seed=self.needed("seed", _whole, "a whole number") or 0,
            phase=phase,
            state="failed" if (phase, state, error) == ("confirm", "completed", None) else state,
            test_error=error,
            correct=correct,
            validation_error=self.number("validation_error", 0, 100),
            learning_rate=self.number("learning_rate", math.ulp(0.0)),
            validation_images=self.number("validation_images", 1),
            seconds=self.number("seconds", 0),
            epochs=self.number("epochs", 0),
            data=self.read("data", str, "a name"),
            architecture=self.read("architecture", str, "a name"),
            fold=self.read("fold", _count, "a whole number, 0 or more"),
            **{name: self.number(name, 1) for name in COUNTS},
        )

    def read(self, column: str, parse: Callable[[Any], Any], allowed: str) -> Any:
        """A cell, parsed; None where it is empty or wrong."""
        value = self.cells.get(column)
        if value is None or value is pd.NA or value == "" or value != value:
            return None
        try:
            return parse(value)
        except (ValueError, TypeError, AttributeError, OverflowError, UsageError):
            self.problems.append(f"{column}: {str(value)[:40]!r} in {self.where}; allowed: {allowed}")
            return None

    def needed(self, column: str, parse: Callable[[Any], Any], allowed: str) -> Any:
        """The same, of a cell that must not be empty."""
        before = len(self.problems)
        value = self.read(column, parse, allowed)
        if value is None and len(self.problems) == before:
            self.problems.append(f"{column}: empty in {self.where}; allowed: {allowed}")
        return value

    def number(self, column: str, least: float, most: float = math.inf) -> Any:
        """A finite number within limits."""

        def parse(value: Any) -> float:
            number = float(value)
            if not least <= number <= most or math.isinf(number):
                raise ValueError
            return number

        span = f"{least:g} to {most:g}" if most < math.inf else "0 or more" if least == 0 else "more than 0"
        return self.read(column, parse, f"a number, {span}")

    def one_of(self, column: str, allowed: tuple[str, ...], otherwise: str) -> str:
        """A cell that holds one of some words; `otherwise` where the table has no such column."""
        value = str(self.cells.get(column, otherwise))
        if value not in allowed:
            self.problems.append(f"{column}: {value[:40]!r} in {self.where}; allowed: {', '.join(allowed)}")
        return value


def _whole(value: Any) -> int:
    """A whole number as number or text; not by way of a float, which has too few digits for a study's seeds."""
    try:
        number = int(value)
    except ValueError:  # "3.0"
        number = int(float(value))
    if not isinstance(value, int) and float(value) != float(number):
        raise ValueError
    return number


def _count(value: Any) -> int:
    number = _whole(value)
    if not 0 <= number < 2**63:
        raise ValueError
    return number


def _contradictions(runs: Iterable[Run]) -> list[str]:
    """What the rows say against each other, of the runs that are evidence."""
    confirmed = [run for run in runs if run.phase == "confirm"]
    problems = []
    for (arm, seed), times in sorted(Counter((run.arm, run.seed) for run in confirmed).items()):
        if times > 1:
            problems.append(f"seed: {times} runs of arm {arm} have seed {seed}; allowed: one each")
    tuned = Counter((run.arm, run.seed, run.learning_rate) for run in runs if run.phase == "tune" and run.learning_rate)
    for (arm, seed, rate), times in sorted(tuned.items()):
        if times > 1:
            problems.append(
                f"learning_rate: {times} tuning trials of arm {arm} have rate {rate:g} and seed {seed}; "
                "allowed: one each"
            )
    for arm in sorted({run.arm for run in confirmed}):
        rates = {run.learning_rate for run in confirmed if run.arm == arm and run.learning_rate is not None}
        if len(rates) > 1:
            found = ", ".join(f"{rate:g}" for rate in sorted(rates))
            problems.append(f"learning_rate: {found} in the runs of arm {arm} that confirm; allowed: one an arm")
        for column in (*COUNTS, "architecture"):
            values = {getattr(run, column) for run in confirmed if run.arm == arm} - {None}
            if len(values) > 1:
                found = ", ".join(f"{value:,.0f}" if column in COUNTS else value for value in sorted(values))
                problems.append(f"{column}: {found} in arm {arm}; allowed: one value an arm, which is one network")
    problems += _contradictions_of_folds(confirmed)
    tested = [run for run in confirmed if run.correct is not None]
    for run in tested:
        if run.correct is None or run.test_error is None:
            continue
        counted = 100 * (1 - float(run.correct.mean())) if len(run.correct) else math.nan
        if not abs(counted - run.test_error) <= MOST_ROUNDING:
            problems.append(
                f"correct: {counted:.2f} % wrong in the run of arm {run.arm} with seed {run.seed}, "
                f"whose test_error is {run.test_error:g}"
            )
    return problems


def _contradictions_of_folds(runs: Sequence[Run]) -> Iterator[str]:
    """Runs of one fold have the same test images, and the runs of one seed the same fold."""
    folds = {run.fold for run in runs}
    without = sum(run.fold is None for run in runs)
    if None in folds and len(folds) > 1:
        yield f"fold: empty in {without} of {len(runs)} runs; allowed: a fold for every run that confirms, or for none"
    for seed in sorted({run.seed for run in runs}):
        of_seed = {run.fold for run in runs if run.seed == seed} - {None}
        if len(of_seed) > 1:
            yield f"fold: {_listed(of_seed)} for seed {seed}; allowed: one fold a seed, in all arms"
    for fold in sorted(folds, key=lambda fold: -1 if fold is None else fold):
        sizes = {len(run.correct) for run in runs if run.fold == fold and run.correct is not None}
        if len(sizes) > 1:
            whose = "all runs" if fold is None else f"all runs of fold {fold}"
            yield f"correct: {_listed(sizes)} images; allowed: the same for {whose}"


def _listed(numbers: Iterable[int | None]) -> str:
    return ", ".join(str(number) for number in sorted(number for number in numbers if number is not None))
