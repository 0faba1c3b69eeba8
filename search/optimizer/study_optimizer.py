"""Where do the search's trials come from: the optimizer proposes, the journal keeps, and the outcome is told back.

Before it proposes, it is told what is known already: the tuning of the arms, where they were tuned first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, Trial
from resnext_search.search.optimizer.optimizer import Failure, Optimizer
from resnext_search.search.surrogate.learning_curves import Stopped
from resnext_search.search.surrogate.seen_trials import tuning_trials_seen
from resnext_search.search.surrogate.study_model import read_outcome
from resnext_search.spaces.claim.seeds import search_seed
from resnext_search.spaces.search_space.feasible import FeasibleSet
from resnext_search.spaces.search_space.objectives import ERROR, MEASURED
from resnext_search.spaces.study.study import Study

Outcome = TypeVar("Outcome", Failure, Stopped)


class Proposals:
    """The optimizer of a study, as it stands after all search trials of the journal, in their order there.

    Tuning trials that lie in its space it knows before them.
    """

    def __init__(self, study: Study, feasible: FeasibleSet, journal: Journal) -> None:
        self.study, self.journal = study, journal
        # an optimizer cannot be told of an error without the latency that it minimises too
        needs = study.has_measured_objectives
        known = [t for t in tuning_trials_seen(journal, ENDED) if not needs or journal.latency(t) is not None]
        self._optimizer = Optimizer(
            feasible,
            study.knobs(),
            study.objectives,
            study.root_seed,
            method=study.search.optimizer,
            known=[trial.configuration for trial in known],
        )
        for number, trial in enumerate(known):
            self._tell(number, trial)
        self._proposals: dict[int, int] = {}  # by trial: trials of other phases may stand between
        for trial in journal.trials(phase="search"):
            if trial.proposed_by != "plan":
                proposal = self._optimizer.attach(trial.configuration, trial.proposed_by)
                self._proposals[trial.trial_id] = proposal.proposal_id
            if trial.state in ENDED:
                self.ended(trial.trial_id)

    @property
    def exhausted(self) -> bool:
        """Whether every configuration of the feasible set has been proposed."""
        return len(self._proposals) >= len(self._optimizer.pool)

    @property
    def fixed(self) -> int:
        """How many trials to come are the same whatever comes of those that run."""
        return min(self._optimizer.fixed, self.study.search.trials - len(self._proposals))

    def next(self) -> Trial | None:
        """A new trial, in the journal; None if there is none left to make."""
        made = len(self._proposals)
        if made >= self.study.search.trials or self.exhausted:
            return None
        [proposal] = self._optimizer.ask()
        seed = search_seed(self.study, made)
        number = self.journal.enqueue("search", proposal.configuration, seed, proposal.proposed_by)
        self._proposals[number] = proposal.proposal_id
        return self.journal.trial(number)

    def ended(self, trial_id: int) -> None:
        """Report what came of a trial, as it stands in the journal."""
        self._tell(self._proposals[trial_id], self.journal.trial(trial_id))

    def _tell(self, proposal: int, trial: Trial) -> None:
        row = self.journal.latency(trial)
        measured = {} if row is None else {name: getattr(row, name) for name in MEASURED}
        if trial.state == "failed":
            failure = Failure(trial.failure_class or "unknown", trial.failure_message or "")
            self._optimizer.tell(proposal, _with(failure, measured))
            return
        outcome, curve = read_outcome(self.journal, trial, self.study.search.audit)
        told: Mapping[str, float] | Stopped
        if isinstance(outcome, Stopped):
            told = _with(outcome, measured)
        else:
            told = {ERROR: outcome} | measured
        self._optimizer.tell(proposal, told, curve)


def _with(outcome: Outcome, measured: Mapping[str, float]) -> Outcome:
    """The same, with what was measured and it has a field for."""
    costs: dict[str, Any] = {name: cost for name, cost in measured.items() if hasattr(outcome, name)}
    return replace(outcome, **costs)
