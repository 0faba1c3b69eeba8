"""Which tuning trials a claim needs next, from journals written by hand: nothing is trained here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from resnext_search.results import Journal
from resnext_search.search.planning.tuning_rounds import chosen_rates, enqueue_tuning, tuned_rates
from resnext_search.spaces import Study
from resnext_search.spaces.claim.arms import claim_arms
from resnext_search.spaces.claim.seeds import tuning_seed
from resnext_search.spaces.claim.tuning_fit import Point, second_rates
from resnext_search.spaces.folds import fold_of

from tests.support.claims import ARMS, GOOD_RATES, end_round, end_tuning, rate_of
from tests.support.helpers import TINY_CLAIM, tiny_study

After = Callable[[Study], Journal]
ALL_ARMS = [*ARMS, "base"]


@pytest.fixture
def study() -> Study:
    return tiny_study(TINY_CLAIM)


@pytest.fixture
def journal(study: Study, after_search: After) -> Journal:
    return after_search(study)


@pytest.mark.parametrize(("rules", "arms"), [(1, ARMS), (2, ALL_ARMS)])
def test_every_arm_is_tuned_with_the_same_rates_and_the_same_seed(
    after_search: After, rules: int, arms: list[str]
) -> None:
    study = tiny_study(TINY_CLAIM, f"rules={rules}")
    journal = after_search(study)
    assert enqueue_tuning(study, journal) == 3 * len(arms)

    trials = journal.trials(phase="tune")
    assert [(trial.arm, rate_of(trial)) for trial in trials] == [
        (arm, rate) for rate in (0.01, 0.1, 1.0) for arm in arms
    ]
    assert {trial.seed for trial in trials} == {tuning_seed(study, 0)}
    assert {trial.configuration.architecture for trial in trials} == {arm.architecture for arm in claim_arms(study)}
    assert enqueue_tuning(study, journal) == 0, "they wait: nothing more is needed yet"


def test_under_the_first_rules_there_is_one_round(after_search: After) -> None:
    study = tiny_study(TINY_CLAIM, "rules=1")
    journal = after_search(study)
    enqueue_tuning(study, journal)
    end_tuning(journal, GOOD_RATES)
    assert enqueue_tuning(study, journal) == 0
    assert tuned_rates(journal) == dict.fromkeys(ARMS, 0.1)


def test_in_a_second_round_every_arm_has_five_rates_of_its_own_on_more_seeds(study: Study, journal: Journal) -> None:
    enqueue_tuning(study, journal)
    end_tuning(journal, GOOD_RATES)
    first = journal.trials(phase="tune")

    assert enqueue_tuning(study, journal) == 4 * 5 * 2

    second = journal.trials(phase="tune")[len(first) :]
    for arm in ALL_ARMS:
        points = [Point(rate_of(one), one.validation_error or 0.0, one.seed) for one in first if one.arm == arm]
        rates = second_rates(points, images=359)
        assert len(rates) == 5
        for number in (1, 2):
            of_seed = [one for one in second if one.arm == arm and one.seed == tuning_seed(study, number)]
            assert [rate_of(one) for one in of_seed] == rates
    assert [trial.arm for trial in second[:8]] == ALL_ARMS * 2, "arms alternate"
    assert enqueue_tuning(study, journal) == 0
    end_round(journal)
    assert enqueue_tuning(study, journal) == 0
    assert list(tuned_rates(journal)) == ALL_ARMS
    assert {arm: chosen.rate for arm, chosen in chosen_rates(journal).items()} == tuned_rates(journal)


def test_tuning_seeds_go_round_the_folds(study: Study, journal: Journal) -> None:
    assert study.has_folds
    assert [fold_of(tuning_seed(study, number)) for number in range(7)] == [0, 1, 2, 3, 4, 0, 1]
    assert len({tuning_seed(study, number) for number in range(100)}) == 100
    enqueue_tuning(study, journal)
    assert {fold_of(trial.seed) for trial in journal.trials(phase="tune")} == {0}


def test_a_second_round_that_has_begun_keeps_its_rates(
    study: Study, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another machine the fit may differ in the last digit."""
    enqueue_tuning(study, journal)
    end_tuning(journal, GOOD_RATES)
    enqueue_tuning(study, journal)
    end_round(journal)
    before = {rate_of(trial) for trial in journal.trials(phase="tune")}
    monkeypatch.setattr("resnext_search.search.planning.tuning_rounds.second_rates", lambda *_, **__: [0.3] * 5)
    assert enqueue_tuning(study, journal) == 0
    assert study.claim is not None
    more = study.model_copy(update={"claim": study.claim.model_copy(update={"tuning_seeds": 3})})
    assert enqueue_tuning(more, journal) == 4 * 5
    assert {rate_of(trial) for trial in journal.trials(phase="tune")} == before


@pytest.mark.parametrize(("rules", "arms"), [(1, 3), (2, 4)])
def test_a_best_rate_at_the_edge_widens_the_range_for_every_arm(after_search: After, rules: int, arms: int) -> None:
    study = tiny_study(TINY_CLAIM, f"rules={rules}")
    journal = after_search(study)
    enqueue_tuning(study, journal)
    end_tuning(journal, {0.01: 9.0, 0.1: 8.0, 1.0: 7.0})
    assert tuned_rates(journal) == {}

    assert enqueue_tuning(study, journal) == 2 * arms

    trials = journal.trials(phase="tune")
    assert sorted({rate_of(trial) for trial in trials}) == [0.01, 0.1, 1.0, 10.0, 100.0]
    assert {trial.seed for trial in trials} == {tuning_seed(study, 0)}
    end_tuning(journal, {10.0: 8.0})  # and 100 diverges
    if rules == 1:
        assert enqueue_tuning(study, journal) == 0
        assert tuned_rates(journal) == dict.fromkeys(ARMS, 1.0)
    else:
        assert enqueue_tuning(study, journal) == arms * 5 * 2, "the second round is around 1"
        rates = [rate_of(trial) for trial in journal.trials(phase="tune", states=["queued"])]
        assert min(rates) < 1.0 < max(rates)


@pytest.mark.parametrize(("rules", "arms"), [(1, 3), (2, 4)])
def test_a_range_is_widened_twice_and_then_there_is_no_rate(after_search: After, rules: int, arms: int) -> None:
    study = tiny_study(TINY_CLAIM, f"rules={rules}")
    journal = after_search(study)
    errors = {10.0**power: 50.0 - 5 * power for power in range(-2, 9)}
    for queued in (3, 2, 2, 0):
        assert enqueue_tuning(study, journal) == queued * arms
        end_tuning(journal, errors)
    assert tuned_rates(journal) == {}


@pytest.mark.parametrize(("rules", "arms"), [(1, 3), (2, 4)])
def test_a_list_of_rates_is_not_widened(after_search: After, rules: int, arms: int) -> None:
    study = tiny_study(TINY_CLAIM, "axes.learning_rate=[0.01, 0.1, 0.3]", f"rules={rules}")
    journal = after_search(study)
    assert enqueue_tuning(study, journal) == 3 * arms
    end_tuning(journal, {0.01: 9.0, 0.1: 8.0, 0.3: 7.0})
    assert enqueue_tuning(study, journal) == 0


def test_a_rate_that_failed_is_worse_than_any_that_did_not(study: Study, journal: Journal) -> None:
    enqueue_tuning(study, journal)
    end_tuning(journal, {0.01: 9.0, 0.1: 8.0})  # and 1 diverges
    assert enqueue_tuning(study, journal) == 4 * 5 * 2


def test_an_arm_whose_trials_all_failed_has_no_rate_and_nobody_a_second_round(study: Study, journal: Journal) -> None:
    enqueue_tuning(study, journal)
    for trial in journal.trials(phase="tune"):
        if trial.arm == "depth":
            journal.start(trial.trial_id, "x")
            journal.fail(trial.trial_id, "TrainingDiverged", "the loss is nan")
    end_round(journal)
    assert enqueue_tuning(study, journal) == 0
    assert set(tuned_rates(journal)) == {"cardinality", "width", "base"}


def test_how_many_images_validate_a_tuning_trial() -> None:
    assert tiny_study(TINY_CLAIM).images_to_validate() == 1_797 // 5
    assert tiny_study(TINY_CLAIM, "rules=1").images_to_validate() == 200
