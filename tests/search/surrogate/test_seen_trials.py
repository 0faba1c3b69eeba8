"""Which trials the search learns from and chooses among: its own, and what tuned the arms inside its space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from resnext_search.search.optimizer.optimizer import Failure
from resnext_search.search.optimizer.study_optimizer import Proposals
from resnext_search.search.planning.tuning_rounds import enqueue_tuning
from resnext_search.search.surrogate.candidates import Candidates
from resnext_search.search.surrogate.seen_trials import seen_trials, tuning_trials_seen
from resnext_search.search.surrogate.study_model import rank_trials, read_observations, read_posterior
from resnext_search.spaces.claim.arms import claim_arms

from tests.support.claims import end_round, end_tuning, rate_of, tune
from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, epoch_row, new_folder, point, started, tiny_set


def test_tuning_trials_of_the_first_round_inside_the_band_are_seen_and_no_others(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM)
    inside = {arm.name for arm in claim_arms(study) if arm.architecture in tiny_set()}
    assert inside == {"cardinality", "width"}, "the base costs half as much; widths of depth fit no axis"
    with new_folder(tmp_path, study)[1] as journal:
        tune(study, journal)
        search = completed(journal, point(1), 9.0)
        seen = seen_trials(journal)
        assert [(trial.arm, rate_of(trial)) for trial in seen[:-1]] == [
            (arm, rate) for rate in (0.01, 0.1, 1.0) for arm in ("cardinality", "width")
        ]
        assert len({trial.seed for trial in seen[:-1]}) == 1
        assert seen[-1].trial_id == search
        assert len(rank_trials(journal)) == 7


def test_rates_beyond_the_range_of_the_search_are_not_seen(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM)
    with new_folder(tmp_path, study)[1] as journal:
        enqueue_tuning(study, journal)
        end_tuning(journal, {0.01: 9.0, 0.1: 8.0, 1.0: 7.0})
        enqueue_tuning(study, journal)
        end_round(journal)
        assert max(rate_of(trial) for trial in journal.trials(phase="tune")) == 100.0
        assert max(rate_of(trial) for trial in tuning_trials_seen(journal)) == 1.0


@pytest.mark.parametrize("overrides", [(TINY_CLAIM, "rules=1"), ()])
def test_under_the_first_rules_and_without_a_claim_the_search_sees_its_own_trials_alone(
    tmp_path: Path, overrides: tuple[str, ...]
) -> None:
    study = tiny_study(*overrides)
    with new_folder(tmp_path, study)[1] as journal:
        completed(journal, point(0), 12.5)
        completed(journal, point(4), 1.0, phase="tune")
        assert [trial.trial_id for trial in seen_trials(journal)] == [0]


def test_other_knobs_that_are_searched_have_the_value_of_the_recipe(tmp_path: Path) -> None:
    decay = "axes.weight_decay={min: 0.0001, max: 0.001, scale: log}"
    study = tiny_study(TINY_CLAIM, decay)
    with new_folder(tmp_path / "inside", study)[1] as journal:
        enqueue_tuning(study, journal)
        end_round(journal)
        assert {trial.configuration.knobs[1] for trial in seen_trials(journal)} == {("weight_decay", 5e-4)}
        assert read_posterior(journal) is not None
    outside = tiny_study(TINY_CLAIM, decay, "trainer.weight_decay=0.01")
    with new_folder(tmp_path / "outside", outside)[1] as journal:
        enqueue_tuning(outside, journal)
        end_round(journal)
        assert seen_trials(journal) == [], "the search could not have come near it"


def test_the_optimizer_is_told_what_the_model_of_the_report_sees(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM, "search.trials=20", "claim.tuning_trials=8")
    feasible = study.feasible_set()
    with new_folder(tmp_path, study)[1] as journal:
        enqueue_tuning(study, journal)
        end_round(journal)
        proposals = Proposals(study, feasible, journal)
        for number in range(12):
            trial = proposals.next()
            assert trial is not None
            journal.start(trial.trial_id, "x")
            if number == 3:
                journal.fail(trial.trial_id, "TrainingDiverged", "the loss is nan")
            else:
                error = 9.0 + trial.trial_id % 5
                journal.record_epoch(trial.trial_id, epoch_row(2, error), device="cpu", host="here", final=True)
            proposals.ended(trial.trial_id)
        told = proposals._optimizer._state.observe()[1]
        read = read_observations(journal, Candidates(feasible, study.knobs()))
        assert len(told.errors) == 2 * 8 + 11
        for name in ("features", "errors", "variances"):
            np.testing.assert_array_equal(getattr(read, name), getattr(told, name))
        again = Proposals(study, feasible, journal)
        assert again._optimizer.ask(2) == proposals._optimizer.ask(2)


def test_what_is_known_spares_half_of_the_space_filling_start_at_most(tmp_path: Path) -> None:
    def proposers(name: str, *overrides: str) -> list[str]:
        study = tiny_study("search.trials=20", *overrides)
        with new_folder(tmp_path / name, study)[1] as journal:
            if study.claim is not None:
                tune(study, journal)
            proposals, made = Proposals(study, study.feasible_set(), journal), []
            while (trial := proposals.next()) is not None and len(made) < 10:
                made.append(trial.proposed_by)
                journal.start(trial.trial_id, "x")
                error = 9.0 + trial.trial_id % 5
                journal.record_epoch(trial.trial_id, epoch_row(2, error), device="cpu", host="here", final=True)
                proposals.ended(trial.trial_id)
        return made

    alone = proposers("alone").count("sobol")
    assert alone == 7
    assert proposers("claim", TINY_CLAIM).count("sobol") == 4
    assert proposers("first rules", TINY_CLAIM, "rules=1").count("sobol") == alone


def test_a_tuning_trial_that_failed_is_told_as_a_failure(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM)
    with new_folder(tmp_path, study)[1] as journal:
        enqueue_tuning(study, journal)
        end_tuning(journal, {0.01: 9.0, 0.1: 8.0})  # and 1 diverges
        state = Proposals(study, study.feasible_set(), journal)._optimizer._state
        assert list(state.outcomes.values())[:4] == [9.0] * 2 + [8.0] * 2
        assert [type(outcome) for outcome in list(state.outcomes.values())[4:]] == [Failure] * 2


def test_where_a_latency_is_minimised_tuning_trials_without_one_are_left_out(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM, "objectives=[validation_error, latency_ms]")
    with new_folder(tmp_path, study)[1] as journal:
        enqueue_tuning(study, journal)
        end_round(journal)
        assert Proposals(study, study.feasible_set(), journal)._optimizer._state.known == ()
        assert started(journal, point(0)) == 12
