"""What do the runs say: the verdict of a study, or of anyone's CSV file. Starts without torch, Ax and Ray."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.reader import JournalReader
from resnext_search.results.runs.file import read_table
from resnext_search.results.tables.trials import trials_table
from resnext_search.results.verdict.answer import Looks
from resnext_search.results.verdict.outcome import Verdict
from resnext_search.results.verdict.verdict import judge, judge_trials
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.whole_file import write_whole, writing

AFTER_THE_FACT = (
    "Judged by rules {rules}, after the fact: the study was begun under rules {own}, and its own verdict is the one by "
    "those (without --rules)."
)


def judge_study(journal: JournalReader, trials: pd.DataFrame, *, rules: int | None = None) -> Verdict | None:
    """Judge the claim of a study by its trials table, as far as it has come; None if it makes no claim.

    Args:
        journal: Of the study: how often the runs were looked at.
        trials: The trials table.
        rules: Others than the study's own, and it is said that this is after the fact.
    """
    study = journal.study()
    claim = study.claim
    if claim is None:
        return None
    looked = tuple(look.seeds for look in journal.looks())
    verdict = judge_trials(
        trials,
        margin=claim.margin,
        tolerance=claim.tolerance,
        seed=study.root_seed,
        rules=rules or study.rules,
        looks=Looks(claim.looks or (min((*looked, claim.seeds)),), looked),
    )
    if verdict.rules == study.rules:
        return verdict
    return replace(verdict, notes=(AFTER_THE_FACT.format(rules=verdict.rules, own=study.rules), *verdict.notes))


def judge_folder(path: Path, *, rules: int | None = None) -> tuple[pd.DataFrame, Verdict]:
    """Judge the study of a folder, and keep the verdict in it, unless it is one by other rules than the study's.

    Returns:
        The trials table, and the verdict.

    Raises:
        UsageError: There is no journal, or the study makes no claim, or the folder cannot be written.
    """
    folder = StudyFolder(path)
    with Journal(folder.journal, read_only=True) as journal:
        trials = trials_table(journal)
        verdict = judge_study(journal, trials, rules=rules)
        own_rules = journal.study().rules
    if verdict is None:
        raise UsageError(
            f"{path}: the study makes no claim, so there is nothing to judge",
            hint="A study file with a `claim` section compares arms; docs/explanation/verdict.md explains it.",
        )
    if verdict.rules == own_rules:
        with writing(folder.verdict):
            write_verdict(folder, verdict)
    return trials, verdict


def judge_csv(
    path: Path,
    *,
    claimant: str | None = None,
    margin: float | None = None,
    tolerance: float | str | None = None,
    rules: int | None = None,
) -> tuple[pd.DataFrame, Verdict]:
    """Judge the runs of a CSV file; options left out are those of `judge`.

    Returns:
        The table, its cells as they are written, and the verdict.

    Raises:
        UsageError: The file cannot be read as a table of runs.
    """
    runs = read_table(path)
    given = {"margin": margin, "tolerance": tolerance, "claimant": claimant, "rules": rules}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return runs, judge(runs, **options)


def write_verdict(folder: StudyFolder, verdict: Verdict) -> None:
    """Write `verdict.json`."""
    write_whole(folder.verdict, json.dumps(verdict.to_json(), indent=2) + "\n")
