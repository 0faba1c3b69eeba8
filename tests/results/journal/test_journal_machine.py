"""Whatever happens to a journal in whatever order, it says what a few lines of plain Python say of the same events."""

from __future__ import annotations

import dataclasses
import shutil
import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from resnext_search.results import EpochRow, Journal, LatencyRow
from resnext_search.spaces import Configuration
from resnext_search.spaces.errors import ResnextSearchError

from tests.support.helpers import tiny_study
from tests.support.journals import HERE, epoch_row, point

NUMBERS = st.integers(0, 5)  # of trials, also of some that there are not
ERRORS = st.floats(0, 100)


@dataclasses.dataclass
class Expected:
    """What should stand in the journal of a trial."""

    phase: str
    configuration: Configuration
    seed: int
    state: str = "queued"
    attempts: int = 0
    alone: bool = False
    micro_batches: int = 1
    validation_error: float | None = None
    test_error: float | None = None
    stop_epoch: int | None = None
    checkpoint: str | None = None
    failure_class: str | None = None
    epochs: dict[int, EpochRow] = dataclasses.field(default_factory=dict)


class JournalMachine(RuleBasedStateMachine):
    """A journal and a list of what it should say."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.journal = Journal(self.folder / "journal.sqlite", study=tiny_study())
        self._hurry()
        self.trials: list[Expected] = []
        self.order: list[tuple[int, int]] = []
        self.latencies: dict[tuple[int, str], LatencyRow] = {}
        self.deaths = 0

    def teardown(self) -> None:
        self.journal.close()
        shutil.rmtree(self.folder)

    def _hurry(self) -> None:
        """Not every one of some ten thousand facts need survive a power cut."""
        self.journal._connection.execute("PRAGMA synchronous=OFF")

    def _running(self, number: int) -> Expected | None:
        found = self.trials[number] if number < len(self.trials) else None
        return found if found is not None and found.state == "running" else None

    # ------------------------------------------------------------------ what a run does

    @precondition(lambda self: len(self.trials) < 5)
    @rule(phase=st.sampled_from(["search", "tune", "confirm"]), place=st.integers(0, 7), seed=st.integers(0, 2**63 - 1))
    def enqueue(self, phase: Any, place: int, seed: int) -> None:
        assert self.journal.enqueue(phase, point(place), seed, "plan") == len(self.trials)
        self.trials.append(Expected(phase, point(place), seed))

    @rule(number=NUMBERS)
    def start(self, number: int) -> None:
        self.journal.start(number, f"checkpoints/trial-{number:05d}.pt")
        if number < len(self.trials) and self.trials[number].state in ("queued", "interrupted"):
            trial = self.trials[number]
            trial.state, trial.attempts = "running", trial.attempts + 1
            trial.checkpoint = f"checkpoints/trial-{number:05d}.pt"

    @rule(
        number=NUMBERS,
        epoch=st.integers(1, 3),
        error=ERRORS,
        final=st.booleans(),
        stop=st.sampled_from([None, None, "stopped", "audited"]),
    )
    def epoch(self, number: int, epoch: int, error: float, final: bool, stop: Any) -> None:
        row, more = epoch_row(epoch, error), {}
        confirms = number < len(self.trials) and self.trials[number].phase == "confirm"
        if confirms:
            row, stop = dataclasses.replace(row, validation_loss=None, validation_error=None), None
            more = {"test_error": error, "test_correct": "1:gA=="} if final else {}
        trial = self._running(number)
        ended = self.journal.record_epoch(number, row, **HERE, final=final, stop=stop, **more)
        assert ended == (trial is not None and (final or stop == "stopped"))
        if trial is None:
            return
        if epoch not in trial.epochs:
            trial.epochs[epoch] = row
            self.order.append((number, epoch))
        if stop is not None:
            trial.stop_epoch = epoch
        if ended:
            trial.state, trial.checkpoint = ("completed" if final else "stopped"), None
            trial.validation_error = row.validation_error if final else None
            trial.test_error = more.get("test_error")

    @rule(number=NUMBERS)
    def an_epoch_that_is_none(self, number: int) -> None:
        """A trial cannot be completed without an error, nor with NaN for one: nothing of it is written."""
        row = epoch_row(1, float("nan"))
        if self._running(number) is None:
            assert self.journal.record_epoch(number, row, **HERE, final=True) is False
        else:
            with pytest.raises(sqlite3.IntegrityError):
                self.journal.record_epoch(number, row, **HERE, final=True)

    @rule(number=NUMBERS)
    def fail(self, number: int) -> None:
        trial = self._running(number)
        assert self.journal.fail(number, "ValueError", "why") == (trial is not None)
        if trial is not None:
            trial.state, trial.failure_class, trial.checkpoint = "failed", "ValueError", None

    @rule(number=NUMBERS, alone=st.booleans(), parts=st.integers(1, 4))
    def put_back(self, number: int, alone: bool, parts: int) -> None:
        self.journal.put_back(number, alone=alone, micro_batches=parts)
        trial = self._running(number)
        if trial is not None:
            trial.state, trial.alone, trial.micro_batches = "interrupted", alone, parts

    @rule()
    def interrupt(self) -> None:
        running = [trial for trial in self.trials if trial.state == "running"]
        assert self.journal.interrupt_running() == len(running)
        for trial in running:
            trial.state = "interrupted"

    @rule(place=st.integers(0, 7), device=st.sampled_from(["cpu", "cuda"]), times=st.floats(0.1, 9))
    def measure(self, place: int, device: str, times: float) -> None:
        self.journal.record_latency(point(place).architecture, LatencyRow(times, 0.0), device=device, host="here")
        self.latencies.setdefault((place, device), LatencyRow(times, 0.0))

    # ------------------------------------------------------------------ what happens to a run

    @rule()
    def reopen(self) -> None:
        self.journal.close()
        self.journal = Journal(self.folder / "journal.sqlite")
        self._hurry()

    @rule()
    def die(self) -> None:
        """What lies on the disk when a process is killed, without a goodbye to SQLite, is opened by the next."""
        self.deaths += 1
        left = self.folder / f"after-{self.deaths}"
        left.mkdir()
        for path in self.folder.glob("journal.sqlite*"):
            shutil.copy(path, left)
        self.journal.close()
        for path in left.iterdir():
            path.replace(self.folder / path.name)
        self.reopen()

    @rule()
    def the_disk_is_full(self) -> None:
        """A fact that fits nowhere is not half there."""
        connection = self.journal._connection
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(ResnextSearchError, match="cannot be written"):
            self.journal.enqueue("search", point(0), 0, "x" * 100_000)  # type: ignore[arg-type]
        connection.execute("PRAGMA max_page_count = 1000000")

    # ------------------------------------------------------------------ what it says

    @invariant()
    def it_says_what_happened(self) -> None:
        with Journal(self.folder / "journal.sqlite", read_only=True) as reader:
            told, epochs = reader.trials(), reader.epochs_of_all()
            assert reader.history("search") == [
                (number, epoch, self.trials[number].epochs[epoch].validation_error)
                for number, epoch in self.order
                if self.trials[number].phase == "search"
            ]
            for place in range(8):
                devices = reader.measured_on(point(place).architecture)
                assert devices == [device for where, device in self.latencies if where == place]
        assert [trial.trial_id for trial in told] == list(range(len(self.trials)))
        for trial, expected in zip(told, self.trials, strict=True):
            names = [field.name for field in dataclasses.fields(Expected) if field.name != "epochs"]
            assert {name: getattr(trial, name) for name in names} == {name: getattr(expected, name) for name in names}
            assert epochs.get(trial.trial_id, []) == [row for _, row in sorted(expected.epochs.items())]
            assert trial.epochs == len(expected.epochs)
            assert (trial.ended_at is not None) == (trial.state in ("completed", "stopped", "failed"))


TestJournalMachine = JournalMachine.TestCase
TestJournalMachine.settings = settings(
    max_examples=30, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
