"""Facts as text for people, byte for byte."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from resnext_search.results import Journal
from resnext_search.search.cli.text import plan_words
from resnext_search.search.monitor.status import read_chosen, read_status
from resnext_search.search.monitor.text import best_words, forecast_words, status_words
from resnext_search.search.planning.plan import summarize
from resnext_search.search.planning.tuning_rounds import enqueue_tuning
from resnext_search.search.planning.workload import training_flops

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, ended_folder, new_folder, point, started

BEST = (
    "best in band: trial 0001 2x4d-8, from the search, validation error 9.00 % (the lowest reported, so an optimistic "
    "figure)"
)


def plan_facts(*overrides: str, **more: object) -> dict[str, Any]:
    study = tiny_study(*overrides)
    facts = summarize(study, study.feasible_set())
    return {
        **facts,
        "training_flops": training_flops(study),
        "gpu_bytes": None,
        "gpu_sharing": None,
        "forecast": None,
        **more,
    }


def test_a_plan() -> None:
    assert plan_words(plan_facts("axes.batch_size=[32, 64]")) == (
        "tiny: 4 trials\n"
        "FLOP band         20,804 to 22,992 multiply-adds around 21,898\n"
        "feasible set      8 architectures of 192 candidates\n"
        "match to budget   -3.43 % to +4.02 %, mean -0.65 %\n"
        "cardinality       1 to 4\n"
        "width             2 to 6\n"
        "depth             8 to 14\n"
        "parameters        2,890 to 4,551\n"
        "activations       1,294 to 1,850\n"
        "learning_rate     0.01 to 1, log scale\n"
        "batch_size        32, 64\n"
        "training          2.69e+08 floating-point operations"
    )


def test_a_plan_with_a_forecast() -> None:
    forecast = {
        "workers": 2,
        "device": "cpu",
        "elsewhere": False,
        "seconds": {"cheapest": 61.0, "median": 130.0, "dearest": 7_300.0},
        "peak_bytes": 3 * 2**29,
        "images": None,
    }
    assert plan_words(plan_facts(forecast=forecast)).splitlines()[-3:] == [
        "time              2 min 10 s with 2 trials at once on this machine's cores, "
        "start-up of about 20 s not counted",
        "                  (61 s if all trials were as fast as the cheapest architecture, "
        "2 h 1 min as slow as the dearest)",
        "memory            1.5 GiB at most, all workers together",
    ]


@pytest.mark.parametrize(
    ("decoded", "kept", "words"),
    [
        (184_320_000, True, "60,000 in memory, 184MB in every worker"),
        (
            9 * 10**9,
            False,
            "60,000, read from their files as they are needed: decoded they take 9GB, and data.memory allows 1GB",
        ),
        (
            184_320_000,
            False,
            "60,000, read from their files as they are needed: trainer.augment: standard draws parts of them",
        ),
    ],
)
def test_a_plan_says_whether_the_images_lie_in_memory(decoded: int, kept: bool, words: str) -> None:
    images = {"count": 60_000, "bytes": decoded, "allowed": 10**9, "kept": kept}
    forecast = {"workers": 2, "device": "cpu", "elsewhere": False, "peak_bytes": 2**30, "images": images}
    seconds = {"cheapest": 1.0, "median": 1.0, "dearest": 1.0}
    line = plan_words(plan_facts(forecast={**forecast, "seconds": seconds})).splitlines()[-1]
    assert line == f"images            {words}"


def test_a_forecast_says_on_what_it_was_measured() -> None:
    forecast = {"workers": 1, "device": "cuda", "elsewhere": True, "seconds": {"median": 42.0}}
    assert forecast_words(forecast) == (
        "42 s with 1 trial at once on this machine's GPUs; of the cluster nothing was measured"
    )


def test_a_plan_says_what_the_limits_leave_the_search() -> None:
    """A trial takes at most 22,992 multiply-adds x 2 operations x 3 passes x 256 images x 2 epochs: 70.6 million."""
    three = plan_facts("limits.training_flops=212M", "limits.time=90m", "limits.trial_time=5m")
    assert plan_words(three).splitlines()[-2] == (
        "limits            90m at work; 2.12e+08 operations, enough for 3 of 4 trials of the search; 5m a trial"
    )
    more = plan_words(plan_facts("limits.training_flops=1G")).splitlines()[-2]
    assert more == "limits            1e+09 operations, enough for 4 of 4 trials of the search"
    with_claim = plan_facts(TINY_CLAIM, "limits.training_flops=1e15")
    assert with_claim["limits"]["search_trials"] == 4
    assert "limits  " not in plan_words(plan_facts())


def test_a_plan_says_how_much_of_a_gpu_a_trial_takes() -> None:
    line = "GPU memory        0.25 GiB a trial, predicted, where it runs on a GPU"
    assert plan_words(plan_facts(gpu_bytes=2**28)).splitlines()[-1] == line


def test_a_plan_says_how_many_trials_share_a_gpu_and_why() -> None:
    shared = {"trials": 8, "why": "8 trials share a GPU: networks of 1.2 million multiply-adds leave it idle"}
    lines = plan_words(plan_facts(gpu_bytes=2**28, gpu_sharing=shared)).splitlines()
    assert lines[-1] == f"GPU sharing       auto: {shared['why']}"


def test_a_plan_says_where_a_training_step_is_a_graph() -> None:
    line = "graph             a training step is one CUDA graph on a GPU, and is as usual on processors"
    assert plan_words(plan_facts("trainer.graph=true")).splitlines()[-1] == line
    *_, graph, _ = plan_words(plan_facts("trainer.graph=true", trainer_plugin="gentle")).splitlines()
    assert graph == f"{line}, if the plug-in trains as the trainer does that is built in"
    assert "graph  " not in plan_words(plan_facts())


def test_a_plan_whose_images_are_not_counted() -> None:
    facts = plan_facts("data={name: image_folder, resolution: 8, classes: 10}")
    assert plan_words(facts).splitlines()[-1] == "training          unknown number of floating-point operations"


def test_an_ended_study(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        assert status_words(read_status(folder, journal)) == (
            "tiny: not running; trials: 3 completed, 1 failed, of 4\n"
            "  trial 0003 failed (TrainingDiverged): the loss is nan\n" + BEST
        )


def test_an_interrupted_study_says_how_to_continue(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal:
        started(journal, point(0))
        assert status_words(read_status(folder, journal)) == (
            f"tiny: not running; trials: 1 interrupted, of 4\nContinue with: resnext-search resume {tmp_path}"
        )


def test_a_running_study() -> None:
    facts: dict[str, Any] = {
        "name": "tiny",
        "folder": "runs/tiny",
        "live": True,
        "trials": 4,
        "states": {"running": 2, "completed": 1},
        "phases": {"search": {"trials": 4, "states": {"running": 2, "completed": 1}}},
        "budget": {"seconds": {"used": 3725.4, "of": 7200.0}},
        "running": [
            {"name": "trial 0001 2x4d-8 (1-1) lr=0.2", "epoch": 0, "epochs": 2, "validation_error": None},
            {"name": "trial 0002 1x6d-8 (1-1) lr=0.1", "epoch": 1, "epochs": 2, "validation_error": 81.25},
        ],
        "failures": [],
        "early_stopping": None,
        "best": None,
    }
    assert status_words(facts) == (
        "tiny: running; trials: 1 completed, 2 running, of 4\n"
        "  trial 0001 2x4d-8 (1-1) lr=0.2  epoch 0/2\n"
        "  trial 0002 1x6d-8 (1-1) lr=0.1  epoch 1/2  validation error 81.25 %\n"
        "time at work: 62 min 5 s of 2 h 0 min"
    )


def test_a_study_with_a_claim_says_how_far_each_phase_is(tmp_path: Path) -> None:
    study = tiny_study(TINY_CLAIM)
    folder, journal = new_folder(tmp_path, study)
    with journal:
        completed(journal, point(0), 12.5)
        enqueue_tuning(study, journal)
        assert status_words(read_status(folder, journal)).splitlines()[:4] == [
            # 4 arms x (3 + 2 x 5) rates + 4 + (4 + 1) x 5 seeds + 3 x 3 of the rates that came second
            "tiny: not running; trials: 1 completed, 12 queued, of 90",
            "  tune     12 queued, of 52",
            "  search   1 completed, of 4",
            "  confirm  none yet, of 34",
        ]


def test_the_plan_of_a_claim_shows_its_arms_and_their_match() -> None:
    words = plan_words(plan_facts(TINY_CLAIM, "rules=1"))
    assert words.startswith("tiny: 33 trials, 4 to search, 9 to tune and 20 to confirm\n")
    assert "claim             spend, 21,898 multiply-adds, margin 5 points\n" in words
    assert "  arm          network  blocks  group widths    match  parameters  activations\n" in words
    assert re.search(r"^  cardinality  2x4d-8 +1-1 +4-8 +\+0\.00 % +3,606 +1,418$", words, re.M)
    assert re.search(r"^  width  +1x6d-8 +1-1 +6-13 +\+1\.19 % ", words, re.M)
    for what in ("base", "tuning", "confirmation", "looks", "folds", "warning"):
        assert not re.search(f"^ *{what} ", words, re.M)


def test_the_plan_of_a_claim_under_the_second_rules_shows_the_base_the_rounds_the_looks_and_what_to_know() -> None:
    lines = plan_words(plan_facts(TINY_CLAIM.replace("seeds: 5", "looks: [10, 20]"))).splitlines()
    assert lines[0] == "tiny: 165 trials, 4 to search, 52 to tune and 109 to confirm"
    start = lines.index("claim             spend, 21,898 multiply-adds, margin 5 points, rules 2")
    assert [line.split()[0] for line in lines[start + 2 : start + 6]] == ["cardinality", "width", "depth", "base"]
    assert lines[start + 6 : start + 11] == [
        "  base is not matched: it shows what the budget buys",
        "tuning            3 rates of every arm on one seed, then 5 around its best on 2 more: 52 trials, more if a "
        "best one lies at the edge",
        "confirmation      20 seeds an arm: 80 trials, 9 of rates that came second, 20 of finalists of the search",
        "looks             after 10, 20 seeds; the study ends at the first that settles it",
        "folds             5 of all images, in turn: one validates or tests, the others train",
    ]
    assert [line[:53] for line in lines[-3:]] == [
        "warning           arms cardinality, width, base witho",
        "warning           arm depth (d = 2) with d below 4 in",
        "warning           data.validation_images is not used:",
    ]


def test_the_arms_of_a_plan_fit_80_columns_however_large_they_are() -> None:
    facts = plan_facts(TINY_CLAIM)
    for arm in facts["claim"]["arms"]:
        arm |= {"blocks": (3, 4, 23, 3), "group_widths": (128, 256, 512, 1024), "parameters": 44_178_000}
    start = "  arm          network"
    wide, narrow = plan_words(facts).splitlines(), plan_words(facts, 80).splitlines()
    assert [line.split()[-1] for line in wide if line.startswith(start)] == ["activations"]
    [heading] = [line for line in narrow if line.startswith(start)]
    assert heading == "  arm          network  blocks    group widths         match  parameters"
    place = narrow.index(heading)
    assert max(map(len, narrow[place : place + 5])) <= 80


def test_a_study_before_its_first_trial_and_a_failure_without_words(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path)
    with journal:
        assert status_words(read_status(folder, journal)) == (
            f"tiny: not running; trials: none yet, of 4\nContinue with: resnext-search resume {tmp_path}"
        )
        journal.fail(started(journal, point(0)), "WorkerLost", "")
        assert "\n  trial 0000 failed (WorkerLost): \n" in status_words(read_status(folder, journal))


def test_the_best_trial(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        best = read_chosen(folder, journal) | {"candidates": []}
    assert best_words(best | {"expected_validation_error": 10.125}) == (
        "best in band: trial 0001 2x4d-8, from the search, validation error 9.00 % (10.12 % without its luck)\n"
        "blocks 1-1  group widths 4-8\n"
        "multiply-adds 21,898  parameters 3,606  activations 1,418\n"
        "epochs=2  batch_size=64  learning_rate=0.2  momentum=0.9  weight_decay=0.0005  decay_norms=False  "
        "label_smoothing=0.0  schedule=cosine  warmup_epochs=0.2  augment=standard"
    )
    assert best_words(best | {"expected_validation_error": None}).splitlines()[0] == BEST
    named = best | {"recipe": {"recipe": "short"} | best["recipe"]}
    assert best_words(named).splitlines()[-1].startswith("recipe=short  epochs=2  batch_size=64  ")
    measured = best | {"latency_ms": 1.23456, "latency_ms_spread": 0.0789}
    assert best_words(measured).splitlines()[2] == (
        "multiply-adds 21,898  parameters 3,606  activations 1,418  latency 1.23 ms (median of the repeats +0.079 ms)"
    )
    repeated = best | {"trials": [1, 7], "expected_validation_error": 9.5}
    assert best_words(repeated).splitlines()[0].endswith("error 9.00 % (mean of 2 trials; 9.50 % without its luck)")
    confirmed = {"as": "finalist-0001", "runs": 10, "test_error": 11.125, "learning_rate": 0.2}
    assert best_words(best | {"confirmed": confirmed}).splitlines()[-1] == (
        "it was confirmed on fresh seeds: test error 11.12 % (mean of 10 runs)"
    )
    of_its_arm = confirmed | {"as": "width", "runs": 1, "learning_rate": 0.17}
    of_an_arm = best | {"origin": "the tuning of the arm width", "confirmed": of_its_arm}
    words = best_words(of_an_arm).splitlines()
    assert words[0].startswith("best in band: trial 0001 2x4d-8, from the tuning of the arm width, validation error 9")
    assert words[-1] == (
        "its arm, at learning_rate=0.17, was confirmed on fresh seeds: test error 11.12 % (mean of 1 run)"
    )


def test_the_best_of_other_architectures_stand_below_it_with_where_they_came_from(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path)
    with Journal(folder.journal, read_only=True) as journal:
        best = read_chosen(folder, journal)
    first, second, third = best["candidates"]
    confirmed = {"as": "width", "runs": 5, "test_error": 11.125, "learning_rate": 0.17}
    tuned = second | {"origin": "the tuning of the arm width", "trials": [0, 5], "confirmed": confirmed}
    words = best_words(best | {"candidates": [first, tuned, third]}, 80).split("\n\n")[1].splitlines()
    assert words[0] == "The best of every architecture, of 3 configurations trained to the end:"
    assert words[1] == "  trial  architecture   from       trials  error %  expected %  test %"
    assert max(map(len, words)) <= 80
    assert words[3].split()[:5] == ["0000", "1x6d-8", "(1-1)", "arm", "width"]
    assert words[3].split()[-1] == "11.12"
