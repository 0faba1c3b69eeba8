"""Small real studies, and the command line as a user starts it, for tests of whole runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from resnext_search.spaces import Study
from resnext_search.spaces.study.file import parse_study
from resnext_search.spaces.study.sections import Recipe

# Real training of real networks on the real digits, as small as it can be: a few seconds for the whole study.
TINY_STUDY = """
name: tiny
data: {name: digits, train_images: 256, validation_images: 200}
template: {stem: cifar, stride: 2, planes: 4, stages: 2}
budget: {like: {cardinality: 2, width: 4, blocks: [1, 1]}, tolerance: 5%}
axes:
  cardinality: [1, 2, 4]
  width: {min: 1, max: 16}
  blocks: {min: 1, max: 2}
  learning_rate: {min: 0.01, max: 1.0, scale: log}
trainer: {epochs: 2, batch_size: 64}
search: {trials: 4}
"""

# The three arms of a spend, at three learning rates of which the middle one is good, on five fresh seeds.
TINY_CLAIM = (
    "claim={kind: spend, base: {cardinality: 1, width: 4, blocks: [1, 1]}, tuning_trials: 3, seeds: 5, margin: 5.0}"
)
# Ten networks of the tiny study with C = 1 and ten with C > 1, after three more of each that tune, at three rates.
TINY_SPACES = (
    "template={stem: cifar, stride: 2, planes: 8, stages: 3}",
    "axes.width.max=64",
    "axes.blocks.max=4",
    "budget.like={cardinality: 2, width: 8, blocks: [1, 1, 1]}",
    "claim={kind: spaces, seeds: 10, tuning_seeds: 3, tuning_trials: 3, margin: 5.0}",
)


def tiny_study(*overrides: str) -> Study:
    """The tiny study, with `key=value` overrides."""
    return parse_study(TINY_STUDY, "tiny.yaml", overrides)


def changed(study: Study, **recipe: Any) -> Study:
    """The study with other values in its recipe."""
    return study.model_copy(update={"trainer": Recipe.model_validate({**study.trainer.model_dump(), **recipe})})


def command(*arguments: str) -> list[str]:
    """The command line of `resnext-search ARGUMENTS`, in this environment."""
    return [sys.executable, "-m", "resnext_search.search", *arguments]


@contextmanager
def running(arguments: Sequence[str], folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`resnext-search` in the background for the time of the block, with its words in `folder/words.txt`."""
    with (folder / "words.txt").open("a") as words:
        driver = subprocess.Popen(
            command(*arguments), stdout=words, stderr=subprocess.STDOUT, cwd=folder, text=True, start_new_session=True
        )
    try:
        yield driver
    finally:
        with suppress(ProcessLookupError):
            os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()


def wait_for(condition: Callable[[], bool], driver: subprocess.Popen[str], *, seconds: float = 180) -> None:
    """Wait until the condition holds; fail if the driver ends or the time does before."""
    patience = time.monotonic() + seconds
    while not condition():
        assert driver.poll() is None, "the driver ended too early"
        assert time.monotonic() < patience, "it did not happen in time"
        time.sleep(0.01)


def finish(arguments: Sequence[str], folder: Path, *, seconds: float = 300) -> subprocess.CompletedProcess[str]:
    """Run `resnext-search` to its end."""
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        cwd=folder,
        text=True,
        timeout=seconds,
        env={**os.environ},
        check=False,
    )
