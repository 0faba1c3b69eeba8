"""Which confirming trials a claim needs next, from journals written by hand: nothing is trained here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from resnext_search.results import Journal
from resnext_search.search.planning.confirmation import enqueue_confirmation, finalists
from resnext_search.search.planning.tuning_rounds import chosen_rates, enqueue_tuning
from resnext_search.search.surrogate.study_model import rank_trials
from resnext_search.spaces import Study
from resnext_search.spaces.folds import fold_of

from tests.support.claims import ARMS, GOOD_RATES, end_tuning, rate_of, tune
from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, point

After = Callable[[Study], Journal]
FINALIST = "finalist-0001"


@pytest.fixture
def study() -> Study:
    return tiny_study(TINY_CLAIM)


@pytest.fixture
def journal(study: Study, after_search: After) -> Journal:
    return after_search(study)


def claiming(study: Study, **changes: int) -> Study:
    assert study.claim is not None
    return study.model_copy(update={"claim": study.claim.model_copy(update=changes)})


def test_confirmation_is_blocked_by_fresh_seeds_with_the_arms_shuffled_in_each(after_search: After) -> None:
    study = tiny_study(TINY_CLAIM, "rules=1")
    journal = after_search(study)
    tune(study, journal)
    used = {trial.seed for trial in journal.trials()}

    assert enqueue_confirmation(study, journal) == 5 * 4

    trials = journal.trials(phase="confirm")
    blocks = [trials[start : start + 4] for start in range(0, 20, 4)]
    for block in blocks:
        assert len({trial.seed for trial in block}) == 1
        assert {trial.arm for trial in block} == {*ARMS, FINALIST}
    assert len({block[0].seed for block in blocks}) == 5
    assert not used & {trial.seed for trial in trials}
    assert len({tuple(trial.arm for trial in block) for block in blocks}) > 1
    by_arm = {trial.arm: trial.configuration for trial in trials}
    assert by_arm["width"].knobs == (("learning_rate", 0.1),)
    assert by_arm[FINALIST] == point(4, 0.2)  # the best of the search
    assert enqueue_confirmation(study, journal) == 0


def test_the_rates_that_came_second_are_confirmed_in_the_first_three_blocks_but_not_that_of_the_base(
    study: Study, journal: Journal
) -> None:
    tune(study, journal)
    used = {trial.seed for trial in journal.trials()}

    assert enqueue_confirmation(study, journal) == 5 * 5 + 3 * 3

    trials = journal.trials(phase="confirm")
    seconds = [f"runner-up-{arm}" for arm in ARMS]
    assert Counter(trial.arm for trial in trials) == dict.fromkeys([*ARMS, "base", FINALIST], 5) | dict.fromkeys(
        seconds, 3
    )
    seeds = list(dict.fromkeys(trial.seed for trial in trials))
    assert [fold_of(seed) for seed in seeds] == [0, 1, 2, 3, 4]
    assert not used & set(seeds)
    assert {trial.seed for trial in trials if trial.arm in seconds} == set(seeds[:3])
    orders = [[trial.arm for trial in trials if trial.seed == seed] for seed in seeds]
    assert len({tuple(order) for order in orders}) == 5
    chosen = chosen_rates(journal)
    for trial in trials:
        arm = str(trial.arm).removeprefix("runner-up-")
        if arm in chosen:
            assert rate_of(trial) == (chosen[arm].rate if arm == trial.arm else chosen[arm].runner_up)
    assert enqueue_confirmation(study, journal) == 0


def test_a_confirmation_that_was_broken_off_while_it_was_queued_left_nothing(
    study: Study, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    tune(study, journal)
    really, left = journal.enqueue, iter(range(7))

    def broken(*arguments: object, **options: object) -> int:
        next(left)
        return really(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(journal, "enqueue", broken)
    with pytest.raises(StopIteration):
        enqueue_confirmation(study, journal)
    assert journal.trials(phase="confirm") == []


def test_with_an_arm_at_the_edge_none_is_confirmed(study: Study, journal: Journal) -> None:
    errors = {10.0**power: 50.0 - 5 * power for power in range(-2, 9)}
    while enqueue_tuning(study, journal):
        end_tuning(journal, errors)

    assert enqueue_confirmation(study, journal) == 5

    assert {trial.arm for trial in journal.trials(phase="confirm")} == {FINALIST}


def test_while_a_tuning_trial_is_left_nothing_is_confirmed(study: Study, journal: Journal) -> None:
    enqueue_tuning(study, journal)
    assert enqueue_confirmation(study, journal) == 0


@pytest.mark.parametrize(("rules", "seeds", "more"), [(1, 6, 4), (2, 10, 5 * 5)])
def test_more_seeds_add_blocks_and_leave_those_that_are_there(
    after_search: After, rules: int, seeds: int, more: int
) -> None:
    study = tiny_study(TINY_CLAIM, f"rules={rules}")
    journal = after_search(study)
    tune(study, journal)
    enqueue_confirmation(study, journal)
    before = journal.trials(phase="confirm")

    assert enqueue_confirmation(claiming(study, seeds=seeds), journal) == more

    assert journal.trials(phase="confirm")[: len(before)] == before


def test_an_arm_keeps_the_rate_of_its_first_block(
    study: Study, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    tune(study, journal)
    enqueue_confirmation(study, journal)
    chosen = {arm: one._replace(rate=one.rate * (1 + 1e-15)) for arm, one in chosen_rates(journal).items()}
    monkeypatch.setattr("resnext_search.search.planning.tuning_rounds.fit_tuning", lambda *_, **__: chosen)
    enqueue_confirmation(claiming(study, seeds=10), journal)
    for arm in ARMS:
        assert len({trial.configuration for trial in journal.trials(phase="confirm") if trial.arm == arm}) == 1


def test_finalists_are_the_best_of_the_search_by_the_model(study: Study, journal: Journal) -> None:
    """Trial 1 reported the lowest error; its neighbours say that this was luck."""
    for architecture, rate, error in [(4, 0.19, 30.0), (4, 0.21, 30.0), (0, 0.11, 12.4), (0, 0.09, 12.6)]:
        completed(journal, point(architecture, rate), error)
    names = [f"finalist-{trial.trial_id:04d}" for trial, _ in rank_trials(journal)]
    assert {"finalist-0000", "finalist-0004", "finalist-0005"} == set(names[:3])
    for wanted in (0, 1, 3, 9):
        assert list(finalists(claiming(study, finalists=wanted), journal)) == names[:wanted]


def test_no_tuning_trial_is_a_finalist_however_good_it_is(study: Study, journal: Journal) -> None:
    enqueue_tuning(study, journal)
    end_tuning(journal, {rate: error - 7.9 for rate, error in GOOD_RATES.items()})
    assert rank_trials(journal)[0].trial.phase == "tune"
    assert set(finalists(claiming(study, finalists=9), journal)) == {FINALIST, "finalist-0000"}


def test_a_study_that_continues_confirms_the_same_finalists(study: Study, journal: Journal) -> None:
    many = claiming(study, finalists=2)
    completed(journal, point(2), 9.1)
    assert enqueue_confirmation(many, journal) == 5 * 2
    journal.start(journal.trials(phase="confirm")[0].trial_id, "x")
    with Journal(journal.path) as again:
        again.interrupt_running()
        assert enqueue_confirmation(many, again) == 0
