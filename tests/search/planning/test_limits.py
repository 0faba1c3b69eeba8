"""What is left of the limits of a study, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.results import Journal
from resnext_search.search.planning.limits import Budget, check_limits
from resnext_search.search.planning.workload import claim_flops, training_flops
from resnext_search.spaces import Study
from resnext_search.spaces.errors import StudyError

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, epoch_row, new_folder, point, started

# The tiny study trains on 256 images for 2 epochs, at 3 passes of 2 operations a multiply-add.
PER_MULTIPLY_ADD = 6 * 256 * 2


def limited(multiply_adds: float, *overrides: str) -> Study:
    """The tiny study, with as many operations as trials of so many multiply-adds take together."""
    return tiny_study(f"limits.training_flops={int(multiply_adds * PER_MULTIPLY_ADD)}", *overrides)


def multiply_adds(architecture: int) -> int:
    return int(tiny_study().feasible_set().counts.multiply_adds[architecture])


def journal_of(study: Study, path: Path) -> Journal:
    return new_folder(path, study)[1]


def test_without_limits_everything_is_allowed(tmp_path: Path) -> None:
    with journal_of(tiny_study(), tmp_path) as journal:
        budget = Budget(tiny_study(), journal)
        assert budget.allows_another()
        assert budget.allows(journal.trial(journal.enqueue("search", point(0), 1, "sobol")))
        assert (budget.is_over, budget.spent_limit()) == (False, ("", ""))


def test_a_trial_starts_only_if_all_its_epochs_fit(tmp_path: Path) -> None:
    dearest = 22_992  # the upper end of the band
    study = limited(multiply_adds(0) + multiply_adds(3) + dearest)
    with journal_of(study, tmp_path) as journal:
        completed(journal, point(0), 12.5)
        running = started(journal, point(3))
        budget = Budget(study, journal)
        assert budget.allows_another()  # to the last operation
        budget.started(journal.trial(journal.enqueue("search", point(1), 1, "sobol")))
        assert not budget.allows_another()
        assert not budget.allows(journal.trial(journal.enqueue("search", point(2), 1, "sobol")))
        assert budget.allows(journal.trial(running))  # it has started before, and may go on

        short = Budget(limited(multiply_adds(0) + multiply_adds(3) + dearest - 0.001), journal)
        assert not short.allows_another()


def test_what_a_trial_leaves_others_may_have(tmp_path: Path) -> None:
    study = limited(multiply_adds(0) / 2 + 22_992)
    with journal_of(study, tmp_path) as journal:
        number = started(journal, point(0))
        budget = Budget(study, journal)
        assert not budget.allows_another()
        journal.record_epoch(number, epoch_row(1, 90.0), device="cpu", host="here", final=False)
        journal.fail(number, "TrainingDiverged", "nan")
        budget.ended(journal.trial(number))
        assert budget.allows_another()  # one of two epochs was trained
        assert Budget(study, journal).allows_another()


def test_the_search_leaves_the_claim_what_it_needs(tmp_path: Path) -> None:
    claimed = tiny_study(TINY_CLAIM)
    needed = claim_flops(claimed) / PER_MULTIPLY_ADD
    study = limited(needed + 22_992, TINY_CLAIM)
    with journal_of(study, tmp_path) as journal:
        budget = Budget(study, journal)
        assert budget.allows_another()
        first = journal.trial(started(journal, point(0)))
        budget.started(first)
        assert not budget.allows_another()
        arm = journal.trial(journal.enqueue("tune", point(0), 1, "plan", arm="width"))
        assert budget.allows(arm)
        budget.started(arm)  # of what is kept for the claim: nothing changes for the search
        assert not budget.allows_another()


@pytest.mark.parametrize("rules", [1, 2])
def test_the_claim_takes_what_the_plan_says(rules: int) -> None:
    """Arms and finalists at their own cost, where the forecast of the plan takes the budget's: 2 % apart at most."""
    study = tiny_study(TINY_CLAIM, f"rules={rules}")
    whole = training_flops(study)
    search = 4 * 21_898 * PER_MULTIPLY_ADD
    assert whole is not None
    assert claim_flops(study) == pytest.approx(whole - search, rel=0.05)
    assert claim_flops(tiny_study()) == 0


def test_the_limit_of_time_is_over_when_it_is_reached(tmp_path: Path) -> None:
    study = tiny_study("limits.time=90m")
    with journal_of(study, tmp_path) as journal:
        journal.keep_active_seconds(5399.5)
        assert not Budget(study, journal).is_over
        journal.keep_active_seconds(5400.0)
        budget = Budget(study, journal)
        assert budget.is_over
        assert budget.spent_limit() == ("limits.time (90m)", "limits.time=3h")


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ("limits.training_flops=70M",),
            "limits.training_flops: found 7e+07; allowed: at least 7.06e+07, which a trial of the search takes",
        ),
        (
            (TINY_CLAIM, "rules=1", "limits.training_flops=2G"),
            # 9 trials tune on 256 images, 15 confirm on 456, and 5 of a finalist
            "limits.training_flops: found 2e+09; allowed: at least 3.12e+09, "
            "which a trial of the search and the claim take",
        ),
    ],
)
def test_a_limit_that_allows_nothing_is_refused_at_once(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(StudyError) as caught:
        check_limits(tiny_study(*overrides))
    assert str(caught.value) == message
    assert caught.value.exit_code == 2
    check_limits(tiny_study(*overrides[:-1], "limits.training_flops=1e15"))
