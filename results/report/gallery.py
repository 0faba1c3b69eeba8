"""Which pictures does a study have? All that its data allow, in the order of the report."""

from __future__ import annotations

from collections.abc import Iterator

from resnext_search.results.charts import Chart
from resnext_search.results.claim_charts import claim_charts, tuning_chart
from resnext_search.results.costs import cost_charts
from resnext_search.results.report.facts import Facts
from resnext_search.results.search_charts import effect_charts, front_chart, progress_chart, surface_charts


def gallery(facts: Facts) -> dict[str, Chart]:
    """The charts of a study by their names."""
    return {chart.name: chart for chart in _charts(facts)}


def _charts(facts: Facts) -> Iterator[Chart]:
    if (front := front_chart(facts.trials, facts.front, facts.study.objectives)) is not None:
        yield front
    yield from surface_charts(facts.trials, facts.search.places)
    yield from effect_charts(facts.search.levels)
    if facts.verdict is not None:
        yield from claim_charts(facts.trials, facts.verdict.to_json())
    for chart in (tuning_chart(facts.trials), progress_chart(facts.trials)):
        if chart is not None:
            yield chart
    yield from cost_charts(facts.costs)
