"""What does the journal say? Everything that is asked of it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import fields
from itertools import groupby
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError
from resnext_search.results.journal.file import damage_in_words, meta, open_file
from resnext_search.results.journal.rows import EpochRow, FailureRow, LatencyRow, Look, Machine, State, Trial
from resnext_search.spaces.architecture.architecture import Architecture
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.file import parse_study
from resnext_search.spaces.study.study import Phase, Study

_EPOCH = ", ".join(field.name for field in fields(EpochRow))
_FAILURE = ", ".join(field.name for field in fields(FailureRow))
_LATENCY = ", ".join(LatencyRow._fields)


class JournalReader:
    """The journal of one study, open to be asked: without the right to write, as `status` asks beside a live run.

    Args:
        path: The SQLite file; one of an older schema is brought to today's in memory.

    Raises:
        UsageError: There is no journal at `path`, or one of a newer schema.
        ResnextSearchError: The file is damaged or is no journal. Methods raise it too: damage may lie anywhere.
    """

    def __init__(self, path: Path) -> None:
        self._open(path, read_only=True)

    def _open(self, path: Path, *, read_only: bool) -> None:
        self.path = path
        self._connection, self.schema, self.kept = open_file(path, read_only=read_only)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; nothing is lost by not calling this."""
        self._connection.close()

    def _rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with damage_in_words(self.path):
            return self._connection.execute(query, values).fetchall()

    def study(self) -> Study:
        """The resolved study, as of the last change that was allowed."""
        text = _with_rules(meta(self.path, self._connection, "study"))
        try:
            return Study.model_validate_json(text)
        except ValidationError:  # of a plug-in that is no longer installed, say
            return parse_study(text, str(self.path))  # raises the same in words

    def birth(self) -> str:
        """A word that no other study has, drawn when the journal was made; empty in older ones, which have none."""
        rows = self._rows("SELECT value FROM meta WHERE key = 'birth'")
        return str(rows[0][0]) if rows else ""

    def data_version(self) -> int:
        """A number that changes when another connection has written; it costs next to nothing to ask."""
        return int(self._rows("PRAGMA data_version")[0][0])

    def active_seconds(self) -> float:
        """How long the study was at work, over all its sittings."""
        rows = self._rows("SELECT value FROM meta WHERE key = 'active_seconds'")
        return float(rows[0][0]) if rows else 0.0

    def forecast(self) -> dict[str, Any] | None:
        """What the study was expected to take, as `plan.json` has it; None if that was not measured."""
        rows = self._rows("SELECT value FROM meta WHERE key = 'forecast'")
        return json.loads(rows[0][0]) if rows else None

    def machines(self) -> dict[str, Machine]:
        """What the hosts are that trained, by the key that trials have, in the order of their first report."""
        rows = [dict(row) for row in self._rows("SELECT * FROM machines ORDER BY rowid")]
        return {row.pop("machine"): Machine(**row | {"versions": json.loads(row["versions"])}) for row in rows}

    def trials(self, *, phase: Phase | None = None, states: Sequence[State] = ()) -> list[Trial]:
        """The trials, in the order of their numbers; all, or those of a phase and of some states."""
        in_phase = "TRUE" if phase is None else "t.phase = ?"
        in_states = f"t.state IN ({', '.join('?' * len(states))})" if states else "TRUE"
        return self._select(f"{in_phase} AND {in_states}", *([] if phase is None else [phase]), *states)

    def trial(self, trial_id: int) -> Trial:
        """One trial.

        Raises:
            UsageError: There is none of this number.
        """
        found = self._select("t.trial_id = ?", trial_id)
        if not found:
            raise UsageError(f"{self.path}: no trial {trial_id}")
        return found[0]

    def _select(self, condition: str, *values: object) -> list[Trial]:
        rows = self._rows(
            "SELECT t.*, COUNT(e.epoch) AS epochs, COALESCE(SUM(e.seconds), 0.0) AS seconds "
            f"FROM trials t LEFT JOIN epochs e USING (trial_id) WHERE {condition} "
            "GROUP BY t.trial_id ORDER BY t.trial_id",
            *values,
        )
        return [
            Trial(
                **{**row, "configuration": Configuration.from_json(row["configuration"]), "alone": bool(row["alone"])}
            )
            for row in rows
        ]

    def epochs(self, trial_id: int) -> list[EpochRow]:
        """The epochs of a trial, in their order."""
        rows = self._rows(f"SELECT {_EPOCH} FROM epochs WHERE trial_id = ? ORDER BY epoch", trial_id)
        return [EpochRow(*row) for row in rows]

    def epochs_of_all(self) -> dict[int, list[EpochRow]]:
        """The epochs of every trial that has any, by its number: one question where a table would ask thousands."""
        rows = self._rows(f"SELECT trial_id, {_EPOCH} FROM epochs ORDER BY trial_id, epoch")
        groups = groupby(rows, key=lambda row: int(row[0]))
        return {number: [EpochRow(*row[1:]) for row in group] for number, group in groups}

    def changed_at(self) -> float:
        """When the last fact was recorded, in seconds since 1970; 0 before the first."""
        rows = self._rows(
            "SELECT MAX(COALESCE(ended_at, started_at, queued_at)) FROM trials "
            "UNION SELECT MAX(recorded_at) FROM epochs UNION SELECT MAX(judged_at) FROM looks"
        )
        return max(row[0] or 0.0 for row in rows)

    def damage(self) -> list[str]:
        """What SQLite finds wrong with the whole file, in its words; nothing in one that is sound."""
        return [row[0] for row in self._rows("PRAGMA integrity_check(3)") if row[0] != "ok"]

    def failures(self) -> list[FailureRow]:
        """The failures of trials that were then tried again, in the order of the trials and their attempts."""
        rows = self._rows(f"SELECT {_FAILURE} FROM failures ORDER BY trial_id, attempt")
        return [FailureRow(*row) for row in rows]

    def looks(self) -> list[Look]:
        """The looks at the runs that confirm, by their numbers of seeds, ascending."""
        rows = self._rows("SELECT seeds, word, planned, judged_at FROM looks ORDER BY seeds")
        return [Look(row["seeds"], row["word"], bool(row["planned"]), row["judged_at"]) for row in rows]

    def history(self, phase: Phase) -> list[tuple[int, int, float | None]]:
        """Trial, epoch and validation error of all epochs of a phase, in the order in which they were recorded."""
        rows = self._rows(
            "SELECT trial_id, epoch, e.validation_error FROM epochs e JOIN trials USING (trial_id) "
            "WHERE phase = ? ORDER BY e.rowid",
            phase,
        )
        return [(row["trial_id"], row["epoch"], row["validation_error"]) for row in rows]

    def measured_on(self, architecture: Architecture) -> list[str]:
        """The devices on which the latency of an architecture was measured: models, or `cpu` and `cuda` before 9."""
        rows = self._rows("SELECT device FROM latencies WHERE architecture = ? ORDER BY rowid", key_of(architecture))
        return [row["device"] for row in rows]

    def latency_devices(self) -> list[str]:
        """The devices on which any latency was measured, in the order of their first."""
        return [row[0] for row in self._rows("SELECT device FROM latencies GROUP BY device ORDER BY MIN(rowid)")]

    def latency(self, trial: Trial) -> LatencyRow | None:
        """What the architecture of a trial takes on the trial's device, or on any before that is known; or None."""
        return self.latencies([trial]).get(trial.trial_id)

    def latencies(self, trials: Sequence[Trial]) -> dict[int, LatencyRow]:
        """By number, what `latency` says of every trial of which it says anything."""
        one = key_of(trials[0].configuration.architecture) if len(trials) == 1 else None
        rows = self._rows(
            f"SELECT architecture, device, {_LATENCY} FROM latencies WHERE architecture = COALESCE(?, architecture) "
            "ORDER BY rowid DESC",
            one,
        )
        known: dict[tuple[str, str | None], LatencyRow] = {}
        for architecture, device, *times in rows:  # of several devices the first that measured is the last to be put
            known[architecture, device] = known[architecture, None] = LatencyRow(*times)
        models = {key: machine.computes for key, machine in self.machines().items()} if known else {}
        found = {}
        for trial in trials:
            model = models.get(trial.machine or "", "")
            # under `cpu` and `cuda` an older schema has what stood for all devices of the kind, and still does
            names = (model, None) if trial.device is None else (trial.device, model)
            keys = ((key_of(trial.configuration.architecture), name) for name in names)
            if (row := next((known[key] for key in keys if key in known), None)) is not None:
                found[trial.trial_id] = row
        return found


def key_of(architecture: Architecture) -> str:
    """How the table of latencies writes an architecture."""
    return Configuration(architecture).to_json()


def _with_rules(text: str) -> str:
    """A study that does not say its rules was begun before there were others than the first."""
    study = json.loads(text)
    return text if "rules" in study else json.dumps(study | {"rules": 1})
