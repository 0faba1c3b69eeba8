"""The plan of a study, frozen before its first trial, and which changes it bears."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from resnext_search.results import Journal, StudyFolder
from resnext_search.search.planning.plan import (
    as_begun,
    begun_in,
    check_change,
    freeze,
    has_trials_left,
    study_hash,
    summarize,
)
from resnext_search.spaces import Study, load_study
from resnext_search.spaces.errors import StudyError
from resnext_search.spaces.study.file import parse_study
from resnext_search.spaces.study.recipes import RECIPES
from resnext_search.spaces.study.sections import Resources

from tests.spaces.test_shipped_studies import STUDIES
from tests.support.helpers import TINY_CLAIM, TINY_STUDY, tiny_study
from tests.support.journals import ended_folder, new_folder, point, started


def test_the_summary_of_the_tiny_study_by_hand() -> None:
    study = tiny_study("axes.batch_size=[32, 64]")
    assert summarize(study, study.feasible_set()) == {
        "name": "tiny",
        "rules": 2,
        # 2x4d with blocks 1, 1 costs 21,898 (tests/results/tables/test_trials.py); 5 % of it are 1,094.9
        "band": {"target": 21_898, "low": 20_804, "high": 22_992},
        "candidates": 3 * 16 * 4,
        "architectures": 8,
        "spans": {
            "cardinality": [1, 4],
            "width": [2, 6],
            "depth": [8, 14],
            "parameters": [2_890, 4_551],
            "activations": [1_294, 1_850],
        },
        # 21,146, 174,040 / 8 and 22,778 of 21,898
        "match_percent": {"lowest": -3.434, "mean": -0.653, "highest": 4.019},
        "knobs": {
            "learning_rate": {"low": 0.01, "high": 1.0, "log": True, "values": []},
            "batch_size": {"low": 32.0, "high": 64.0, "log": True, "values": [32.0, 64.0]},
        },
        "trials": 4,
        "trainer_plugin": None,
        "graph": False,
        "early_stopping": None,
        "limits": {"time": None, "training_flops": None, "trial_time": None, "search_trials": None},
        "claim": None,
        "warnings": [],
    }


def test_the_plan_of_a_claim_says_how_its_arms_are_tuned_confirmed_and_looked_at() -> None:
    study = tiny_study(TINY_CLAIM.replace("seeds: 5", "looks: [10, 20]"))
    claim = summarize(study, study.feasible_set())["claim"]
    arms = {arm.pop("arm"): arm for arm in claim.pop("arms")}
    assert claim == {
        "kind": "spend",
        "margin": 5.0,
        "budgets": [21_898],
        "spaces": [],
        "seeds": 20,
        "looks": [10, 20],
        "folds": 5,
        "tuning": {"rates": 3, "second_rates": 5, "second_seeds": 2, "networks": 0},
        "tune_trials": 4 * 13,
        "confirm_trials": 4 * 20 + 3 * 3 + 20,
        "runner_up_trials": 9,
        "finalist_trials": 20,
    }
    assert {name: arm["matched"] for name, arm in arms.items()} == {
        "cardinality": True,
        "width": True,
        "depth": True,
        "base": False,
    }
    assert -50 < arms["base"]["match_percent"] < -2
    assert all(0 <= arm["match_percent"] <= 2 for name, arm in arms.items() if name != "base")


def test_under_the_first_rules_a_plan_is_what_it_was() -> None:
    study = tiny_study(TINY_CLAIM, "rules=1")
    facts = summarize(study, study.feasible_set())
    claim = facts["claim"]
    assert (claim["tune_trials"], claim["confirm_trials"]) == (9, 20)
    assert (claim["looks"], claim["folds"], claim["tuning"]["second_rates"]) == (None, None, 0)
    assert facts["warnings"] == []


def test_a_frozen_plan_holds_the_study_its_hash_and_the_forecast(tmp_path: Path) -> None:
    study, folder = tiny_study(), StudyFolder(tmp_path)
    freeze(study, study.feasible_set(), {"workers": 2}, folder)
    plan = json.loads(folder.plan.read_text())
    assert plan["hash"] == study_hash(study)
    assert type(study).model_validate(plan["study"]) == study
    assert plan["forecast"] == {"workers": 2}
    assert plan["architectures"] == 8
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]


def test_a_frozen_plan_shows_the_values_of_a_named_recipe(tmp_path: Path) -> None:
    study, folder = tiny_study("trainer={recipe: short, epochs: 2, batch_size: 64}"), StudyFolder(tmp_path)
    freeze(study, study.feasible_set(), None, folder)
    trainer = json.loads(folder.plan.read_text())["study"]["trainer"]
    assert trainer == {"recipe": "short", **RECIPES["short"], "epochs": 2, "batch_size": 64, "plugin": None}


def test_freezing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    study, folder = tiny_study(), StudyFolder(tmp_path)
    freeze(study, study.feasible_set(), None, folder)
    before = folder.plan.read_bytes()
    freeze(study, study.feasible_set(), None, folder)
    assert folder.plan.read_bytes() == before


def test_the_hash_is_of_what_the_study_means_not_of_how_it_is_written(tmp_path: Path) -> None:
    other = TINY_STUDY.replace("cardinality: [1, 2, 4]", "cardinality: [1, 2, 4]   # groups").replace("5%", "0.05")
    (tmp_path / "other.yaml").write_text(other)
    assert study_hash(load_study(tmp_path / "other.yaml")) == study_hash(tiny_study())
    assert study_hash(tiny_study("seed=1")) != study_hash(tiny_study())
    assert len(study_hash(tiny_study())) == 64


# ------------------------------------------------------------------ changes


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("search.trials=5",),
        ("search.trials=100", "search.parallel=3"),
        ("resources={cpu: 4, gpu: 0.25, cluster: 'head:6379', checkpoints: driver}",),
        ("data.root=/elsewhere",),
        ("trainer.graph=true",),
        ("limits={time: 4h, training_flops: 1e15, trial_time: 30m}",),
    ],
)
def test_a_study_may_get_more_trials_and_other_machines(overrides: tuple[str, ...]) -> None:
    check_change(tiny_study(), tiny_study(*overrides), Path("runs/tiny"))


def test_a_study_may_get_more_memory_for_its_images() -> None:
    folder = "data={name: image_folder, resolution: 8, classes: 10}"
    check_change(tiny_study(folder), tiny_study(folder, "data.memory=2G"), Path("runs/tiny"))
    with pytest.raises(StudyError, match=r"data.view: \"middle\" -> \"whole\""):
        check_change(
            tiny_study(folder, "trainer.augment=none"),
            tiny_study(folder, "trainer.augment=none", "data.view=whole"),
            Path("runs/tiny"),
        )


def test_a_recipe_named_later_neither_changes_the_values_of_a_study_nor_is_let_in() -> None:
    """`resume` reads the study of the journal, in which every value is written, before the overrides."""
    before = tiny_study()
    after = parse_study(before.model_dump_json(), "journal.sqlite", ["trainer.recipe=short"])
    assert after.trainer.model_copy(update={"recipe": None}) == before.trainer
    with pytest.raises(StudyError, match=r"since its first trial:\n  trainer\.recipe: null -> \"short\""):
        check_change(before, after, Path("runs/tiny"))


@pytest.mark.parametrize(
    ("overrides", "lines"),
    [
        (("search.trials=3",), "  search.trials: 4 -> 3"),
        (("seed=1",), "  seed: 0 -> 1"),
        (("rules=1",), "  rules: 2 -> 1"),
        (("name=other",), '  name: "tiny" -> "other"'),
        (("axes.cardinality=[1, 2]",), "  axes.cardinality: [1, 2, 4] -> [1, 2]"),
        (
            ("axes.momentum={min: 0.5, max: 0.9}",),
            "  axes.momentum.max: (nothing) -> 0.9\n  axes.momentum.min: (nothing) -> 0.5\n"
            '  axes.momentum.scale: (nothing) -> "linear"',
        ),
        (("search.optimizer=sobol", "search.trials=9"), '  search.optimizer: "ax" -> "sobol"'),
        (
            ("trainer.epochs=3", "budget.tolerance=4%"),
            "  budget.tolerance: 0.05 -> 0.04\n  trainer.epochs: 2 -> 3\n  trainer.warmup_epochs: 0.2 -> 0.3",
        ),
        (
            ("trainer.recipe=short",),
            '  trainer.label_smoothing: 0.0 -> 0.1\n  trainer.recipe: null -> "short"\n'
            "  trainer.warmup_epochs: 0.2 -> 1.5",
        ),
        (
            ("objectives=[validation_error, parameters]",),
            '  objectives: ["validation_error"] -> ["validation_error", "parameters"]',
        ),
    ],
)
def test_any_other_change_is_refused_with_the_difference(overrides: tuple[str, ...], lines: str) -> None:
    with pytest.raises(StudyError) as caught:
        check_change(tiny_study(), tiny_study(*overrides), Path("runs/tiny"))
    assert str(caught.value) == f"runs/tiny: the study has changed since its first trial:\n{lines}"
    assert caught.value.hint == (
        "A study may only get more trials or seeds, and other limits or resources. "
        "Give another --out (or name) for the changed one."
    )
    assert caught.value.exit_code == 2


UNSAID = "claim={kind: spend, base: {cardinality: 1, width: 4, blocks: [1, 1]}}"
LOOKS = TINY_CLAIM.replace("seeds: 5", "looks: [10, 20]")


@pytest.mark.parametrize(("before", "after"), [(TINY_CLAIM, LOOKS), (LOOKS, LOOKS.replace("20", "30"))])
def test_looks_are_frozen_with_the_plan(before: str, after: str) -> None:
    with pytest.raises(StudyError, match=r"claim\.looks"):
        check_change(tiny_study(before), tiny_study(after), Path("runs/tiny"))


def test_seeds_without_looks_may_grow() -> None:
    check_change(tiny_study(TINY_CLAIM), tiny_study(TINY_CLAIM, "claim.seeds=10"), Path("runs/tiny"))


# ------------------------------------------------------------------ the rules of a folder


def test_a_study_that_names_no_rules_has_those_of_its_folder(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study(UNSAID, "rules=1"))
    journal.close()
    study = as_begun(tiny_study(UNSAID), folder)
    assert study == tiny_study(UNSAID, "rules=1")
    assert study.claim is not None
    assert study.claim.tuning_trials == 8  # what the file left to a default, it left to that of its rules
    check_change(tiny_study(UNSAID, "rules=1"), study, tmp_path)
    assert as_begun(tiny_study(UNSAID, "rules=2"), folder) == tiny_study(UNSAID)
    assert begun_in(folder) == tiny_study(UNSAID, "rules=1")


def test_a_study_in_a_new_folder_has_the_rules_of_its_file(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "none")
    assert begun_in(folder) is None
    assert as_begun(tiny_study(), folder) == tiny_study()
    assert begun_in(StudyFolder(tmp_path / ("x" * 300))) is None  # a name that no file system has


def test_a_study_has_trials_left_until_all_that_it_asks_for_have_ended(tmp_path: Path) -> None:
    folder = ended_folder(tmp_path / "run")
    with Journal(folder.journal, read_only=True) as journal:
        study = journal.study()
        trials = len(journal.trials(phase="search"))
    as_many = study.model_copy(update={"search": study.search.model_copy(update={"trials": trials})})
    more = study.model_copy(update={"search": study.search.model_copy(update={"trials": trials + 1})})
    assert not has_trials_left(as_many, folder)
    assert has_trials_left(more, folder)
    assert has_trials_left(as_many, StudyFolder(tmp_path / "none"))
    with Journal(folder.journal) as journal:
        started(journal, point(0))
    assert has_trials_left(as_many, folder)


def before_the_warm_up_followed_the_epochs(*overrides: str) -> Study:
    """A study as journals have it that are older than that."""
    return tiny_study("trainer.warmup_epochs=1", "trainer.epochs=8", *overrides)


def test_a_study_that_goes_on_keeps_the_warm_up_that_it_was_begun_with(tmp_path: Path) -> None:
    before = before_the_warm_up_followed_the_epochs()
    folder, journal = new_folder(tmp_path, before)
    journal.close()
    unsaid = tiny_study("trainer.epochs=8")
    assert unsaid.trainer.warmup_epochs == 0.8
    assert as_begun(unsaid, folder) == before
    check_change(before, as_begun(unsaid, folder), tmp_path)
    written = tiny_study("trainer.epochs=8", "trainer.warmup_epochs=0.8")
    assert as_begun(written, folder) == written  # and is refused, as any change of what is trained


def test_a_warm_up_that_was_written_is_not_a_default_that_is_kept(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study("trainer.warmup_epochs=0.5"))
    journal.close()
    assert as_begun(tiny_study(), folder).trainer.warmup_epochs == 0.2
    assert as_begun(tiny_study("trainer.recipe=paper-cifar"), folder).trainer.warmup_epochs == 0.0


def test_a_study_that_a_program_makes_is_refused_what_its_trainer_cannot_use(tmp_path: Path) -> None:
    made = tiny_study().model_copy(update={"resources": Resources(gpu=2)})
    with pytest.raises(StudyError, match=r"^resources.gpu: found 2; allowed: at most 1\. The trainer"):
        as_begun(made, StudyFolder(tmp_path / "none"))


def test_what_the_rules_of_the_folder_do_not_know_is_named(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study(UNSAID, "rules=1"))
    journal.close()
    with pytest.raises(StudyError, match=r"claim\.looks: found \[10, 20\]; allowed: nothing under rules: 1"):
        as_begun(tiny_study(LOOKS), folder)


# What several budgets and spaces are, the first rules do not know.
UNKNOWN = ("multiples:", "kind: spaces")
OF_THE_FIRST = [path for path in STUDIES if not any(key in path.read_text(encoding="utf-8") for key in UNKNOWN)]


@pytest.mark.parametrize("path", OF_THE_FIRST, ids=lambda path: path.stem)
def test_a_shipped_study_comes_under_the_first_rules_as_if_it_had_named_them(path: Path, tmp_path: Path) -> None:
    named = load_study(path, ["rules=1"])
    folder, journal = new_folder(tmp_path, named)
    journal.close()
    assert as_begun(load_study(path), folder) == named
