"""Which trial is chosen: by the model, not by luck, and the same from the journal as from the optimizer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from resnext_search.results import Journal
from resnext_search.search.surrogate.observations import Observations
from resnext_search.search.surrogate.study_model import rank, ranked_trials

from tests.support.journals import completed, ended_folder, lucky_folder, new_folder, point, started
from tests.support.optimizers import tiny_optimizer, valley


def test_a_lucky_trial_among_bad_neighbours_is_not_chosen(tmp_path: Path) -> None:
    with Journal(lucky_folder(tmp_path).journal, read_only=True) as journal:
        ranked = ranked_trials(journal)
    assert {trial.trial_id for trial, _ in ranked[:3]} == {3, 4, 5}
    expected = {trial.trial_id: error for trial, error in ranked if error is not None}
    assert list(expected.values()) == sorted(expected.values())
    assert min(expected.values()) == pytest.approx(9.4, abs=0.3)
    assert expected[0] > 18


def test_the_optimizer_and_the_journal_choose_the_same(tmp_path: Path) -> None:
    optimizer, noise = tiny_optimizer(), np.random.default_rng(0)
    _, journal = new_folder(tmp_path)
    with journal:
        for _ in range(12):
            [proposal] = optimizer.ask()
            error = valley(proposal.configuration) + noise.normal()
            optimizer.tell(proposal.proposal_id, {"validation_error": error})
            completed(journal, proposal.configuration, error)
        before = ranked_trials(journal)
        assert before[0].trial.trial_id == optimizer.chosen()
        started(journal, point(0))
        completed(journal, point(0), 1.0, phase="tune")
    with Journal(journal.path, read_only=True) as again:
        assert ranked_trials(again) == before


def test_before_there_is_a_model_the_lowest_reported_error_is_chosen_and_nothing_expected(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        assert ranked_trials(journal) == []
        completed(journal, point(0), 12.5)
        completed(journal, point(1), 12.5)
        assert [(trial.trial_id, expected) for trial, expected in ranked_trials(journal)] == [(0, None), (1, None)]


def test_without_features_there_is_no_model() -> None:
    told = Observations(np.empty((3, 0)), np.array([12.0, 11.0, 11.0]))
    order, expected = rank(told.places, told.errors, told)
    assert (order.tolist(), expected) == ([1, 2, 0], None)


def test_trials_of_one_place_are_expected_to_err_alike_and_the_first_is_chosen() -> None:
    told = Observations(np.array([[0.5], [0.5], [0.0], [1.0]]), np.array([12.0, 10.0, 20.0, 22.0]))
    order, expected = rank(told.places, told.errors, told)
    assert expected is not None
    assert expected[0] == expected[1]
    assert order.tolist() == [0, 1, 2, 3]


def test_failures_are_left_out(tmp_path: Path) -> None:
    with Journal(ended_folder(tmp_path).journal, read_only=True) as journal:
        assert [trial.trial_id for trial, _ in ranked_trials(journal)] == [1, 0, 2]
