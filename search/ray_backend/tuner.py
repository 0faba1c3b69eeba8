"""How does Ray Tune run the trials of a phase? Its journal says which; Tune finds workers, and is watched.

`Tuner.restore` is never called: Ray's own snapshots may lag behind what has finished. A study that continues starts a
fresh Tuner, whose searcher first hands out the interrupted trials; their workers find their checkpoints by themselves.
Nor does Tune retry: a trial whose process is lost goes back to the journal, and is handed out again from there.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import Trial
from resnext_search.search.execution.context import RunContext
from resnext_search.search.execution.dispatcher import Dispatcher
from resnext_search.search.machines import alike
from resnext_search.search.machines.cluster import Cluster, ray_running
from resnext_search.search.machines.inspection import Inspection, asking
from resnext_search.search.machines.room import Node
from resnext_search.search.machines.settings import tune
from resnext_search.search.monitor.terminal import Progress
from resnext_search.search.optimizer.study_optimizer import Proposals
from resnext_search.search.ray_backend.callbacks import StopAll, WatchdogCallback
from resnext_search.search.ray_backend.checkpoint_store import CheckpointStore
from resnext_search.search.ray_backend.early_stopping import EarlyStopping
from resnext_search.search.ray_backend.searcher import RayScheduler, RaySearcher
from resnext_search.search.ray_backend.worker import resources, trainable
from resnext_search.search.storage.checkpoints import StoredCheckpoints, study_folder
from resnext_search.spaces.architecture.complexity import complexity
from resnext_search.spaces.errors import MachineLost
from resnext_search.spaces.study.study import Phase, Study
from resnext_search.spaces.uris import is_uri

_log = logging.getLogger(__name__)


@contextmanager
def ray_workers(study: Study, *, cpus: int | None = None, gpus: int | None = None) -> Iterator[RayWorkers]:
    """The backend: Ray on this machine or on a cluster, as of `ray_running`."""
    with ray_running(study, cpus=cpus, gpus=gpus) as cluster:
        yield RayWorkers(cluster)


class RayWorkers:
    """Workers of a cluster of Ray, or of this machine."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._inspection: Inspection | None = None  # of a sitting's machines, from its first trials

    @property
    def dashboard(self) -> str | None:
        """Address of Ray's dashboard."""
        return self.cluster.dashboard

    def run_trials(
        self, phase: Phase, context: RunContext, progress: Progress, proposals: Proposals | None = None
    ) -> None:
        """Run a phase, as of `Workers`."""
        study, folder = context.study, context.folder
        gpu = self.cluster.gpus_of_a_trial(study)
        stops_early = phase == "search" and study.search.early_stopping != "none"
        store = CheckpointStore(folder, _most_bytes(study)) if self.states_travel(study) else None
        look = self._look(context)
        inspection = self._inspection_by(look, context)
        stored = _stored(study, context.journal)
        dispatcher = Dispatcher(
            phase,
            context,
            progress,
            proposals,
            at_once=self.cluster.room_of(study),
            gpu=gpu,
            ahead=self.cluster.joined,
            stopping=EarlyStopping(study, context.journal) if stops_early else None,
            checkpoints=stored or store,
        )
        searcher = RaySearcher(dispatcher, inspection, store)
        files = folder.checkpoints.resolve() if store is None and stored is None else None
        states = None if stored is None else stored.states
        look_here = partial(alike.look, *look)
        trial = tune.with_resources(
            trainable(study, files, context.train, gpu=gpu, confirm=phase == "confirm", look=look_here, states=states),
            resources(study, gpu),
        )
        scratch = folder.checkpoints.resolve() / "ray"  # what Tune insists on writing; nothing of it is read again
        tuner = tune.Tuner(
            trial,
            tune_config=tune.TuneConfig(
                search_alg=searcher, scheduler=RayScheduler(searcher), num_samples=-1, reuse_actors=True
            ),
            run_config=tune.RunConfig(
                name="trials",
                storage_path=str(scratch),
                failure_config=tune.FailureConfig(max_failures=0),
                callbacks=[WatchdogCallback(context, self.cluster, searcher)],
                stop=StopAll(searcher),
                verbose=0,
            ),
        )
        with context.stops.patient(), self.cluster.health_check(context.stops.last_words) as health:
            try:
                inspection.wait(context.stops.look)
                if none_is_fit := inspection.why_none_is_fit():
                    raise MachineLost(f"{folder.path}: {none_is_fit}", hint=context.how_to_continue)
                tuner.fit()
            except BaseException as error:
                if health.lost:
                    words = f"{folder.path}: {health.lost}; everything is saved"
                    raise MachineLost(words, hint=context.how_to_continue) from error
                raise
            finally:
                searcher.close()
                if stored is not None:
                    stored.close()
                context.budget.time.rest()
                shutil.rmtree(scratch, ignore_errors=True)
        if dispatcher.error is not None:
            raise dispatcher.error

    def _look(self, context: RunContext) -> tuple[dict[str, str], str, dict[str, str]]:
        """The arguments of `alike.look`: on a cluster all is compared, on this machine the images, which may change."""
        plugins = alike.plugins_of(context.study) if self.cluster.joined else {}
        expected = alike.software(plugins) if self.cluster.joined else {}
        return {**expected, alike.IMAGES: context.images}, context.study.model_dump_json(), plugins

    def _inspection_by(self, look: tuple[dict[str, str], str, dict[str, str]], context: RunContext) -> Inspection:
        if self._inspection is None:

            def say(words: str) -> None:
                context.console.print(words, markup=False)
                _log.warning("%s", words)

            if self.cluster.joined:
                machines = partial(self.cluster.machines_for, context.study)
                self._inspection = Inspection(machines, asking(*look), say)
            else:
                self._inspection = Inspection(lambda: [Node(0, 0)], None, say)
            self.cluster = self.cluster.keeping(self._inspection.fit)
        return self._inspection

    def states_travel(self, study: Study) -> bool:
        """Whether workers send the states of trials, and do not write them into the study folder."""
        asked = study.resources.checkpoints
        return not is_uri(asked) and (self.cluster.joined or asked == "driver")


def _stored(study: Study, journal: Journal) -> StoredCheckpoints | None:
    uri = study.resources.checkpoints
    return StoredCheckpoints(uri, study_folder(study.name, journal.birth())) if is_uri(uri) else None


def _most_bytes(study: Study) -> Callable[[Trial], int]:
    from resnext_search.trainers.checkpoint import most_bytes  # torch

    template = study.network_template()
    return lambda trial: most_bytes(int(complexity(template, trial.configuration.architecture).parameters))
