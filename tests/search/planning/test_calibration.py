"""A forecast: by hand from what a made-up process answers, and once from a real one."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from resnext_search.search.planning import calibration
from resnext_search.search.planning.calibration import Calibrating, sharing_here
from resnext_search.search.planning.workload import loads
from resnext_search.spaces import Study
from resnext_search.spaces.errors import DataError, ResnextSearchError

from tests.support.helpers import TINY_CLAIM, tiny_study

IMAGES = {"count": 1_797, "bytes": 115_008, "allowed": 10**9, "kept": True}
WHERE = {"device": "cpu", "gpus": 0, "gpu_bytes": 0, "machine": {"processor": "AMD EPYC", "cores": 4}, "images": IMAGES}
# The seconds of an epoch: of the median architecture, the dearest, the cheapest.
SECONDS = (2.0, 3.0, 1.0)


def asked(monkeypatch: pytest.MonkeyPatch, study: Study, text: str, *, elsewhere: bool = False) -> Calibrating:
    """What asks this program instead of the real one."""
    monkeypatch.setattr(calibration, "_PROGRAM", text)
    return Calibrating(study, study.feasible_set(), elsewhere=elsewhere)


def forecast(study: Study, *seconds: float, elsewhere: bool = False, **where: object) -> dict[str, Any] | None:
    """The forecast if the epochs of so many architectures take so long."""
    measured = [{"seconds_per_epoch": one, "peak_bytes": 10**9 * place} for place, one in enumerate(seconds, start=1)]
    answers = [json.dumps(answer) for answer in ({**WHERE, **where}, *measured)]
    text = f"print({chr(10).join(answers)!r})"
    with pytest.MonkeyPatch.context() as patched, asked(patched, study, text, elsewhere=elsewhere) as process:
        return process.forecast(15)


def test_a_search_is_a_multiple_of_its_epochs() -> None:
    """4 trials of 2 epochs, 2 at once: 4 epochs on the clock, 8 of all trials together."""
    found = forecast(tiny_study("search.parallel=2", "resources.cpu=1"), *SECONDS)
    assert found is not None
    workers = min(2, os.cpu_count() or 1)
    assert (found["workers"], found["peak_bytes"]) == (workers, workers * 3 * 10**9)
    assert found["seconds"] == {"median": 16.0 / workers, "dearest": 24.0 / workers, "cheapest": 8.0 / workers}
    assert found["phases"] == {
        "search": {"trials": 4, "seconds": {"median": 16.0, "dearest": 24.0, "cheapest": 8.0}},
    }
    assert (found["device"], found["machine"], found["elsewhere"]) == ("cpu", WHERE["machine"], False)
    assert found["images"] == IMAGES
    assert {role: one["architecture"] for role, one in found["measured"].items()} == {
        "cheapest": "1x6d-8",  # the fewest activations of the eight
        "median": "1x5d-11",
        "dearest": "4x2d-11",
    }


def test_the_phases_of_a_claim_count_by_their_work() -> None:
    """A trial that confirms trains on all the images of its fold, where one that searches leaves out another fold."""
    study = tiny_study(TINY_CLAIM, "search.parallel=1")
    found = forecast(study, 1.0)
    assert found is not None
    assert {name: phase["trials"] for name, phase in found["phases"].items()} == {
        "search": 4,
        "tune": 52,
        "confirm": 34,
    }
    search, *_ = loads(study)
    for name, phase in found["phases"].items():
        work = sum(one.trials * one.images * one.multiply_adds for one in loads(study) if one.phase == name)
        assert phase["seconds"]["median"] == pytest.approx(2 * work / search.images / search.multiply_adds, abs=0.05)
    together = sum(phase["seconds"]["median"] for phase in found["phases"].values())
    assert found["seconds"] == {"median": pytest.approx(together, abs=0.2)}


def test_what_was_measured_in_time_is_enough_if_it_is_the_median() -> None:
    assert (forecast(tiny_study(), 2.0) or {})["seconds"].keys() == {"median"}
    assert (forecast(tiny_study(), 2.0, 3.0) or {})["measured"].keys() == {"median", "dearest"}
    assert forecast(tiny_study()) is None


def test_on_a_machine_with_gpus_trials_run_on_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 12 cores 6 are for each of the 2 GPUs, which 8 trials would fill."""
    monkeypatch.setattr("os.cpu_count", lambda: 12)
    for gpu, workers in (("auto", 12), ("1", 2), ("0.5", 4)):
        study = tiny_study(f"resources.gpu={gpu}", "search.trials=8")
        found = forecast(study, 1.0, gpus=2, gpu_bytes=16 * 2**30, device="cuda")
        assert found is not None
        assert found["workers"] == workers
        assert (found["gpus"], found["gpu_bytes"]) == (2, 16 * 2**30)


def test_what_auto_does_is_known_where_a_machine_was_measured_or_said_of_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 12)
    measured = {"gpus": 2, "gpu_bytes": 16 * 2**30, "elsewhere": False}
    for forecast, trials, of in (
        (measured, 6, "; 8 would fill it, but there are cores for no more; each needs 1.2 GiB of 16"),
        (None, 6, "; 8 would fill it, but its memory holds no more; each needs 1.2 GiB of 8 that it is taken to have"),
        (measured | {"gpus": 12}, 1, "; 8 would fill it, but there are cores for no more; each needs 1.2 GiB of 16"),
    ):
        found = sharing_here(tiny_study(), forecast)
        assert found is not None
        share = f"{trials} trials share a GPU" if trials > 1 else "one trial a GPU"
        assert found == (trials, f"{share}: networks of 0.0 million multiply-adds leave it idle{of}")
    assert sharing_here(tiny_study(), measured | {"elsewhere": True}) == sharing_here(tiny_study(), None)
    assert sharing_here(tiny_study(), measured | {"gpus": 0, "gpu_bytes": 0}) is None
    assert sharing_here(tiny_study("resources.gpu=1"), measured) is None


def test_of_a_cluster_it_says_that_nothing_was_measured() -> None:
    for elsewhere in (True, False):
        found = forecast(tiny_study(), 1.0, elsewhere=elsewhere)
        assert found is not None
        assert found["elsewhere"] is elsewhere


def test_when_the_time_is_up_what_is_there_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last line was not finished."""
    lines = "\\n".join(json.dumps(answer) for answer in (WHERE, {"seconds_per_epoch": 2.0, "peak_bytes": 1}))
    text = f"import time; print('{lines}'); print('{{', end='', flush=True); "
    text += f"open('{tmp_path}/said', 'w'); time.sleep(60)"
    with asked(monkeypatch, tiny_study(), text) as process:
        while not (tmp_path / "said").exists():
            time.sleep(0.01)
        began = time.monotonic()
        found = process.forecast(0.5)
    assert 0.4 < time.monotonic() - began < 15
    assert found is not None
    assert found["measured"] == {"median": {"seconds_per_epoch": 2.0, "peak_bytes": 1, "architecture": "1x5d-11"}}


def test_a_process_that_nobody_asks_ends_with_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    with asked(monkeypatch, tiny_study(), "import time; time.sleep(60)") as process:
        pass
    assert process._process.returncode == -9


def test_what_is_wrong_with_the_data_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"print({json.dumps({'error': 'data: none', 'hint': 'Bring some.'})!r})"
    with asked(monkeypatch, tiny_study(), text) as process, pytest.raises(DataError, match="data: none") as caught:
        process.forecast()
    assert caught.value.hint == "Bring some."


def test_a_process_that_fails_is_an_error_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        asked(monkeypatch, tiny_study(), "raise MemoryError('of this machine')") as process,
        pytest.raises(ResnextSearchError, match="ended with 1: MemoryError: of this machine"),
    ):
        process.forecast()


@pytest.mark.slow
def test_three_real_networks_are_measured_on_this_machine() -> None:
    study = tiny_study("search.parallel=2", "axes.batch_size=[32, 64]")
    with Calibrating(study, study.feasible_set()) as process:
        found = process.forecast()
    assert found is not None
    assert found["measured"].keys() == {"median", "dearest", "cheapest"}
    assert 1e8 < found["peak_bytes"] / found["workers"] < 1e10
    assert found["machine"]["cores"] == os.cpu_count()
    assert found["images"] == IMAGES  # the digits: 8 x 8 bytes each


@pytest.mark.slow
def test_data_that_are_missing_are_said_by_the_real_process(tmp_path: Path) -> None:
    study = tiny_study(f"data={{name: image_folder, root: {tmp_path}/none, resolution: 8, classes: 10}}")
    with (
        Calibrating(study, study.feasible_set()) as process,
        pytest.raises(DataError, match=f"{tmp_path}/none"),
    ):
        process.forecast()
