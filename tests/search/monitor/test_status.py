"""How far a study is, from its journal."""

from __future__ import annotations

import time
from pathlib import Path

from resnext_search.results import Journal
from resnext_search.results.journal.folder import is_live, locked
from resnext_search.search.monitor.status import _facts, read_best, read_chosen, read_status
from resnext_search.search.planning.confirmation import enqueue_confirmation
from resnext_search.search.planning.tuning_rounds import enqueue_tuning, tuned_rates
from resnext_search.search.surrogate.trained import Trained

from tests.support.claims import end_confirmation, rate_of, tune
from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, ended_folder, epoch_row, large_folder, new_folder, point, started


def test_an_ended_study_by_hand(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        status = read_status(folder, journal)
    best = status.pop("best")
    assert status == {
        "name": "tiny",
        "folder": str(tmp_path),
        "live": False,
        "trials": 4,
        "states": {"completed": 3, "failed": 1},
        "phases": {"search": {"trials": 4, "states": {"completed": 3, "failed": 1}}},
        "budget": {
            "trials": {"used": 4, "of": 4},
            "training_flops": {"used": 201_811_968.0, "of": 269_082_624.0},  # the failed trial has trained nothing
            "seconds": {"used": 0.0, "of": None},
        },
        "remaining": None,
        "running": [],
        "failures": [
            {"trial": 3, "class": "TrainingDiverged", "message": "Traceback ...\nthe loss is nan\n"},
        ],
        "early_stopping": None,
    }
    assert best["trial"] == 1


def test_the_best_trial_has_what_is_needed_to_train_it_again(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        best = read_chosen(folder, journal)
        expected, candidates = best.pop("expected_validation_error"), best.pop("candidates")
        assert best.pop("configurations") == 3
        assert best == read_best(journal)
    assert [(one["trial"], one["architecture"]) for one in candidates] == [(1, "2x4d-8"), (0, "1x6d-8"), (2, "4x2d-11")]
    assert 9 < expected < 12.5
    recipe = best.pop("recipe")
    assert best == {
        "trial": 1,
        "trials": [1],
        "phase": "search",
        "arm": None,
        "origin": "the search",
        "architecture": "2x4d-8",
        "cardinality": 2,
        "group_widths": [4, 8],
        "blocks": [1, 1],
        "validation_error": 9.0,
        "confirmed": None,
        "multiply_adds": 21_898,
        "parameters": 3_606,
        "activations": 1_418,
        "latency_ms": None,
        "latency_ms_spread": None,
    }
    assert (recipe["learning_rate"], recipe["epochs"], recipe["batch_size"]) == (0.2, 2, 64)


def test_an_empty_study_has_no_best_trial(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal:
        assert read_best(journal) is None
        assert read_status(folder, journal)["states"] == {}
        started(journal, point(0))
        assert read_best(journal) is None


def test_of_equally_good_trials_the_first_is_best_and_other_phases_do_not_count(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        completed(journal, point(0), 1.0, phase="tune")
        completed(journal, point(1), 9.0)
        completed(journal, point(2), 8.0)
        completed(journal, point(3), 8.0)
        best = read_best(journal)
    assert best is not None
    assert best["trial"] == 2


def test_a_tuning_trial_of_an_arm_may_be_best_and_says_what_came_of_its_arm_on_fresh_seeds(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM)
    folder, journal = new_folder(tmp_path, study)
    with journal:
        tune(study, journal)
        completed(journal, point(0), 30.0)
        completed(journal, point(1), 8.1)
        enqueue_confirmation(study, journal)
        end_confirmation(journal, lambda trial: {"cardinality": 12.0, "finalist-0053": 11.0}.get(str(trial.arm), 14.0))
        best = read_best(journal)
        assert best is not None
        assert (best["phase"], best["arm"], best["validation_error"]) == ("tune", "cardinality", 8.0)
        assert best["recipe"]["learning_rate"] == 0.1
        rate = tuned_rates(journal)["cardinality"]
        assert (len(best["trials"]), best["origin"]) == (3, "the tuning of the arm cardinality")
        assert best["confirmed"] == {"as": "cardinality", "runs": 5, "test_error": 12.0, "learning_rate": rate}
        chosen = read_chosen(folder, journal)
        assert chosen["phase"] in ("tune", "search")
        completed(journal, point(4, 0.09), 1.0)
        assert read_best(journal)["confirmed"] is None  # type: ignore[index]
        trial = journal.trial(53)
        best_of_search = _facts(journal, Trained(trial.configuration, (trial,)))
        assert best_of_search["confirmed"] == {
            "as": "finalist-0053",
            "runs": 5,
            "test_error": 11.0,
            "learning_rate": 0.1,
        }


def test_an_arm_that_was_tuned_better_than_the_search_is_handed_over(tmp_path: Path) -> None:
    """Its search found 4.25 %, and the arm width was tuned to 2 %; under the first rules the search saw no tuning."""
    for rules in (1, 2):
        study = tiny_study(TINY_CLAIM, f"rules={rules}")
        folder, journal = new_folder(tmp_path / str(rules), study)
        with journal:
            completed(journal, point(1), 4.25)
            completed(journal, point(2), 6.0)
            enqueue_tuning(study, journal)
            for trial in journal.trials(phase="tune"):
                journal.start(trial.trial_id, "x")
                error = 2.0 if (trial.arm, rate_of(trial)) == ("width", 0.1) else 5.0
                journal.record_epoch(trial.trial_id, epoch_row(2, error), device="cpu", host="here", final=True)
            best, chosen = read_best(journal), read_chosen(folder, journal)
        assert best is not None
        for found in (best, chosen):
            assert (found["origin"], found["validation_error"]) == ("the tuning of the arm width", 2.0)
        origins = [one["origin"] for one in chosen["candidates"]]
        assert "the search" in origins
        assert "the tuning of the arm base" not in origins, "it costs half as much"


def test_running_trials_are_shown_with_their_last_epoch_while_a_run_holds_the_folder(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal, locked(folder.lock):
        started(journal, point(0))
        number = started(journal, point(4, 0.2))
        journal.record_epoch(number, epoch_row(1, 70.0), device="cpu", host="here", final=False)
        status = read_status(folder, journal)
    assert status["live"] is True
    assert status["states"] == {"running": 2}
    assert [(one["trial"], one["epoch"], one["epochs"], one["validation_error"]) for one in status["running"]] == [
        (0, 0, 2, None),
        (1, 1, 2, 70.0),
    ]
    assert [one["curve"] for one in status["running"]] == [[], [70.0]]
    assert all(0 <= one["seconds"] < 60 for one in status["running"])
    assert status["running"][1]["name"] == "trial 0001 2x4d-8 (1-1) lr=0.2"


def test_what_ran_when_the_run_was_killed_is_interrupted_and_runs_no_more(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal:
        started(journal, point(0))
        journal.enqueue("search", point(1), 0, "ax")
        status = read_status(folder, journal)
    assert status["live"] is False
    assert status["states"] == {"interrupted": 1, "queued": 1}
    assert status["running"] == []


def test_a_folder_is_live_while_its_lock_is_held_and_asking_does_not_take_it(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    journal.close()
    assert is_live(folder) is False
    assert not folder.lock.exists()  # looking makes nothing
    with locked(folder.lock):
        assert is_live(folder) is True
        assert is_live(folder) is True
    assert is_live(folder) is False
    with locked(folder.lock):
        pass


def test_the_status_of_2000_trials_does_not_take_seconds(tmp_path: Path) -> None:
    """Measured 0.1 s on a quiet machine, 0.6 s on one with six other processes; a query for every trial takes more."""
    folder = large_folder(tmp_path)
    before = time.process_time()
    with Journal(folder.journal, read_only=True) as journal:
        status = read_status(folder, journal)
    assert time.process_time() - before < 2
    assert status["states"] == {"completed": 2_000}
