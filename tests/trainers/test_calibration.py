"""Calibration: seconds of an epoch near those of a real one, and the memory of this process alone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
import torch
from resnext_search.spaces import Configuration, Study
from resnext_search.spaces.errors import DataError
from resnext_search.trainers import calibration, measure, train
from resnext_search.trainers.training_run import TrainingRun

PRINT_PEAK = "from resnext_search.trainers.calibration import _peak_bytes; print(_peak_bytes())"


def test_an_epoch_is_forecast_within_a_factor_of_five(study: Study, configuration: Configuration) -> None:
    found = measure(study.model_dump_json(), configuration.to_json())
    real = min(epoch.seconds for epoch in train(study, configuration, 0))
    assert real / 5 < found.seconds_per_epoch < real * 5  # wide, since this machine may be busy


def test_the_clock_runs_for_half_a_second_and_the_peak_holds_at_least_torch(
    study: Study, configuration: Configuration
) -> None:
    began = time.perf_counter()
    found = measure(study.model_dump_json(), configuration.to_json())
    assert time.perf_counter() - began > 0.5
    assert 100e6 < found.peak_bytes < 100e9


class Loss:
    """Counts how often a loss was looked at: a GPU would be waited for."""

    looks = 0

    def __float__(self) -> float:
        Loss.looks += 1
        return 1.0


def test_while_the_clock_runs_no_step_is_waited_for(
    study: Study, configuration: Configuration, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def fast(*_: object) -> Iterator[Loss]:
        nonlocal steps
        for _ in range(4):
            time.sleep(0.002)
            steps += 1
            yield Loss()

    monkeypatch.setattr(TrainingRun, "steps", fast)
    monkeypatch.setattr(calibration, "LEAST_CALIBRATION_SECONDS", 0.05)
    found = measure(study.model_dump_json(), configuration.to_json())
    assert steps > Loss.looks == calibration.WARM_UP_STEPS + 1
    assert found.seconds_per_epoch > 4 * 0.002


@pytest.mark.parametrize(
    ("gpu", "best", "expected"),
    [("auto", "cuda", "cuda"), (0.25, "cuda", "cuda"), (0.0, "cuda", "cpu"), (1.0, "cpu", "cpu")],
)
def test_what_is_measured_is_measured_where_trials_would_train(
    study: Study,
    configuration: Configuration,
    monkeypatch: pytest.MonkeyPatch,
    gpu: str | float,
    best: str,
    expected: str,
) -> None:
    class Made(Exception):
        """With what a trial was made."""

    def made(*_: object, device: torch.device, **__: object) -> None:
        raise Made(str(device))

    monkeypatch.setattr(calibration, "best_device", lambda: best)
    monkeypatch.setattr(calibration, "TrainingRun", made)
    resources = study.resources.model_copy(update={"gpu": gpu})
    with pytest.raises(Made, match=f"^{expected}$"):
        measure(study.model_copy(update={"resources": resources}).model_dump_json(), configuration.to_json())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux hands the peak of memory on to a new process")
def test_the_peak_of_the_process_that_started_this_one_does_not_count() -> None:
    ballast = b"x" * 1_000_000_000
    peak = subprocess.run([sys.executable, "-c", PRINT_PEAK], capture_output=True, text=True, check=True).stdout
    assert int(peak) < len(ballast)


def test_a_batch_larger_than_the_data_is_refused(study: Study, configuration: Configuration) -> None:
    large = Configuration(configuration.architecture, (("batch_size", 4_096.0),))
    with pytest.raises(DataError, match="128 images to train on are fewer than one batch of 4,096"):
        measure(study.model_dump_json(), large.to_json())
