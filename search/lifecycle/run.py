"""The phases of `run`, in order: tune, search, confirm, report. Broken off anywhere, they continue from the journal.

The arms come first: what their tuning says of the space the search need not find out. Under `rules: 1` the search does,
so that a study that was begun in that order goes on in it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from resnext_search.results.journal.folder import StudyFolder, locked
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, State, Trial
from resnext_search.results.report.facts import StudyResults
from resnext_search.results.report.outputs import write_outputs
from resnext_search.results.tables.layout import wrapped
from resnext_search.results.verdict.sources import write_verdict
from resnext_search.search.execution.backend import Backend, Workers
from resnext_search.search.execution.checkpoints import begun_before
from resnext_search.search.execution.context import RunContext, words_apart
from resnext_search.search.execution.run_trial import Train
from resnext_search.search.execution.stopping import StopRequests
from resnext_search.search.lifecycle.data_check import expect_images
from resnext_search.search.lifecycle.opening import make_folder, open_journal
from resnext_search.search.lifecycle.result_words import result_words
from resnext_search.search.monitor.live_page import served
from resnext_search.search.monitor.summary import summarize_search
from resnext_search.search.monitor.terminal import Progress
from resnext_search.search.monitor.text import forecast_words
from resnext_search.search.monitor.trackers import expect_installed, tracked
from resnext_search.search.optimizer.study_optimizer import Proposals
from resnext_search.search.planning.calibration import MOST_SECONDS, Calibrating
from resnext_search.search.planning.confirmation import enqueue_to_next_look, missing_confirmation
from resnext_search.search.planning.limits import Budget, check_limits
from resnext_search.search.planning.looks import is_look_due
from resnext_search.search.planning.plan import as_begun, freeze
from resnext_search.search.planning.tuning_rounds import enqueue_tuning, missing_tuning
from resnext_search.search.ray_backend.tuner import ray_workers
from resnext_search.search.storage.checkpoints import forget_study, study_folder
from resnext_search.search.storage.mirror import Mirror
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.spaces.datasets import trainer_plugin
from resnext_search.spaces.errors import (
    BudgetEnded,
    Interrupted,
    ResnextSearchError,
    TooManyFailures,
    typed,
)
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.study.study import Phase, Study
from resnext_search.spaces.study.units import span
from resnext_search.trainers.latency import MeasuredFirst
from resnext_search.trainers.training import train as train_trial
from rich.console import Console

PENDING: Sequence[State] = ("queued", "running", "interrupted")
_ORDER: Mapping[int, Sequence[Phase]] = {1: ("search", "tune", "confirm"), 2: ("tune", "search", "confirm")}
_CLAIM_PHASES: Mapping[Phase, Callable[[Study, Journal], int]] = {
    "tune": enqueue_tuning,
    "confirm": enqueue_to_next_look,
}


def run_study(
    study: Study,
    path: Path | str,
    *,
    text: str | None = None,
    train: Train | None = None,
    cpus: int | None = None,
    gpus: int | None = None,
    serve: int | None = None,
    calibrating: Calibrating | None = None,
    backend: Backend = ray_workers,
    mirror: Mirror | None = None,
) -> StudyFolder:
    """Run a study in a folder, or continue the one that lies there, until its trials have ended.

    Args:
        study: What to do; what it leaves out is as in the study that was begun in the folder.
        path: The study folder; made if there is none.
        text: The study file as given, to be kept in the folder; made from `study` without it.
        train: Trains one trial: called like `trainers.train`, with `latency=True` if the latency of its architecture is
            wanted; yields its epochs, and before them that `Latency`. Without it `trainers.train`, or the plug-in that
            the study names, behind a measurement.
        cpus: Processor cores to use; all of the machine without it.
        gpus: GPUs to use; all of the machine without it.
        serve: Port of this machine's loopback for the live page, 0 for any that is free; None for no page.
        calibrating: Measures this study, in its block, before the first trial; without it, or where a study is
            continued, there is no other forecast than the one that it has.
        backend: Where trials run.
        mirror: Keeps a copy; where it has one, a folder that holds no study goes on with that.

    Returns:
        The folder, with the tables written.

    Raises:
        EmptyFeasibleSet: Nothing lies in the FLOP band.
        DataError: The data set is missing, or has images that cannot be read.
        PluginError: The study's trainer is a plug-in that cannot be used.
        StudyError: The folder holds another study.
        FolderLocked: Another run works there, or on the copy.
        UsageError: The folder cannot be made or written, or a tracker's package is missing.
        TooManyFailures: More than half of the trials failed.
        MachineLost: Ray is gone, or what is left of it holds no trial.
        BudgetEnded: A limit ended the study before the claim had what it needs, or before any trial was completed.
        Interrupted: The user stopped it.
    """
    folder = StudyFolder(Path(path))
    if mirror is not None:
        mirror.bring(folder)
    study = as_begun(study, folder)
    feasible = study.feasible_set()
    expect_installed(study.trackers)
    check_limits(study)
    train = train or _trainer(study)
    images = expect_images(study)
    make_folder(folder.path)
    with (
        locked(folder.lock),
        words_apart(folder.log) as console,
        open_journal(study, folder, feasible, text) as journal,
    ):
        journal.interrupt_running()
        images.keep(folder)
        for words in (*begun_before(journal), *images.words):
            console.print(words, markup=False)
        stops = StopRequests(folder, console.file.fileno())
        budget = Budget(study, journal)
        run = StudyRun(study, folder, journal, console, train, budget, stops, images.content, mirror, feasible=feasible)

        def say(words: str) -> None:
            console.print(words, markup=False)

        if calibrating is not None and journal.forecast() is None and not journal.trials():
            _forecast(calibrating, journal, say)
            freeze(study, feasible, journal.forecast(), folder)
        stopped = partial(stops.ask, "now")
        copied = nullcontext() if mirror is None else mirror.following(folder, say, stopped)
        with copied, served(folder, serve, say) as live:
            with stops.listening():
                try:
                    with tracked(study, folder, say):
                        if run.is_due():
                            with backend(study, cpus=cpus, gpus=gpus) as workers:
                                live.show_dashboard(workers.dashboard)
                                run.all_phases(workers)
                except BaseException:
                    with suppress(OSError, ResnextSearchError):  # what ended the run is said, not what its tables lack
                        _write_outputs(folder, journal)
                    raise
                results = _write_outputs(folder, journal)
            shortened = run.expect_ended()
            _expect_some_completed(journal)
            if not shortened:
                shutil.rmtree(folder.checkpoints, ignore_errors=True)
                forget_study(study.resources.checkpoints, study_folder(study.name, journal.birth()))
            _say_result(console, folder, journal, results)
            console.print(shortened, markup=False, end="\n" * bool(shortened))
    return folder


@dataclass
class StudyRun(RunContext):
    """One sitting at a study: goes through its phases."""

    feasible: FeasibleSet = field(kw_only=True)
    _phase_words: str = "no trial ended"
    _claim_is_queued: bool = False

    def __post_init__(self) -> None:
        candidates = len(Candidates(self.feasible, self.study.knobs()))
        self._wanted = min(self.study.search.trials, candidates)  # trials of the search

    def is_due(self) -> bool:
        """Whether any trial can be run now; queues what the claim still needs when the search has ended."""
        if self.budget.is_over:
            return False
        if self._waiting("search", "tune", "confirm") or (self._search_lacks() and self.budget.allows_another()):
            return True
        claims = _CLAIM_PHASES.values() if self.study.claim is not None else ()
        if any(enqueue(self.study, self.journal) for enqueue in claims):
            return bool(self._waiting("tune", "confirm"))
        self._claim_is_queued = True
        return False

    def all_phases(self, workers: Workers) -> None:
        """Run what is left of every phase, as far as the limits and the user allow."""
        if workers.dashboard:
            words = f"Ray dashboard: {workers.dashboard} (asks for the token that `ray get-auth-token` prints)"
            self.console.print(words, markup=False)
        for phase in _ORDER[self.study.rules]:
            if not (self._search(workers) if phase == "search" else self._claim_phase(phase, workers)):
                return
        self._claim_is_queued = True

    def expect_ended(self) -> str:
        """Say how a limit has shortened the search, if one has, and the rest is done; empty if nothing is left to do.

        Raises:
            BudgetEnded: A limit has left a claim without its trials, or a search without any that was completed.
            Interrupted: The user has stopped it.
        """
        lacks_search = self._search_lacks() or bool(self._pending("search"))
        lacks_claim = self.study.claim is not None and not self._claim_is_done()
        if not lacks_search and not lacks_claim:
            return ""
        limit, more = self.budget.spent_limit()
        if not limit or (self.stops.wanted and not self.budget.is_over):
            words = f"{self.folder.path}: interrupted with {self._phase_words}; everything is saved"
            raise Interrupted(words, hint=self.how_to_continue)
        words = f"{self.folder.path}: {limit} ended the study with {self._phase_words}; everything is saved"
        hint = f"Continue with more: resnext-search resume {typed(self.folder.path)} {more}"
        if lacks_claim or not self.journal.trials(phase="search", states=["completed"]):
            raise BudgetEnded(words, hint=hint)
        return f"\n{words}\n{hint}"

    def _search_lacks(self) -> bool:
        """Whether the search has made fewer trials than it should, and there are any left to make."""
        return len(self.journal.trials(phase="search")) < self._wanted

    def _claim_is_done(self) -> bool:
        """Whether its trials have ended, and no more would be queued."""
        study, journal = self.study, self.journal
        if self._pending("tune") or self._pending("confirm"):
            return False
        if study.rules == 1:
            return self._claim_is_queued or bool(journal.trials(phase="confirm"))
        # also where a limit is reached, and nothing was queued in this sitting
        due = missing_tuning(study, journal) or missing_confirmation(study, journal) or is_look_due(study, journal)
        return self._claim_is_queued or not due

    def _search(self, workers: Workers) -> bool:
        """Run what is left of the search; whether the next phase may begin."""
        if self._search_lacks() or self._pending("search"):
            self.console.print(f"{self.study.name}: {len(self.feasible):,} architectures inside the band")
            proposals = Proposals(self.study, self.feasible, self.journal)
            self._phase("search", workers, self.study.search.trials, proposals)
        return not self.stops.wanted

    def _claim_phase(self, phase: Phase, workers: Workers) -> bool:
        """Run what is left of a phase of the claim, round by round; whether the next phase may begin."""
        if self.study.claim is None:
            return True
        while _CLAIM_PHASES[phase](self.study, self.journal) or self._pending(phase):
            if not self._waiting(phase):
                return False
            self._phase(phase, workers, len(self.journal.trials(phase=phase)))
            if self.stops.wanted:
                return False
        return True

    def _pending(self, phase: Phase) -> list[Trial]:
        return self.journal.trials(phase=phase, states=PENDING)

    def _waiting(self, *phases: Phase) -> bool:
        """Whether trials of these phases are left that the limits allow."""
        return any(self.budget.allows(trial) for phase in phases for trial in self._pending(phase))

    def _phase(self, phase: Phase, workers: Workers, total: int, proposals: Proposals | None = None) -> None:
        trials = self.journal.trials(phase=phase)
        errors = [trial.validation_error for trial in trials if trial.validation_error is not None]
        ended = sum(trial.state in ENDED for trial in trials)
        metric = "test error" if phase == "confirm" else "validation error"
        self.console.print(f"{phase}: {ended} of {total} trials have ended", markup=False)
        with Progress(
            self.console,
            total,
            self.study.trainer.epochs,
            ended,
            min(errors, default=None),
            metric,
            lambda: self.stops.notice,
        ) as progress:
            try:
                workers.run_trials(phase, self, progress, proposals)
            finally:
                self.journal.interrupt_running()
                ended = len(self.journal.trials(phase=phase, states=ENDED))
                self._phase_words = f"{ended} of {total} trials of the {phase} phase ended"
            self._settle()
            if proposals is not None and proposals.exhausted:
                progress.say("Every configuration of the feasible set has been tried.")

    def _settle(self) -> None:
        """Wait for the copy, if one is kept, and tell what waited for it."""
        if self.mirror is not None:
            with self.stops.patient():
                self.mirror.settle(lambda: self.stops.look() == "now", partial(self.console.print, markup=False))


def _write_outputs(folder: StudyFolder, journal: Journal) -> StudyResults:
    """Write what is left when the run has ended: it still holds the folder, but trains nothing more."""
    return write_outputs(folder, journal, lambda: replace(summarize_search(folder, journal), live=False))


def _trainer(study: Study) -> Train:
    plugin = study.trainer.plugin
    return MeasuredFirst(train_trial if plugin is None else trainer_plugin(plugin))


def _forecast(calibrating: Calibrating, journal: Journal, say: Callable[[str], None]) -> None:
    """Measure and keep what a study will take; one that cannot be measured begins without a forecast."""
    say(f"Measuring networks for a forecast of the time: at most {MOST_SECONDS:g} s, none with --no-calibrate")
    try:
        forecast = calibrating.forecast(MOST_SECONDS)
    except ResnextSearchError as error:
        say(f"No forecast: {error}")
        return
    if forecast is None:
        say(f"No forecast: no network was measured within {MOST_SECONDS:g} s")
        return
    journal.keep_forecast(forecast)
    by_architecture = forecast["seconds"].values()
    say(f"Forecast: {forecast_words(forecast)} ({span(min(by_architecture), max(by_architecture))}, by architecture)")


def _expect_some_completed(journal: Journal) -> None:
    trials = journal.trials(phase="search")
    if trials and all(trial.state == "failed" for trial in trials):
        raise TooManyFailures(
            f"all {len(trials)} trials failed, the last one with {trials[-1].failure_class}:\n"
            f"{trials[-1].failure_message}"
        )


def _say_result(console: Console, folder: StudyFolder, journal: Journal, results: StudyResults) -> None:
    if results.verdict is not None:
        write_verdict(folder, results.verdict)
    # standard output is the log by now
    width = console.width if console.is_terminal else shutil.get_terminal_size().columns
    words = f"{result_words(folder, journal, results, width)}\nReport: {folder.report}"
    console.print(wrapped(words, width) if console.is_terminal else words, markup=False, soft_wrap=True)
