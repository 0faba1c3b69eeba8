"""Early stopping with prescribed learning curves: what is stopped, what is checked, and what is kept of both.

Rules by hand and against the journal first; then whole studies on a real Ray.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from resnext_search.results import EpochRow, Journal
from resnext_search.results.journal.rows import Stop
from resnext_search.search import run_study
from resnext_search.search.monitor.status import read_audit, read_best, read_status
from resnext_search.search.monitor.text import audit_words
from resnext_search.search.ray_backend.early_stopping import EarlyStopping
from resnext_search.spaces import Study

from tests.support.helpers import tiny_study
from tests.support.journals import new_folder, point, started

EPOCHS = 9
# What trials end at; who is ahead stays ahead.
LAST = (30.0, 40.0, 10.0, 35.0, 20.0, 50.0, 25.0, 45.0)
CURVES = [[last + 30 * (1 - epoch / EPOCHS) for epoch in range(1, EPOCHS + 1)] for last in LAST]


def study_with(*overrides: str) -> Study:
    return tiny_study(
        f"trainer.epochs={EPOCHS}",
        f"search.trials={len(LAST)}",
        "search.parallel=1",
        "search.early_stopping=asha",
        "search.audit=0",
        *overrides,
    )


def stops_by_hand() -> dict[int, int]:
    """After which epoch ASHA stops which trials, one after the other: the error is above a third of the rung's."""
    rungs: dict[int, list[float]] = {1: [], 3: []}
    stops = {}
    for number, curve in enumerate(CURVES):
        for epoch, rung in rungs.items():
            rung.append(curve[epoch - 1])
            if len(rung) > 1 and rung[-1] > np.percentile(rung[:-1], 100 / 3):
                stops[number] = epoch
                break
    return stops


def decided(rule: EarlyStopping, numbers: range = range(len(LAST))) -> dict[int, tuple[int, Stop]]:
    """What a rule says of whole trials, one after the other, which end when they are stopped."""
    stops: dict[int, tuple[int, Stop]] = {}
    for number in numbers:
        for epoch, error in enumerate(CURVES[number], 1):
            stop = rule.after(number, epoch, error)
            if stop is not None:
                stops[number] = (epoch, stop)
            if stop == "stopped":
                break
    return stops


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    _, opened = new_folder(tmp_path / "kept", study_with())
    with opened:
        yield opened


def record(journal: Journal, rule: EarlyStopping, number: int, epoch: int) -> bool:
    """An epoch of a trial, decided upon and recorded as a run does it."""
    row = EpochRow(epoch, 0.1, 1.0, 1.0, CURVES[number][epoch - 1], 0.25)
    stop = rule.after(number, epoch, CURVES[number][epoch - 1])
    return journal.record_epoch(number, row, device="cpu", host="here", final=epoch == EPOCHS, stop=stop)


def record_trials(journal: Journal, rule: EarlyStopping, numbers: range) -> None:
    for number in numbers:
        assert started(journal, point(number)) == number
        any(record(journal, rule, number, epoch) for epoch in range(1, EPOCHS + 1))


# ------------------------------------------------------------------ rules


def test_asha_lets_the_best_third_of_every_rung_go_on(journal: Journal) -> None:
    stops = stops_by_hand()
    assert stops == {1: 1, 3: 1, 4: 3, 5: 1, 6: 3, 7: 1}  # the first, and the best, are trained to the end
    assert decided(EarlyStopping(study_with(), journal)) == {n: (epoch, "stopped") for n, epoch in stops.items()}


def test_with_an_audit_of_all_the_same_trials_are_marked_and_none_is_stopped(journal: Journal) -> None:
    """To the rule they have ended: what they do afterwards moves none of its cutoffs."""
    found = decided(EarlyStopping(study_with("search.audit=100%"), journal))
    assert found == {number: (epoch, "audited") for number, epoch in stops_by_hand().items()}


def test_a_trial_is_audited_by_the_seed_and_its_number_alone(journal: Journal) -> None:
    def audited(*overrides: str) -> set[int]:
        rule = EarlyStopping(study_with("search.audit=0.3", *overrides), journal)
        return {number for number in range(2_000) if rule._is_audited(number)}

    drawn = audited()
    assert drawn == audited() != audited("seed=1")
    assert 0.25 < len(drawn) / 2_000 < 0.35


def test_the_median_rule_stops_what_is_worse_than_the_median_of_running_means(journal: Journal) -> None:
    """After one epoch a trial is stopped if it is above the median of at least three: 60 of 40, 50, 60 and 45."""
    rule = EarlyStopping(study_with("search.early_stopping=median"), journal)
    assert [rule.after(number, 1, error) for number, error in enumerate((40.0, 50.0, 60.0))] == [None] * 3
    assert rule.after(3, 1, 45.0) is None
    assert rule.after(4, 1, 55.0) == "stopped"  # the median of 40, 45, 50, 60 is 47.5
    assert rule.after(0, 2, 39.0) is None


@pytest.mark.parametrize("rule", ["asha", "median"])
def test_at_its_last_epoch_a_trial_is_not_stopped(journal: Journal, rule: str) -> None:
    study = study_with(f"search.early_stopping={rule}", "trainer.epochs=1", "trainer.warmup_epochs=0")
    stopping = EarlyStopping(study, journal)
    assert {stopping.after(number, 1, float(number)) for number in range(10)} == {None}


def test_during_the_warm_up_no_trial_is_stopped(journal: Journal) -> None:
    rule = EarlyStopping(study_with("trainer.warmup_epochs=2"), journal)
    assert [rule.after(number, 1, 10.0 * number) for number in range(5)] == [None] * 5
    assert [rule.after(number, 2, 10.0 * number) for number in range(5)] == [None, *["stopped"] * 4]


# ------------------------------------------------------------------ the journal is all that is remembered


@pytest.mark.parametrize("rule", ["asha", "median"])
@pytest.mark.parametrize("audit", ["0", "0.5"])
@pytest.mark.parametrize("before", range(1, len(LAST)))
def test_a_rule_made_from_the_journal_decides_as_one_that_was_there(
    journal: Journal, before: int, rule: str, audit: str
) -> None:
    study = study_with(f"search.early_stopping={rule}", f"search.audit={audit}")
    there = EarlyStopping(study, journal)
    record_trials(journal, there, range(before))
    again = EarlyStopping(study, journal)
    rest = range(before, len(LAST))
    assert decided(again, rest) == decided(there, rest)


def test_an_interrupted_trial_that_goes_on_does_not_count_twice(journal: Journal) -> None:
    """A worker reports the epochs of its checkpoint again, of which the last may not be in the journal yet."""
    there = EarlyStopping(study_with("search.early_stopping=median"), journal)
    record_trials(journal, there, range(3))
    for number in (3, 4):
        started(journal, point(number))
    for epoch in (1, 2):
        record(journal, there, 4, epoch)
    again = EarlyStopping(study_with("search.early_stopping=median"), journal)
    for epoch in (1, 2):
        assert again.after(4, epoch, CURVES[4][epoch - 1]) is None
    results = [rule._rule._results for rule in (there, again)]
    assert [len(told) for told in results[0].values()] == [len(told) for told in results[1].values()]
    for epoch in range(3, EPOCHS + 1):
        assert again.after(4, epoch, CURVES[4][epoch - 1]) == there.after(4, epoch, CURVES[4][epoch - 1])


def test_epochs_of_trials_at_once_are_replayed_in_the_order_in_which_they_came(journal: Journal) -> None:
    there = EarlyStopping(study_with(), journal)
    running, epoch_of = set(range(4)), dict.fromkeys(range(4), 0)
    for number in running:
        started(journal, point(number))
    generator = np.random.default_rng(0)
    while running:
        number = int(generator.choice(sorted(running)))
        epoch_of[number] += 1
        if record(journal, there, number, epoch_of[number]):
            running.remove(number)
    again = EarlyStopping(study_with(), journal)
    assert again._stops == there._stops
    assert decided(again, range(4, 8)) == decided(there, range(4, 8))


def test_a_stopped_trial_that_reports_again_is_stopped_again_and_one_row_is_kept(journal: Journal) -> None:
    rule = EarlyStopping(study_with(), journal)
    record_trials(journal, rule, range(2))
    before = journal.trial(1)
    assert (before.state, before.epochs, before.stop_epoch) == ("stopped", 1, 1)
    for stopping in (rule, EarlyStopping(study_with(), journal)):
        assert stopping.after(1, 1, CURVES[1][0]) == "stopped"
    assert record(journal, rule, 1, 1) is False
    assert journal.fail(1, "WorkerLost", "its process was lost") is False
    assert journal.interrupt_running() == 0
    assert journal.trial(1) == before


# ------------------------------------------------------------------ what is said of it


def test_the_sentence_by_hand(journal: Journal) -> None:
    """Trial 6 is audited, by hand; it ends at 25 %, above the 10 % of trial 2, which was let complete."""
    rule = EarlyStopping(study_with(), journal)
    rule._is_audited = lambda number: number == 6  # type: ignore[method-assign]
    record_trials(journal, rule, range(len(LAST)))
    audit = read_audit(journal)
    assert audit == {
        "rule": "asha",
        "stopped": 5,
        "audited": 1,
        "would_have_won": 0,
        "percent_low": 0.0,
        "percent_high": 97.5,
        "epochs": 3 * 9 + 4 * 1 + 3,
        "full_length_epochs": 72,
    }
    assert audit_words(audit) == (
        "Early stopping: 5 trials stopped, 1 more would have been and was trained to the end as a check: 0 of them "
        "would have won (95 % interval 0 to 98 %); epochs trained: 34 of 72."
    )
    assert journal.trial(6).stop_epoch == 3


def test_the_sentence_of_the_readme() -> None:
    audit = {"stopped": 18, "audited": 2, "would_have_won": 0, "percent_low": 0.0, "percent_high": 84.2}
    assert audit_words({**audit, "epochs": 96, "full_length_epochs": 243}) == (
        "Early stopping: 18 trials stopped, 2 more would have been and were trained to the end as a check: 0 of them "
        "would have won (95 % interval 0 to 84 %); epochs trained: 96 of 243."
    )


def test_a_search_that_stops_nothing_says_nothing(tmp_path: Path) -> None:
    folder, opened = new_folder(tmp_path / "none")
    with opened:
        assert read_audit(opened) is None
        assert read_status(folder, opened)["early_stopping"] is None


def test_an_audited_trial_that_beats_all_others_would_have_won(tmp_path: Path) -> None:
    _, opened = new_folder(tmp_path / "won", study_with())
    with opened:
        for stop, end in ((None, 20.0), ("audited", 10.0), ("audited", 30.0)):
            number = started(opened, point(0))
            opened.record_epoch(
                number, EpochRow(1, 0.1, 1.0, 1.0, 50.0, 0.25), device="cpu", host="here", final=False, stop=stop
            )
            opened.record_epoch(number, EpochRow(9, 0.1, 1.0, 1.0, end, 0.25), device="cpu", host="here", final=True)
        audit = read_audit(opened)
    assert audit is not None
    assert (audit["audited"], audit["would_have_won"]) == (2, 1)


# ------------------------------------------------------------------ whole studies


def trainer(*, dies: int = -1) -> Callable[..., Iterator[Any]]:
    """A trainer of prescribed curves. Made in a function, so that Ray sends it by value: workers import no tests.

    Args:
        dies: The trial whose process dies in the moment in which it is stopped.
    """
    curves = CURVES

    def pretend(study, configuration, seed, **where):  # type: ignore[no-untyped-def]
        from resnext_search.trainers import Epoch

        checkpoint = where["checkpoint"]
        checkpoint.touch()
        try:
            for epoch, error in enumerate(curves[int(checkpoint.stem.removeprefix("trial-"))], 1):
                yield Epoch(epoch, 0.1, 1.0, 1.0, error, 0.01)
        except GeneratorExit:
            if checkpoint.stem == f"trial-{dies:05d}":
                os._exit(1)

    return pretend


@pytest.mark.slow
@pytest.mark.usefixtures("shared_ray")
def test_what_is_stopped_is_kept_as_such_and_becomes_nothing_else(tmp_path: Path) -> None:
    """In two sittings; and the last trial's process dies while it is being stopped."""
    run_study(study_with("search.trials=4"), tmp_path / "run", train=trainer(), cpus=1, gpus=0)
    folder = run_study(study_with(), tmp_path / "run", train=trainer(dies=7), cpus=1, gpus=0)

    trials = pd.read_csv(folder.trials).set_index("trial")
    stopped = trials[trials.state == "stopped"]
    assert stopped.epochs.to_dict() == stops_by_hand()
    assert stopped.validation_error.isna().all()
    completed = trials[trials.state == "completed"]
    assert completed.validation_error.to_dict() == pytest.approx({0: 30.0, 2: 10.0})
    assert len(trials[["group_widths", "blocks", "learning_rate"]].drop_duplicates()) == len(LAST)
    assert pd.read_csv(folder.pareto).trial.tolist() == [2]
    assert not folder.checkpoints.exists()
    with Journal(folder.journal, read_only=True) as journal:
        best = read_best(journal)
        status = read_status(folder, journal)
    assert best is not None
    assert best["trial"] == 2
    assert status["states"] == {"completed": 2, "stopped": 6}
    assert status["early_stopping"]["epochs"] == 2 * 9 + 4 * 1 + 2 * 3


@pytest.mark.slow
@pytest.mark.usefixtures("shared_ray")
@pytest.mark.parametrize("rule", ["asha", "median"])
def test_with_an_audit_of_all_every_trial_completes_and_it_is_known_which_would_not_have(
    tmp_path: Path, rule: str
) -> None:
    study = study_with(f"search.early_stopping={rule}", "search.audit=1.0", "search.parallel=2")
    folder = run_study(study, tmp_path / "run", train=trainer(), cpus=2, gpus=0)

    with Journal(folder.journal, read_only=True) as journal:
        trials = journal.trials()
        audit = read_audit(journal)
    assert {(trial.state, trial.epochs) for trial in trials} == {("completed", EPOCHS)}
    assert audit is not None
    assert (audit["stopped"], audit["epochs"]) == (0, 72)
    assert audit["audited"] == sum(trial.stop_epoch is not None for trial in trials) > 0
    assert next(trial for trial in trials if trial.validation_error == 10.0).stop_epoch is None


@pytest.mark.slow
@pytest.mark.usefixtures("shared_ray")
def test_tuning_and_confirmation_never_stop_early(tmp_path: Path) -> None:
    """The arms get worse from rate to rate, which ASHA would not bear."""
    from tests.support.helpers import TINY_CLAIM

    def pretend(study, configuration, seed, *, confirm, **_):  # type: ignore[no-untyped-def]
        from resnext_search.trainers import Epoch

        rate = dict(configuration.knobs)["learning_rate"]
        for epoch in (1, 2, 3):
            error = 50 + 10 * abs(np.log10(rate) + 1) - epoch
            found = {"test_error": error + seed % 7 / 10} if confirm and epoch == 3 else {}
            yield Epoch(epoch, rate, 1.0, None if confirm else 1.0, None if confirm else error, 0.01, **found)

    study = tiny_study(TINY_CLAIM, "rules=1", "search={trials: 6, early_stopping: asha, audit: 0}", "trainer.epochs=3")
    folder = run_study(study, tmp_path / "run", train=pretend, cpus=1, gpus=0)

    trials = pd.read_csv(folder.trials)
    assert set(trials[trials.phase == "search"].state) == {"completed", "stopped"}
    assert set(trials[trials.phase != "search"].state) == {"completed"}
    finalists = trials[trials.arm.fillna("").str.startswith("finalist-")].arm.str.removeprefix("finalist-")
    assert set(trials.state[finalists.astype(int)]) == {"completed"}
