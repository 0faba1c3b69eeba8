"""After how many seeds are the arms judged, and does the confirmation end there? What the journal says of it.

A claim with planned looks is confirmed up to the next one, and ends with the first word that answers it. Without, it is
judged once, after all its seeds; seeds that are added later make another look, which nobody has planned.
"""

from __future__ import annotations

from resnext_search.results.inference.rules import OPEN_WORDS
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import ENDED, FINALIST, RUNNER_UP, Trial
from resnext_search.spaces.study.study import Study


def seeds_due(study: Study, journal: Journal) -> int:
    """Seeds up to which every arm is confirmed, as far as is known now: those of the next look.

    After a planned look that has answered the claim they are those of that look.
    """
    assert study.claim is not None  # callers ask first
    words = {look.seeds: look.word for look in journal.looks()}
    for seeds in study.claim.looks or ():
        if words.get(seeds) not in OPEN_WORDS:  # not taken yet, or the answer
            return seeds
    return study.claim.seeds


def seeds_at_the_end(study: Study, journal: Journal) -> int:
    """Seeds that every arm will have been confirmed with if no further look ends the study."""
    assert study.claim is not None  # callers ask first
    due = seeds_due(study, journal)
    return due if any(look.seeds == due for look in journal.looks()) else study.claim.seeds


def take_look(study: Study, journal: Journal) -> bool:
    """Judge the arms if all their trials up to the next look have ended, and keep the word; says whether it did so.

    Nothing is looked at where no arm is confirmed, and under `rules: 1`.
    """
    if not is_look_due(study, journal):
        return False
    from resnext_search.results.tables.trials import trials_table  # pandas and scipy, which `status` does without
    from resnext_search.results.verdict.sources import judge_study

    verdict = judge_study(journal, trials_table(journal))
    assert verdict is not None  # there is a claim
    seeds = seeds_due(study, journal)
    journal.record_look(seeds, verdict.verdict, planned=_is_planned(study, journal, seeds))
    return True


def is_look_due(study: Study, journal: Journal) -> bool:
    """Whether all that are queued to be confirmed have ended, an arm is among them, and the look was not taken."""
    if study.rules == 1 or study.claim is None:
        return False
    confirmed = journal.trials(phase="confirm")
    if not _of_arms(confirmed) or any(trial.state not in ENDED for trial in confirmed):
        return False
    return seeds_due(study, journal) not in {look.seeds for look in journal.looks()}


def _is_planned(study: Study, journal: Journal, seeds: int) -> bool:
    """Whether a look was planned before any run of an arm could be seen.

    One of `claim.looks` was. The one at the end was if it is the first, and if no run was added when others had begun,
    as after `claim.seeds` was raised.
    """
    assert study.claim is not None  # callers ask first
    if study.claim.looks is not None:
        return seeds in study.claim.looks
    of_arms = _of_arms(journal.trials(phase="confirm"))
    first_start = min(trial.started_at for trial in of_arms if trial.started_at is not None)
    return not journal.looks() and all(trial.queued_at <= first_start for trial in of_arms)


def _of_arms(trials: list[Trial]) -> list[Trial]:
    return [trial for trial in trials if not str(trial.arm).startswith((FINALIST, RUNNER_UP))]
