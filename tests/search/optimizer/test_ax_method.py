"""Ax's generator on the candidates: refitted when it should be, and the largest acquisition wins."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from resnext_search.search.optimizer import ax_method
from resnext_search.search.optimizer.ax_method import AxMethod, _with_fantasies
from resnext_search.search.optimizer.state import AcquisitionProblem
from resnext_search.search.surrogate.gaussian_process import GaussianProcess, Hyperparameters, fit
from resnext_search.search.surrogate.observations import Observations
from scipy.stats import norm

NOTHING = np.empty((0, 2))


def observations(trials: int, seed: int = 0) -> Observations:
    generator = np.random.default_rng(seed)
    features = generator.random((trials, 2))
    return Observations(features, 20 + 10 * ((features - 0.3) ** 2).sum(axis=1) + generator.normal(0, 0.1, trials))


def problem_of(features: np.ndarray, told: Observations) -> AcquisitionProblem:
    none = np.empty((len(features), 0))
    return AcquisitionProblem(features, none, none, told.features, np.empty((len(told.errors), 0)), NOTHING, NOTHING)


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many trials each fit of the hyperparameters was made to."""
    sizes: list[int] = []

    def watched(features: np.ndarray, outcomes: np.ndarray, variances: np.ndarray) -> Hyperparameters:
        sizes.append(len(outcomes))
        return fit(features, outcomes, variances)

    monkeypatch.setattr(ax_method, "fit", watched)
    return sizes


def test_hyperparameters_are_fitted_once_to_the_same_trials(fits: list[int]) -> None:
    generator = AxMethod()
    told = observations(20)
    for _ in range(3):
        generator.fit(told)
    assert fits == [20]
    generator.fit(observations(21))
    assert fits == [20, 21]


def test_hyperparameters_are_fitted_again_when_an_outcome_has_become_more_certain(fits: list[int]) -> None:
    generator, told = AxMethod(), observations(20)
    uncertain = Observations(told.features, told.errors, np.where(np.arange(20) < 5, 40.0, 0.0))
    for each in (told, uncertain, uncertain):
        generator.fit(each)
    assert fits == [20, 20]
    np.testing.assert_array_equal(generator.surrogate.process().variances, uncertain.to_predict().variances)


def test_of_many_trials_hyperparameters_are_fitted_when_they_have_grown_by_a_tenth(fits: list[int]) -> None:
    generator, many = AxMethod(), observations(112)
    for trials in range(99, 113):
        generator.fit(Observations(many.features[:trials], many.errors[:trials]))
        assert len(generator.surrogate.train_targets) == trials  # predictions use all of them
    assert fits == [99, 100, 110]


def test_a_generator_that_was_asked_before_has_the_model_of_one_that_was_not() -> None:
    """As a replay from the journal is asked for the first time where the study was broken off."""
    often, once, many = AxMethod(), AxMethod(), observations(105)
    for trials in range(90, 106):
        often.fit(Observations(many.features[:trials], many.errors[:trials]))
    once.fit(many)
    states = [generator.surrogate.state_dict() for generator in (often, once)]
    assert all((value == states[1][name]).all() for name, value in states[0].items())


def test_the_candidate_with_the_largest_expected_improvement_is_proposed() -> None:
    told, candidates = observations(15), np.random.default_rng(1).random((200, 2))
    generator = AxMethod()
    generator.fit(told)
    chosen = generator.choose(problem_of(candidates, told))
    process = generator.surrogate.process()
    mean, variance = process.predict(candidates)
    deviation = np.sqrt(variance)
    better = (process.predict_mean(told.features).min() - mean) / deviation
    assert chosen == int((deviation * (norm.pdf(better) + better * norm.cdf(better))).argmax())


def test_of_equal_candidates_the_first_is_proposed_and_its_acquisition_is_what_ax_was_told() -> None:
    told, candidates = observations(15), np.repeat(np.random.default_rng(1).random((3, 2)), 4, axis=0)
    method = AxMethod()
    method.fit(told)
    chosen = method.choose(problem_of(candidates, told))
    assert chosen in (0, 4, 8)
    acquisition = method.generator._acquisition
    assert acquisition is not None
    values = acquisition.evaluate(torch.arange(12)[:, None, None])
    assert values[chosen] == values.max()


def test_a_running_trial_is_expected_to_end_as_predicted_and_a_failed_one_as_the_worst() -> None:
    process = GaussianProcess(
        np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([-1.0, 1.0]), Hyperparameters(np.ones(2), 0.1)
    )
    pending, failed = np.array([[0.2, 0.4]]), np.array([[0.9, 0.1], [0.8, 0.3]])
    after = _with_fantasies(process, pending, failed)
    assert after.outcomes.tolist() == pytest.approx([-1.0, 1.0, process.predict_mean(pending)[0], 1.0, 1.0])
    assert _with_fantasies(process, NOTHING, NOTHING) is process
