"""What a run keeps of its forecast: the first one, measured before the first trial. Nothing is trained here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.search import run_study
from resnext_search.search.planning.calibration import Calibrating
from resnext_search.spaces import Study
from resnext_search.spaces.errors import DataError

from tests.search.execution.test_backend import in_process, train
from tests.support.helpers import TINY_STUDY, finish, tiny_study
from tests.support.journals import FORECAST


class Measured(Calibrating):
    """What a process has measured, or why it could not."""

    def __init__(self, *seconds: float, error: Exception | None = None) -> None:
        self.seconds, self.error, self.waits = seconds, error, list[float | None]()

    def forecast(self, seconds: float | None = None) -> dict[str, Any] | None:
        self.waits.append(seconds)
        if self.error is not None:
            raise self.error
        if not self.seconds:
            return None
        return FORECAST | {"seconds": dict(zip(("median", "dearest", "cheapest"), self.seconds, strict=False))}


def run(path: Path, measured: Calibrating | None, study: Study | None = None) -> StudyFolder:
    return run_study(study or tiny_study(), path / "run", train=train, calibrating=measured, backend=in_process)


def kept(folder: StudyFolder) -> Any:
    """The forecast of the plan, which is that of the journal."""
    forecast = json.loads(folder.plan.read_text())["forecast"]
    with Journal(folder.journal, read_only=True) as journal:
        assert journal.forecast() == forecast
    return forecast


def test_the_first_forecast_stays_however_often_the_study_is_continued(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = Measured(60.0, 90.0, 30.0)
    folder = run(tmp_path, first)
    said = capfd.readouterr().out
    assert "Forecast: 60 s with 2 trials at once on this machine's cores (30 s to 90 s, by architecture)\n" in said
    assert first.waits == [15.0]
    assert kept(folder)["seconds"] == {"median": 60.0, "dearest": 90.0, "cheapest": 30.0}
    assert "Forecast before the first trial: 60 s on the clock" in folder.report.read_text()
    again = Measured(1.0)
    for study in (tiny_study(), tiny_study("search.trials=5")):
        run(tmp_path, again, study)
        assert kept(folder)["seconds"]["median"] == 60.0
    folder.plan.unlink()
    run(tmp_path, None, tiny_study("search.trials=5"))  # what is lost is made again from the journal
    assert kept(folder)["seconds"]["median"] == 60.0
    assert again.waits == []


@pytest.mark.parametrize(
    ("measured", "words"),
    [
        (Measured(), "No forecast: no network was measured within 15 s\n"),
        (Measured(error=DataError("data: too few")), "No forecast: data: too few\n"),
        (None, ""),
    ],
)
def test_a_study_that_could_not_be_measured_runs_all_the_same_and_is_not_measured_later(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], measured: Calibrating | None, words: str
) -> None:
    folder = run(tmp_path, measured)
    said = capfd.readouterr().out
    assert words in said
    assert ("forecast" in said) == bool(words)
    assert kept(folder) is None
    assert "No forecast of the time was measured before the first trial" in folder.report.read_text()
    run(tmp_path, Measured(1.0))
    assert kept(folder) is None


def test_every_trial_knows_the_machine_that_it_ran_on(tmp_path: Path) -> None:
    folder = run(tmp_path, None)
    with Journal(folder.journal, read_only=True) as journal:
        [(key, machine)] = journal.machines().items()
        assert {trial.machine for trial in journal.trials()} == {key}
    assert machine.cores >= 1
    assert machine.processor in folder.report.read_text()
    assert f'"{machine.processor}"' in folder.trials.read_text()


@pytest.mark.slow
def test_the_command_measures_for_at_most_fifteen_seconds_and_says_what_came_of_it(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(TINY_STUDY)
    done = finish(["run", "tiny.yaml", "--out", "run"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    forecast = kept(StudyFolder(tmp_path / "run"))
    if forecast is None:  # a machine that is so busy that torch is not imported by then
        assert "No forecast: no network was measured within 15 s" in done.stdout
    else:
        assert re.search(
            r"^Forecast: \d+ s with \d+ trials? at once on this machine's cores \(", done.stdout, re.MULTILINE
        )
        assert forecast["phases"]["search"]["trials"] == 4
