"""A run is bounded: by the time of a trial, by the time of the study, and by the room there is."""

from __future__ import annotations

import ctypes
import json
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from resnext_search.results import Journal
from resnext_search.search import run_study
from resnext_search.search.lifecycle.control import retry_failed
from resnext_search.search.machines.cluster import Cluster
from resnext_search.search.machines.room import Node
from resnext_search.search.ray_backend import callbacks
from resnext_search.search.ray_backend.callbacks import WatchdogCallback
from resnext_search.search.ray_backend.searcher import RayScheduler, RaySearcher
from resnext_search.spaces.errors import BudgetEnded, MachineLost

from tests.support.desk import Desk
from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, point

# as trainers.Epoch, without torch: a worker that need not import it begins at once
Epoch = namedtuple(
    "Epoch", "epoch learning_rate train_loss validation_loss validation_error seconds test_error test_correct"
)


def epochs(study: Any, seed: int) -> Iterator[Any]:
    """Made-up epochs of a trial."""
    for epoch in range(1, study.trainer.epochs + 1):
        yield Epoch(epoch, 0.1, 1.0, 1.0, 50.0 + seed % 7, 0.01, None, None)


@pytest.mark.slow
def test_trials_that_hang_and_a_study_that_takes_too_long_are_ended(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], shared_ray: None
) -> None:
    """The one hangs where no exception reaches it, and fails; the other is interrupted when the study's time is up."""

    def hang(study: Any, configuration: Any, seed: int, *, checkpoint: Path, **_: Any) -> Iterator[Any]:
        if checkpoint.stem == "trial-00001":
            ctypes.PyDLL(None).sleep(600)  # in C, and with the interpreter's lock held
        yield from epochs(study, seed)

    def sleep(study: Any, configuration: Any, seed: int, **_: Any) -> Iterator[Any]:
        time.sleep(600)
        yield from epochs(study, seed)

    common = ["search={trials: 4, parallel: 2, optimizer: sobol}", "resources.gpu=0"]
    folder = run_study(tiny_study(*common, "limits.trial_time=10s"), tmp_path / "run", train=hang, cpus=2)

    with Journal(folder.journal, read_only=True) as journal:
        trials, active = journal.trials(), journal.active_seconds()
    assert [trial.state for trial in trials] == ["completed", "failed", "completed", "completed"]
    assert (trials[1].failure_class, trials[1].failure_message) == ("TimedOut", "it ran for more than 10 s")
    assert active > 10
    capfd.readouterr()

    assert retry_failed(folder.path)["trials"] == [1]
    limit = round(active) + 10
    run_study(tiny_study(*common, f"limits.time={limit}s"), tmp_path / "run", train=sleep, cpus=2)

    with Journal(folder.journal, read_only=True) as journal:
        after = journal.trials()
        assert limit <= journal.active_seconds() < limit + 2
        assert [failure.trial_id for failure in journal.failures()] == [1]
    assert (after[1].state, after[1].attempts) == ("interrupted", 2)
    assert [after[number] for number in (0, 2, 3)] == [trials[number] for number in (0, 2, 3)]
    said = capfd.readouterr().out
    assert "ended the study with 3 of 4 trials of the search phase ended; everything is saved" in said
    assert f"Continue with more: resnext-search resume {folder.path} limits.time=" in said


@pytest.mark.slow
def test_a_limit_of_operations_shortens_the_search_and_not_the_claim(tmp_path: Path, shared_ray: None) -> None:
    """As many as three trials of the search and the claim take; one less, and a search of two would be left."""
    from resnext_search.search.planning.workload import claim_flops, search_trial_flops, trial_flops

    claimed = [TINY_CLAIM, "rules=1", "search.trials=9"]
    enough = claim_flops(tiny_study(*claimed)) + 3 * search_trial_flops(tiny_study())
    study = tiny_study(*claimed, "resources.gpu=0", f"limits.training_flops={enough}")

    def pretend(study: Any, configuration: Any, seed: int, *, confirm: bool, **_: Any) -> Iterator[Any]:
        rate = dict(configuration.knobs)["learning_rate"]
        for row in epochs(study, seed):
            error = 10 + abs(rate - 0.1)  # best at 0.1, in the middle
            row = row._replace(learning_rate=rate, validation_error=error)
            if confirm:
                row = row._replace(validation_error=None, validation_loss=None, test_error=error + seed % 7 / 10)
            yield row

    folder = run_study(study, tmp_path / "run", train=pretend, cpus=1)

    with Journal(folder.journal, read_only=True) as journal:
        trials = journal.trials()
    assert {trial.state for trial in trials} == {"completed"}
    assert [sum(trial.phase == phase for trial in trials) for phase in ("search", "tune", "confirm")] == [3, 9, 20]
    assert (
        enough - search_trial_flops(study) < sum(trial_flops(study, trial, trial.epochs) for trial in trials) <= enough
    )
    assert json.loads(folder.verdict.read_text())["verdict"] != "invalid"


# ------------------------------------------------------------------ without Ray


class Clock:
    """Shows what was set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """A watchdog whose loop is turned by hand, over two trials that were handed out."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch, *overrides: str, joined: bool = False) -> None:
        self.desk, self.clock = Desk(path, *overrides), Clock()
        self.searcher = RaySearcher(self.desk.dispatcher(self.clock), self.desk.inspection())
        self.dispatcher = self.searcher.dispatcher
        self.watchdog = WatchdogCallback(self.desk.context, Cluster((Node(4, 0),), None, joined), self.searcher)
        self.killed: list[str] = []
        monkeypatch.setattr(callbacks, "kill", self.killed.append)
        self.watchdog.on_step_begin(0, [])

    def starts(self, name: str) -> None:
        self.searcher.suggest(name)
        trial = SimpleNamespace(trial_id=name, temporary_state=SimpleNamespace(ray_actor=f"worker of {name}"))
        self.watchdog.on_trial_start(0, [], trial)

    def after(self, seconds: float, step: float = 1.0) -> None:
        """Time passes, with a look every second."""
        for _ in range(round(seconds / step)):
            self.clock.now += step
            self.watchdog.on_step_begin(0, [])


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Watched]]:
    made: list[Watched] = []

    def make(*overrides: str, joined: bool = False) -> Watched:
        made.append(Watched(tmp_path, monkeypatch, *overrides, joined=joined))
        return made[-1]

    yield make
    for each in made:
        each.desk.journal.close()


def test_the_time_of_a_trial_begins_with_the_trial_and_is_no_time_that_the_driver_stood_still(
    watched: Callable[..., Watched],
) -> None:
    run = watched("limits.trial_time=100s")
    run.starts("a")
    run.after(99)
    run.starts("b")
    assert run.killed == []
    run.after(1)
    assert run.killed == ["worker of a"]
    run.after(5)
    assert run.killed == ["worker of a"]  # once is enough
    run.searcher.on_trial_complete(trial_id="a", error=True)
    run.after(3600, step=3600)
    run.after(93)
    assert run.killed == ["worker of a"]
    run.after(1)
    assert run.killed == ["worker of a", "worker of b"]


def test_when_the_time_of_the_study_is_up_all_workers_are_ended(watched: Callable[..., Watched]) -> None:
    run = watched("limits.time=10s")
    run.starts("a")
    run.starts("b")
    run.after(9)
    assert (run.killed, run.dispatcher.is_broken_off) == ([], False)
    run.after(1)
    assert run.killed == ["worker of a", "worker of b"]
    assert run.dispatcher.is_broken_off


def test_a_cluster_that_has_shrunk_until_no_trial_fits_is_noticed(
    watched: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = watched("resources.cpu=2")
    left = [Node(2, 0), Node(1, 0)]
    monkeypatch.setattr("resnext_search.search.machines.cluster._nodes", lambda: tuple(left))
    run.searcher.suggest("a")  # handed out, and never begun
    run.after(100)
    assert run.dispatcher.error is None  # there is room: its worker may be slow to start
    left.pop(0)
    run.after(31)
    assert str(run.dispatcher.error) == (
        "resources: a trial wants 2 cores and 0 GPUs on one machine; there are 1 cores and 0 GPUs"
    )
    assert run.dispatcher.is_broken_off


def test_a_cluster_is_waited_for_and_it_is_said_once_a_minute_what_is_waited_for(
    watched: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = watched("resources={cpu: 2, gpu: 0, wait: 3m}", joined=True)
    there = [Node(1, 0)]
    monkeypatch.setattr("resnext_search.search.machines.cluster._nodes", lambda: tuple(there))
    run.searcher.suggest("a")
    run.after(59)
    assert "waiting" not in run.desk.words.getvalue()
    run.after(2)
    line = "waiting for room: a trial wants 2 cores and 0 GPUs; no node has it; 1 node is there\n"
    assert run.desk.words.getvalue().count(line) == 1
    there.append(Node(2, 0))
    run.after(60)
    assert "1 node could hold one, and none has begun; 2 nodes are there" in run.desk.words.getvalue()
    there.pop()  # the three minutes begin anew
    run.after(179)
    assert run.dispatcher.error is None
    assert run.desk.words.getvalue().count(line) == 3
    run.after(2)
    assert isinstance(run.dispatcher.error, MachineLost)
    assert str(run.dispatcher.error) == (
        "resources: a trial wants 2 cores and 0 GPUs on one machine; there are 1 cores and 0 GPUs, "
        "after 3 min 0 s of waiting (resources.wait)"
    )
    assert run.dispatcher.error.hint == f"Continue with: resnext-search resume {run.desk.folder.path}"


def test_a_cluster_is_waited_for_no_longer_when_a_trial_runs(
    watched: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = watched("resources={gpu: 0, wait: 90s}", joined=True)
    monkeypatch.setattr("resnext_search.search.machines.cluster._nodes", tuple)
    run.searcher.suggest("a")
    run.after(89)
    run.starts("b")
    run.after(600)
    assert run.dispatcher.error is None


def test_a_trial_is_lost_with_the_node_on_which_its_worker_was(
    watched: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, nodes, told = watched("resources.gpu=0", joined=True), {"n1": True}, []
    monkeypatch.setattr(Cluster, "node_of", lambda _, actor: {"worker of a": "n1"}[actor])
    monkeypatch.setattr(Cluster, "is_there", lambda _, node: not node or nodes[node])
    monkeypatch.setattr(run.dispatcher, "lost", lambda number, *there: told.append([each() for each in there]))
    run.starts("a")
    run.starts("b")  # Ray does not know where it is
    nodes["n1"] = False
    run.searcher.on_trial_complete("a", error=True)
    run.searcher.on_trial_complete("b", error=True)
    assert told == [[False], [True]]


def test_trials_that_wait_for_a_cluster_to_grow_are_taken_back_when_a_run_is_to_end(
    watched: Callable[..., Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = watched()
    run.starts("a")
    run.searcher.suggest("b")
    trials = [
        SimpleNamespace(trial_id=name, status=status, PENDING="PENDING", PAUSED="PAUSED")
        for name, status in (("a", "RUNNING"), ("b", "PENDING"))
    ]

    def stop(trial: Any) -> None:
        trial.status = "TERMINATED"
        run.searcher.on_trial_complete(trial.trial_id)

    monkeypatch.setattr(run.dispatcher, "is_ahead", [1, 2].__contains__)
    controller = SimpleNamespace(get_trials=lambda: trials, stop_trial=stop)
    scheduler = RayScheduler(run.searcher)
    assert scheduler.choose_trial_to_run(controller) is trials[1]
    run.desk.context.stops.ask("drain")
    assert scheduler.choose_trial_to_run(controller) is None
    assert (run.searcher.has("a"), run.searcher.has("b")) == (True, False)


@pytest.mark.parametrize("searched", [0, 4])
def test_a_claim_that_a_limit_leaves_unfinished_is_an_error(tmp_path: Path, searched: int) -> None:
    """Without Ray: the time is used up before it is started."""
    study = tiny_study(TINY_CLAIM, "limits.time=1h")
    desk = Desk(tmp_path / "run", TINY_CLAIM)
    with desk.journal as journal:
        for number in range(searched):
            completed(journal, point(number), 50.0 - number)
        journal.keep_active_seconds(3600)
    with pytest.raises(BudgetEnded, match=r"limits\.time \(1h\) ended the study with no trial ended") as ended:
        run_study(study, tmp_path / "run")
    assert ended.value.exit_code == 5
    assert ended.value.hint == f"Continue with more: resnext-search resume {tmp_path / 'run'} limits.time=2h"


def test_a_trial_that_tune_gave_up_without_a_word_is_handed_out_again(watched: Callable[..., Watched]) -> None:
    run = watched()
    first, second = run.searcher.suggest("a"), run.searcher.suggest("b")
    given_up = SimpleNamespace(trial_id="a", is_finished=lambda: True)
    starting = SimpleNamespace(trial_id="b", is_finished=lambda: False)
    run.watchdog.on_step_begin(0, [given_up, starting])
    assert (run.searcher.has("a"), run.searcher.has("b")) == (False, True)
    assert run.searcher.suggest("c")["trial_id"] == first["trial_id"] != second["trial_id"]
    run.watchdog.on_step_begin(0, [given_up, starting])  # Tune keeps it in its list
    assert (run.searcher.has("b"), run.searcher.has("c")) == (True, True)
