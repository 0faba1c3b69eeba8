"""What does a report say? All that is known of a study, from its journal and the search, and every picture that its
data allow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
from resnext_search.results.figures.chart import Chart, Row
from resnext_search.results.figures.claim import claim_charts, tuning_chart
from resnext_search.results.figures.costs import cost_charts
from resnext_search.results.figures.curve import curve_charts
from resnext_search.results.figures.populations import population_charts
from resnext_search.results.figures.search import front_chart, progress_chart
from resnext_search.results.figures.surface import effect_charts, surface_charts
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import Machine, Trial
from resnext_search.results.search_summary import SearchSummary
from resnext_search.results.tables.costs import PhaseCost, phase_costs
from resnext_search.results.tables.trials import pareto_table, trials_table
from resnext_search.results.verdict.outcome import Verdict
from resnext_search.results.verdict.sources import judge_study
from resnext_search.spaces.study.study import Study


@dataclass(frozen=True)
class Facts:
    """All that a report shows.

    Args:
        study: As the journal has it.
        given: The study file as it was given; None if the folder has lost it.
        trials: The rows of `trials.csv`, None where a cell is empty.
        front: Those of `pareto.csv`.
        verdict: None for a study that makes no claim.
        journal: The trials again, with their times and the whole messages of those that failed.
        costs: Of every phase.
        search: What only the search knows.
        machines: What the hosts are that trained, by the keys that the trials of the journal have.
        forecast: What the study was expected to take before its first trial, as `plan.json` has it; None without.
        active_seconds: How long it was at work.
    """

    study: Study
    given: str | None
    trials: Sequence[Row]
    front: Sequence[Row]
    verdict: Verdict | None
    journal: Sequence[Trial]
    costs: Sequence[PhaseCost]
    search: SearchSummary
    machines: Mapping[str, Machine]
    forecast: Mapping[str, Any] | None
    active_seconds: float


class StudyResults(NamedTuple):
    """What follows from the journal of a study, made once for everything that is written or said of it.

    The tables are those of `trials_table` and `pareto_table`; no verdict is there of a study that makes no claim.
    """

    trials: pd.DataFrame
    front: pd.DataFrame
    verdict: Verdict | None


def read_results(journal: Journal) -> StudyResults:
    """The results of a study as far as it has come."""
    trials = trials_table(journal)
    return StudyResults(trials, pareto_table(journal, trials=trials), judge_study(journal, trials))


def read_facts(folder: StudyFolder, journal: Journal, results: StudyResults, search: SearchSummary) -> Facts:
    """The facts of a study, of whose journal the results were made."""
    study, trials, forecast = journal.study(), journal.trials(), journal.forecast()
    return Facts(
        study,
        _text(folder),
        rows_of(results.trials),
        rows_of(results.front),
        results.verdict,
        trials,
        phase_costs(study, trials, search.planned_trials, search.planned_flops, forecast),
        search,
        journal.machines(),
        forecast,
        journal.active_seconds(),
    )


def rows_of(table: pd.DataFrame) -> list[Row]:
    """The rows of a table, None where a cell is empty; whole numbers stay whole."""
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _text(folder: StudyFolder) -> str | None:
    try:
        return folder.study.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def charts_of(facts: Facts) -> dict[str, Chart]:
    """The charts of a study by their names."""
    return {chart.name: chart for chart in _charts(facts)}


def _charts(facts: Facts) -> Iterator[Chart]:
    if (front := front_chart(facts.trials, facts.front, facts.study.objectives)) is not None:
        yield front
    yield from surface_charts(facts.trials, facts.search.surface)
    yield from effect_charts(facts.trials, facts.search.effects)
    if facts.verdict is not None:
        judged = facts.verdict.to_json()
        yield from curve_charts(facts.trials, judged)
        yield from population_charts(facts.trials, judged)
        yield from claim_charts(facts.trials, judged)
    for chart in (tuning_chart(facts.trials), progress_chart(facts.trials)):
        if chart is not None:
            yield chart
    yield from cost_charts(facts.costs)
