"""What a study cost: FLOPs and times of every phase, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.results.figures.costs import cost_charts
from resnext_search.results.tables.costs import PhaseCost, phase_costs

from tests.support.helpers import tiny_study
from tests.support.journals import ended_folder, new_folder


def costs_of(path: Path, **planned: float) -> PhaseCost:
    folder = ended_folder(path)
    with Journal(folder.journal, read_only=True) as journal:
        [cost] = phase_costs(journal.study(), journal.trials(), {"search": 4}, {"search": planned["flops"]})
    return cost


def test_flops_are_those_of_the_epochs_trained(tmp_path: Path) -> None:
    cost = costs_of(tmp_path, flops=1e10)
    # 22,158, 21,898 and 21,146 multiply-adds on 256 images for two epochs; three passes, two operations each
    assert cost.flops == 2 * 3 * 256 * 2 * (22_158 + 21_898 + 21_146)
    assert (cost.ended, cost.planned, cost.planned_flops) == (4, 4, 1e10)


def test_training_takes_what_its_epochs_took(tmp_path: Path) -> None:
    cost = costs_of(tmp_path, flops=1e10)
    assert cost.training_seconds == pytest.approx(3 * 2 * 0.25)
    assert cost.other_seconds >= 0
    assert 0 < cost.span_seconds < 60


def test_forecast_and_trained_stand_beside_each_other(tmp_path: Path) -> None:
    cost = costs_of(tmp_path, flops=4e8)
    flops, time = cost_charts([cost])
    assert flops.rows == [("search", pytest.approx(0.000200301, rel=1e-4), 0.0004)]
    assert time.rows[0][:4] == ("search", 4, 4, pytest.approx(1.5 / 60))


def test_before_the_first_epoch_there_is_a_forecast_alone(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        costs = phase_costs(tiny_study(), journal.trials(), {"search": 4}, {"search": 4e8})
    assert [chart.name for chart in cost_charts(costs)] == ["flops"]


def test_without_a_number_of_images_no_flops_are_told(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        costs = phase_costs(tiny_study(), journal.trials(), {"search": 4}, None)
    assert cost_charts(costs) == []
