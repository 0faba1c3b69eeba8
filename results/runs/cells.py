"""What stands in the cells of a row? Each is read in every way that people and programs write it, or complained of."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from numpy.typing import NDArray
from resnext_search.results.inference.sample import FINISHED
from resnext_search.results.runs import numbers
from resnext_search.results.runs.complaints import Complaint
from resnext_search.spaces.correctness import unpack_correct
from resnext_search.spaces.errors import UsageError

PHASES = ("search", "tune", "confirm")
STATES = ("queued", "running", "stopped", "interrupted", *FINISHED)
# How Weights & Biases, Optuna, MLflow and Ray Tune say it, in any case. A run that someone killed has not ended.
_SAID_ELSEWHERE = {
    **dict.fromkeys(("complete", "finished", "terminated", "done", "success", "succeeded", "ok"), "completed"),
    **dict.fromkeys(("fail", "crashed", "error", "diverged"), "failed"),
    **dict.fromkeys(("pruned",), "stopped"),
    **dict.fromkeys(("killed", "preempted", "preempting"), "interrupted"),
    **dict.fromkeys(("waiting", "pending", "scheduled"), "queued"),
}
_STATE_WORDS = {state: state for state in STATES} | _SAID_ELSEWHERE
# What programs write into an empty cell. In the column `arm` these are names.
_EMPTY = frozenset(("", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "-"))
# Categories of Unicode: control characters, and ends of lines and paragraphs.
_OF_CONTROL = frozenset(("Cc", "Zl", "Zp"))
# Of a number whose comma nothing in the table explains, and of an error that is none.
UNCLEAR = "without a comma: nothing here says whether 4,100 is 4100 or 4.1"
OF_FAILED = "; empty, with the word failed in the column state, for a run that failed"
_COUNTED = {
    "multiply_adds": "single multiply-adds of one image, such as 748000000, 748M or 0.748G",
    "parameters": "single parameters, such as 25500000 or 25.5M",
    "activations": "single activations of one image, such as 11100000 or 11.1M",
}


@dataclass(frozen=True)
class Cells:
    """A row, and where to complain of it. What is empty or wrong is None.

    Args:
        cells: By the name of their column.
        where: As complaints say it.
        complaints: What is wrong is added to them.
        decimal_comma: Whether the table writes 3,19 for 3.19; None if nothing in it says whether 4,100 is 4.1.
    """

    cells: Mapping[Any, Any]
    where: str
    complaints: list[Complaint]
    decimal_comma: bool | None

    def name(self) -> str | None:
        """The arm; None and NaN may be the name of one where they are text. Terminals obey control characters."""
        value = self.cells.get("arm")
        text = "" if _is_missing(value) else str(value).strip()
        if not text:
            self._complain("arm", "empty", "a name")
        elif any(unicodedata.category(char) in _OF_CONTROL for char in text):
            self._complain("arm", ascii(text[:40]), "a name without control characters and line ends")
        return text or None

    def seed(self) -> int | None:
        """A whole number that must not be missing."""
        before, allowed = len(self.complaints), "a whole number"
        seed: int | None = self.read("seed", self._whole, allowed)
        if seed is None and len(self.complaints) == before:
            self._complain("seed", "empty", allowed)
        return seed

    def phase(self) -> str:
        """A run of no phase is evidence, as those that confirm."""
        return self._word("phase", {phase: phase for phase in PHASES}, "confirm")

    def state(self) -> str:
        """A run of no state was trained to its end."""
        return self._word("state", _STATE_WORDS, "completed")

    def correct(self) -> NDArray[Any] | None:
        """Which test images were recognised."""
        answers: NDArray[Any] | None = self.read("correct", unpack_correct, "<images>:<packed bits in base 64>")
        return answers

    def fold(self) -> int | None:
        """Which part of the images was tested on."""

        def parse(value: Any) -> int:
            fold = self._whole(value)
            if not 0 <= fold < 2**63:
                raise ValueError
            return fold

        fold: int | None = self.read("fold", parse, "a whole number, 0 or more")
        return fold

    def text(self, column: str) -> str | None:
        """Any words."""
        text: str | None = self.read(column, lambda value: str(value).strip(), "a name")
        return text

    def number(self, column: str, least: float, most: float = math.inf) -> float | None:
        """A finite number within limits; a percentage may have its sign."""

        def parse(value: Any) -> float:
            text = value.rstrip().removesuffix("%") if most == 100 and isinstance(value, str) else value
            number = float(numbers.plain(text, decimal_comma=self.decimal_comma))
            if not least <= number <= most or math.isinf(number):
                raise ValueError
            return number

        span = f"{least:g} to {most:g}" if most < math.inf else "0 or more" if least == 0 else "more than 0"
        comma = " with a decimal comma, as others here have" if self.decimal_comma else ""
        failed = OF_FAILED if column == "test_error" else ""
        number: float | None = self.read(column, parse, f"a number{comma}, {span}{self._unclear()}{failed}")
        return number

    def count(self, column: str) -> float | None:
        """What one image costs an arm, or what it has to remember."""

        def parse(value: Any) -> float:
            return numbers.count(value, decimal_comma=self.decimal_comma)

        count: float | None = self.read(column, parse, f"{_COUNTED[column]}{self._unclear()}")
        return count

    def _unclear(self) -> str:
        return f", {UNCLEAR}" if self.decimal_comma is None else ""

    def read(self, column: str, parse: Callable[[Any], Any], allowed: str) -> Any:
        """A cell, parsed."""
        value = self.cells.get(column)
        if _is_missing(value) or (isinstance(value, str) and value.strip().casefold() in _EMPTY):
            return None
        try:
            return parse(value)
        except (ValueError, TypeError, AttributeError, OverflowError, UsageError):
            self._complain(column, repr(str(value)[:40]), allowed)
            return None

    def _word(self, column: str, words: Mapping[str, str], otherwise: str) -> str:
        """One of some words in any case; Optuna's table may say `TrialState.COMPLETE`."""

        def parse(value: Any) -> str:
            return words[str(value).strip().casefold().removeprefix("trialstate.")]

        try:
            return self.read(column, parse, "") or otherwise
        except KeyError:
            self._complain(column, repr(str(self.cells[column])[:40]), ", ".join(dict.fromkeys(words.values())))
            return otherwise

    def _whole(self, value: Any) -> int:
        return numbers.whole(value, decimal_comma=self.decimal_comma)

    def _complain(self, column: str, found: str, allowed: str) -> None:
        self.complaints.append(Complaint(column, f"{found} in {self.where}", allowed))


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or bool(value != value)
