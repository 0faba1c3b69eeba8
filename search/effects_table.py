"""`effects.csv`: what the search has learned about every cardinality, depth and width, made from the journal alone.

Starts without torch, Ax and Ray: the model is fitted anew, in closed form.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

from resnext_search.results.folder import StudyFolder
from resnext_search.results.journal import Journal
from resnext_search.search.effects import Effect, effects_of
from resnext_search.search.observations import can_learn
from resnext_search.search.outlook import Outlook
from resnext_search.search.pool import Pool
from resnext_search.search.threads import one_thread
from resnext_search.search.told import read_observations
from resnext_search.spaces.whole_file import write_whole

COLUMNS = ("axis", "value", "validation_error", "low", "high", "architecture", "blocks", "learning_rate", "trials")


def read_effects(journal: Journal) -> list[Effect]:
    """The best error to be expected at every cardinality, depth and width of the feasible set.

    Returns:
        In the order of `effects.AXES`, each ascending; empty while fewer than two completed search trials differ in
        their error.
    """
    with one_thread():
        outlook = read_outlook(journal)
        return [] if outlook is None else effects_of(outlook, journal.study().seed)


def read_outlook(journal: Journal) -> Outlook | None:
    """The model of a study; None while fewer than two completed search trials differ in their error."""
    study = journal.study()
    completed = journal.trials(phase="search", states=["completed"])
    pool = Pool(study.feasible_set(), study.knobs())
    errors = [trial.validation_error for trial in completed if trial.validation_error is not None]
    if not can_learn(len(pool.features), errors):
        return None
    return Outlook.after(pool, read_observations(journal, pool))


def write_effects(folder: StudyFolder, journal: Journal) -> Path:
    """Write `effects.csv` of a study; without effects it has no rows.

    Returns:
        The file.
    """
    completed = [trial.configuration.architecture for trial in journal.trials(phase="search", states=["completed"])]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for effect in read_effects(journal):
        best = effect.best.architecture
        table.writerow(
            [
                effect.axis,
                effect.value,
                *(f"{number:.3f}" for number in (effect.median, effect.low, effect.high)),
                best.name,
                "-".join(map(str, best.blocks)),
                dict(effect.best.knobs).get("learning_rate", ""),
                sum(getattr(architecture, effect.axis) == effect.value for architecture in completed),
            ]
        )
    write_whole(folder.effects, text.getvalue())
    return folder.effects
