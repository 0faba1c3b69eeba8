"""How much may a study still use? What its journal says it has used, against `limits` of the study file.

Time is met to within the second that it takes to stop workers. Operations are never exceeded: a trial starts only if
all its epochs fit, so that what was started is trained to its end; and a trial of the search only if what the claim
needs fits too.

Time is counted while trials may run, over all sittings, and kept in the journal. The clock that is read neither jumps
when somebody sets the time of day nor runs on while a machine sleeps. Looks at it are seconds apart at most; where a
minute and more lies between two of them, the process itself stood still (Ctrl-Z, a virtual machine that was paused),
and that time counts for nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, Trial
from resnext_search.search.planning.workload import claim_flops, search_trial_flops, trial_flops
from resnext_search.spaces.errors import StudyError
from resnext_search.spaces.study.study import Phase, Study
from resnext_search.spaces.study.units import in_units


class Budget:
    """What is left of a study's limits; the journal knows what was used so far."""

    def __init__(self, study: Study, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self.study = study
        self.time = ActiveTime(journal, clock)
        self._taken: dict[Phase, dict[int, int]] = {"search": {}, "tune": {}, "confirm": {}}
        self._wasted = 0  # on attempts that failed and were retried
        if study.limits.training_flops is None:
            return
        for failure in journal.failures():
            self._wasted += trial_flops(study, journal.trial(failure.trial_id), failure.epochs)
        for trial in journal.trials():
            if trial.state in ENDED:
                self.ended(trial)
            elif trial.state != "queued":
                self.started(trial)

    @property
    def is_over(self) -> bool:
        """Whether the limit of time is reached."""
        limit = self.study.limits.time
        return limit is not None and self.time.seconds >= limit

    def started(self, trial: Trial) -> None:
        """A trial will take all its epochs."""
        if self.study.limits.training_flops is not None:
            self._taken[trial.phase][trial.trial_id] = self._full_flops(trial)

    def ended(self, trial: Trial) -> None:
        """A trial has taken those that stand in the journal: one that failed or was stopped early leaves the rest."""
        if self.study.limits.training_flops is not None:
            self._taken[trial.phase][trial.trial_id] = trial_flops(self.study, trial, trial.epochs)

    def allows(self, trial: Trial) -> bool:
        """Whether a trial may start; one that has started before may go on."""
        limit = self.study.limits.training_flops
        if limit is None or trial.trial_id in self._taken[trial.phase]:
            return True
        return self._full_flops(trial) <= limit - self._kept_from(trial.phase)

    def allows_another(self) -> bool:
        """Whether the search may make one more trial, whichever it will be."""
        limit = self.study.limits.training_flops
        return limit is None or search_trial_flops(self.study) <= limit - self._kept_from("search")

    def spent_limit(self) -> tuple[str, str]:
        """The limit that keeps a study from going on, in words, and an override that would let it; empty if none does.

        Of operations it is known only while something is left to do: they are never spent to the last one.
        """
        limits = self.study.limits
        if self.is_over and limits.time is not None:
            return f"limits.time ({in_units(limits.time)})", f"limits.time={in_units(2 * limits.time)}"
        if limits.training_flops is not None:
            most = limits.training_flops
            return f"limits.training_flops ({most:.3g})", f"limits.training_flops={2 * most:.3g}"
        return "", ""

    def _full_flops(self, trial: Trial) -> int:
        return trial_flops(self.study, trial, self.study.trainer.epochs)

    def _kept_from(self, phase: Phase) -> int:
        """Operations that a new trial of a phase cannot have."""
        taken = {each: sum(trials.values()) for each, trials in self._taken.items()}
        claimed = taken["tune"] + taken["confirm"]
        still_claimed = max(0, claim_flops(self.study) - claimed) if phase == "search" else 0
        return self._wasted + taken["search"] + claimed + still_claimed


def check_limits(study: Study) -> None:
    """Raise `StudyError` for a limit of operations that leaves the search no trial."""
    limit, claimed = study.limits.training_flops, claim_flops(study)
    needed = search_trial_flops(study) + claimed
    if limit is not None and limit < needed:
        takes = "a trial of the search and the claim take" if claimed else "a trial of the search takes"
        raise StudyError(f"limits.training_flops: found {limit:.3g}; allowed: at least {needed:.3g}, which {takes}")


# Between two looks lies a tenth of a second, or what the optimizer takes for a proposal.
LONGEST_STEP_SECONDS = 60.0
# How much of the count a `kill -9` may lose.
KEPT_EVERY_SECONDS = 2.0


class ActiveTime:
    """The seconds that a study was at work, as of the last look; the clock says them since some moment, never back."""

    def __init__(self, journal: Journal, clock: Callable[[], float] = time.monotonic) -> None:
        self._journal, self._clock = journal, clock
        self.seconds = self._kept = journal.active_seconds()
        self._last: float | None = None

    def look(self) -> float:
        """Count what has passed since the last look; the first one begins. Returns the seconds so far."""
        now = self._clock()
        step = 0.0 if self._last is None else now - self._last
        self._last = now
        if step <= LONGEST_STEP_SECONDS:
            self.seconds += step
        if self.seconds - self._kept >= KEPT_EVERY_SECONDS:
            self._keep()
        return self.seconds

    def rest(self) -> None:
        """What follows is no work: the count stands still until the next look."""
        self.look()
        self._last = None
        self._keep()

    def _keep(self) -> None:
        if self.seconds > self._kept:
            self._journal.keep_active_seconds(self.seconds)
            self._kept = self.seconds
