"""The report of a study: what `results` shows, with what only the search knows. Starts without torch, Ax and Ray."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from resnext_search.results.folder import StudyFolder
from resnext_search.results.journal import Journal
from resnext_search.results.learned import Chosen, FromSearch, Level, Place, Prediction
from resnext_search.results.report import page, parts, read_facts
from resnext_search.search.audit import read_audit
from resnext_search.search.chosen import ranked_trials
from resnext_search.search.claim_trials import planned_trials
from resnext_search.search.effects import AXES, effects_of
from resnext_search.search.effects_table import read_outlook
from resnext_search.search.forecast import phase_flops
from resnext_search.search.status import is_live
from resnext_search.search.surface import surface
from resnext_search.search.threads import one_thread
from resnext_search.search.words import audit_words
from resnext_search.spaces import Configuration
from resnext_search.spaces.architecture import dashed
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.whole_file import write_whole


def write_report(folder: StudyFolder, journal: Journal, out: Path | None = None) -> Path:
    """Write the report as one file; a reader never sees half of it.

    Args:
        folder: Of the study.
        journal: Of the study.
        out: Another file than the folder's.

    Returns:
        The file.

    Raises:
        UsageError: It cannot be written.
    """
    path = out or folder.report
    try:
        write_whole(path, report_page(folder, journal))
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror}", hint="Name another file with --out."
        ) from error
    return path


def report_page(folder: StudyFolder, journal: Journal, search: FromSearch | None = None, *, live: bool = False) -> str:
    """The page as HTML.

    Args:
        folder: Of the study.
        journal: Of the study.
        search: As `report_parts` has it.
        live: As served beside a run, to be renewed.
    """
    return page(read_facts(folder, journal, search or from_search(folder, journal)), live=live)


def report_parts(folder: StudyFolder, journal: Journal, search: FromSearch | None = None) -> dict[str, Any]:
    """The pieces of the page, ready for JSON, for a page that is shown already.

    Args:
        folder: Of the study.
        journal: Of the study.
        search: What `from_search` returned, if that is still true: it takes most of the time.
    """
    return parts(read_facts(folder, journal, search or from_search(folder, journal)))


def from_search(folder: StudyFolder, journal: Journal, *, model: bool = True) -> FromSearch:
    """What only the search knows of a study; without its `model`, which takes most of the time, its plans alone."""
    study = journal.study()
    audit = read_audit(journal)
    with one_thread():
        outlook = read_outlook(journal) if model else None
        belief = None if outlook is None else outlook.belief
        ranked = ranked_trials(journal, belief) if model else []
        effects = [] if outlook is None else effects_of(outlook, study.seed)
        spots = [] if outlook is None else surface(outlook, study.seed)
    tried = Counter[tuple[str, int]]()
    for trial, _ in ranked:
        architecture = trial.configuration.architecture
        tried.update((axis, getattr(architecture, axis)) for axis in AXES)
    return FromSearch(
        is_live(folder),
        planned_trials(study, journal),
        phase_flops(study),
        len(study.feasible_set()),
        Chosen(ranked[0].trial.trial_id, ranked[0].expected_error) if ranked else None,
        [
            Level(
                effect.axis,
                effect.value,
                _prediction(effect.best, effect.median, effect.low, effect.high),
                tried[effect.axis, effect.value],
            )
            for effect in effects
        ],
        [
            Place(
                spot.best.architecture.cardinality,
                spot.best.architecture.depth,
                spot.best.architecture.width,
                _prediction(spot.best, spot.error, spot.low, spot.high),
            )
            for spot in spots
        ],
        None if audit is None else audit_words(audit),
    )


def _prediction(best: Configuration, error: float, low: float, high: float) -> Prediction:
    architecture = best.architecture
    rate = dict(best.knobs).get("learning_rate")
    return Prediction(architecture.name, dashed(architecture.blocks), rate, error, low, high)
