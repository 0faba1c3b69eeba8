"""Which trials of the search are not worth training to the end? One of Ray Tune's schedulers decides, and is checked.

Ray's scheduler sees a stand-in for every trial of the journal, numbered as there: it is told every epoch once, however
often a trial was interrupted, and one that starts in another sitting is told what the journal has first, in the same
order. So it decides as if nothing had happened.

Of the trials to be stopped a random share is trained to the end all the same, a controlled experiment on the rule
itself. To the scheduler these have ended, so that the check does not change what is checked.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import Stop
from resnext_search.search.machines.settings import schedulers
from resnext_search.search.surrogate.learning_curves import first_look
from resnext_search.spaces.search_space.objectives import ERROR
from resnext_search.spaces.seeds import derive_seed
from resnext_search.spaces.study.study import Study

# At each of its looks ASHA (Li et al. 2020, arXiv:1810.05934) lets a third of the trials go on, to three times as many
# epochs: nine epochs have two looks then, after 1 and 3.
REDUCTION = 3


class StandIn(NamedTuple):
    """All that Ray's schedulers look at in a trial."""

    trial_id: str


class EarlyStopping:
    """Decides after every epoch of the search whether the trial goes on."""

    def __init__(self, study: Study, journal: Journal) -> None:
        self.study = study
        self._rule = _rule(study)
        self._told: dict[int, int] = {}  # the last epoch that the rule was told, by trial
        self._stops: dict[int, Stop] = {}
        for trial_id, epoch, error in journal.history("search"):
            assert error is not None  # only trials that confirm have none
            self.after(trial_id, epoch, error)

    def after(self, trial_id: int, epoch: int, error: float) -> Stop | None:
        """What to do with a trial after an epoch; None: it goes on.

        A trial that was stopped and reports again, since its process was lost at that moment, is stopped again.
        """
        if self._stops.get(trial_id) == "stopped":
            return "stopped"
        if trial_id in self._stops or epoch <= self._told.get(trial_id, 0):
            return None
        trial, result = StandIn(f"{trial_id:05d}"), {"epoch": epoch, ERROR: error}
        if trial_id not in self._told:
            self._rule.on_trial_add(None, trial)
        self._told[trial_id] = epoch
        decision = self._rule.on_trial_result(None, trial, result)
        final = epoch >= self.study.trainer.epochs
        if not final and decision != schedulers.FIFOScheduler.STOP:
            return None
        self._rule.on_trial_complete(None, trial, result)
        if final:
            return None
        self._stops[trial_id] = "audited" if self._is_audited(trial_id) else "stopped"
        return self._stops[trial_id]

    def _is_audited(self, trial_id: int) -> bool:
        generator = np.random.default_rng(derive_seed(self.study.root_seed, "audit", trial_id))
        return bool(generator.random() < self.study.search.audit)


def _rule(study: Study) -> Any:
    common: dict[str, Any] = {"time_attr": "epoch", "metric": ERROR, "mode": "min"}
    common["grace_period"] = first_look(study.trainer)
    if study.search.early_stopping == "asha":
        return schedulers.AsyncHyperBandScheduler(max_t=study.trainer.epochs, reduction_factor=REDUCTION, **common)
    # it would pause trials to look at others first, if a time slice were ever over
    return schedulers.MedianStoppingRule(min_time_slice=math.inf, **common)  # type: ignore[arg-type]
