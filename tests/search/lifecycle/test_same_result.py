"""A trial's result is the same, bit for bit, in a new process, in one that trained others before, and after a break."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal
from resnext_search.results.journal.rows import Trial
from resnext_search.search import run_study
from resnext_search.spaces import Study

from tests.support.helpers import tiny_study

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("shared_ray")]

# Trains up to an epoch, or to the end, in a process that has done nothing before; prints the epochs, not their times.
FRESH = """
import itertools, json, sys
from pathlib import Path
from resnext_search.spaces import Configuration, Study
from resnext_search.trainers import train

study, configuration, seed, checkpoint, until = json.loads(sys.argv[1])
epochs = train(
    Study.model_validate_json(study), Configuration.from_json(configuration), seed, checkpoint=Path(checkpoint)
)
done = [[e.epoch, e.train_loss, e.validation_loss, e.validation_error] for e in itertools.islice(epochs, until)]
print(json.dumps(done))
"""


def fresh(study: Study, trial: Trial, checkpoint: Path, until: int | None = None) -> list[list[float]]:
    """The epochs of a trial, trained in a new process."""
    wanted = [study.model_dump_json(), trial.configuration.to_json(), trial.seed, str(checkpoint), until]
    return json.loads(subprocess.check_output([sys.executable, "-c", FRESH, json.dumps(wanted)], text=True))


def test_new_and_used_workers_and_a_break_give_the_same_bits(tmp_path: Path) -> None:
    workers = tmp_path / "workers"
    workers.mkdir()

    def noting(
        study: Any, configuration: Any, seed: int, *, latency: bool, checkpoint: Path, **where: Any
    ) -> Iterator[Any]:
        from resnext_search.trainers import train

        (workers / checkpoint.stem).write_text(str(os.getpid()))
        yield from train(study, configuration, seed, checkpoint=checkpoint, **where)

    study = tiny_study("search.trials=4", "trainer.epochs=3")

    folder = run_study(study, tmp_path / "run", train=noting, cpus=1, gpus=0)

    assert len({path.read_text() for path in workers.iterdir()}) == 1, "the worker was not used again"
    with Journal(folder.journal, read_only=True) as journal:
        trials = journal.trials()
        used = {
            t.trial_id: [
                [e.epoch, e.train_loss, e.validation_loss, e.validation_error] for e in journal.epochs(t.trial_id)
            ]
            for t in trials
        }
    assert len({json.dumps(epochs) for epochs in used.values()}) == 4, "different trials, different epochs"
    for trial in (trials[1], trials[3]):
        assert fresh(study, trial, tmp_path / f"{trial.trial_id}.pt") == used[trial.trial_id]
    broken = tmp_path / "broken.pt"
    fresh(study, trials[3], broken, until=2)
    assert fresh(study, trials[3], broken) == used[3]
