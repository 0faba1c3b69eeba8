"""What has a scheduler to offer, so that studies can run on it? Ray's is in `ray_backend`; others go beside it.

`run_study(backend=...)` takes one. It finds workers, lets them `run_trial` what a `Dispatcher` hands out, and tells
that dispatcher what came of it.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from resnext_search.search.execution.context import RunContext
from resnext_search.search.monitor.terminal import Progress
from resnext_search.search.optimizer.study_optimizer import Proposals
from resnext_search.spaces.study.study import Phase, Study


class Workers(Protocol):
    """What there is to run trials on, for the time of a block."""

    @property
    def dashboard(self) -> str | None:
        """Address of the scheduler's own page; None if it has none."""

    def run_trials(
        self, phase: Phase, context: RunContext, progress: Progress, proposals: Proposals | None = None
    ) -> None:
        """Run a phase until its trials have ended, or the sitting does.

        Args:
            phase: Whose trials: those of the journal that have not ended come first.
            context: Of the sitting; its `stops` say whether it was broken off.
            progress: Is told what happens.
            proposals: Makes new trials while workers are free, and is told what came of them; none without it.

        Raises:
            TooManyFailures: More than half of the trials failed.
            MachineLost: The workers are gone, or what is left of them holds no trial.
        """


class Backend(Protocol):
    """Finds workers for a study."""

    def __call__(self, study: Study, *, cpus: int | None, gpus: int | None) -> AbstractContextManager[Workers]:
        """Workers on so many cores and GPUs, or on all that there are, for the time of a block."""
