"""The commands: what each prints for people and for scripts, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import shlex
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
from resnext_search.search.planning.calibration import Calibrating
from resnext_search.spaces import Study, load_study

from tests.support.helpers import TINY_CLAIM, TINY_SPACES, TINY_STUDY, finish
from tests.support.journals import ended_folder, lucky_folder, new_folder
from tests.support.rights import without_rights_to
from tests.support.shell import Shell

# ------------------------------------------------------------------ schema, init, doctor


def test_the_schema_is_that_of_a_study(shell: Shell) -> None:
    schema = json.loads(shell.done("schema"))
    assert schema == Study.model_json_schema()
    assert schema["properties"]["budget"]["description"] == "The FLOP band"


def test_init_writes_the_commented_study_that_runs(shell: Shell) -> None:
    assert shell.done("init") == "study.yaml\nNext: resnext-search plan study.yaml\n"
    text = (shell.folder / "study.yaml").read_text(encoding="utf-8")
    assert text == files("resnext_search.spaces").joinpath("fixed_flops.yaml").read_text(encoding="utf-8")
    assert "# " in text
    assert len(load_study("study.yaml").feasible_set()) == 637


def test_init_never_writes_over_a_file(shell: Shell, study: Path) -> None:
    assert shell.refused("init", "tiny.yaml") == (
        2,
        "resnext-search: tiny.yaml: exists already; it is left as it is\nName another file.\n",
    )
    assert study.read_text() == TINY_STUDY
    (shell.folder / "folder").mkdir()
    assert shell.refused("init", "folder")[0] == 2


def test_init_says_where_it_cannot_write(shell: Shell) -> None:
    code, complaint = shell.refused("init", "none/study.yaml")
    assert code == 2
    assert complaint.startswith("resnext-search: none/study.yaml: cannot be written: ")
    with without_rights_to(lambda path: None) as path:
        code, complaint = shell.refused("init", str(path / "study.yaml"))
    assert (code, "Permission denied" in complaint) == (2, True)


def test_the_doctor_speaks_to_people_and_to_scripts(shell: Shell) -> None:
    facts = shell.facts("doctor")
    assert {"what", "found", "ok", "advice", "stops"} == set(facts[0])
    assert {"what": "data set digits", "found": "readable", "ok": True, "advice": "", "stops": False} in facts
    lines = shell.done("doctor").splitlines()
    assert len(lines) == len(facts)
    assert all(line.startswith(("ok   ", "NOTE ")) for line in lines)
    assert "ok   data set digits: readable" in lines


# ------------------------------------------------------------------ plan, and studies that cannot be run


def test_plan_shows_the_feasible_set(shell: Shell, study: Path) -> None:
    facts = shell.facts("plan", "tiny.yaml", "--no-calibrate")
    assert facts["architectures"] == 8
    assert facts["band"] == {"target": 21_898, "low": 20_804, "high": 22_992}
    assert facts["forecast"] is None
    assert facts["training_flops"] == 21_898 * 2 * 3 * 256 * 2 * 4
    out = shell.done("plan", "tiny.yaml", "--no-calibrate")
    assert out.startswith("tiny: 4 trials\nFLOP band         20,804 to 22,992 multiply-adds around 21,898\n")
    assert [path.name for path in shell.folder.iterdir()] == ["tiny.yaml"]  # a plan leaves nothing behind


def test_plan_takes_overrides(shell: Shell, study: Path) -> None:
    facts = shell.facts("plan", "tiny.yaml", "search.trials=80", "budget.tolerance=0", "--no-calibrate")
    assert (facts["trials"], facts["architectures"]) == (80, 1)


def test_plan_shows_the_spaces_of_a_claim_and_not_all_of_their_networks(shell: Shell, study: Path) -> None:
    facts = shell.facts("plan", "tiny.yaml", *TINY_SPACES, "--no-calibrate")["claim"]
    assert len(facts["arms"]) == 26
    one, more = facts["spaces"]
    lines = shell.done("plan", "tiny.yaml", *TINY_SPACES, "--no-calibrate").splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("claim             spaces, "))
    assert lines[place + 1].split() == ["space", "networks", "drawn", "multiply-adds", "parameters", "activations"]
    assert lines[place + 2].split()[:4] == ["one", "group", "85", "10"]
    told = "  costs are means of those drawn; more groups, which is to err less, costs -0.92 %"
    assert lines[place + 4] == told
    assert round(100 * (more["multiply_adds"] / one["multiply_adds"] - 1), 2) == -0.92
    assert lines[place + 5].startswith(
        "tuning            3 rates of 3 more networks a space, and one fit over all of them"
    )
    assert lines[place + 6] == "confirmation      10 networks a space, each on a seed of its own: 20 trials"


def test_plan_refuses_a_limit_that_run_would_refuse(shell: Shell, study: Path) -> None:
    code, said = shell.refused("plan", "tiny.yaml", "limits.training_flops=1M")
    assert code == 2
    assert said.startswith("resnext-search: limits.training_flops: found 1e+06; allowed: at least 7.06e+07")


@pytest.mark.slow
def test_plan_forecasts_time_and_memory(shell: Shell, study: Path) -> None:
    done = finish(["plan", "tiny.yaml"], shell.folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^time              \d+ (s|min)", done.stdout, re.MULTILINE)
    assert re.search(r"^memory            \d+\.\d GiB at most", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("name", ["plan", "run"])
def test_a_broken_study_is_said_with_its_lines_and_code_2(shell: Shell, study: Path, name: str) -> None:
    study.write_text(TINY_STUDY.replace("epochs: 2", "epochs: none").replace("trials: 4", "trails: 4"))
    code, complaint = shell.refused(name, "tiny.yaml")
    assert code == 2
    assert complaint.startswith("resnext-search: tiny.yaml:")
    assert "trainer.epochs: found" in complaint
    assert "search.trails: " in complaint
    assert "resnext-search schema" in complaint
    assert [path.name for path in shell.folder.iterdir()] == ["tiny.yaml"]


@pytest.mark.parametrize("name", ["plan", "run"])
def test_an_empty_band_is_said_with_its_neighbours_and_code_3(shell: Shell, study: Path, name: str) -> None:
    code, complaint = shell.refused(name, "tiny.yaml", "budget={multiply_adds: 20.4k, tolerance: 0}")
    assert code == 3
    assert "none of 192 candidates lies between 20,400 and 20,400 multiply-adds" in complaint
    assert re.search(r"^  below: [\d,]+ \(-\d+\.\d\d %\), ", complaint, re.MULTILINE)
    assert re.search(r"^  above: [\d,]+ \(\+\d+\.\d\d %\), ", complaint, re.MULTILINE)
    assert "Give 'budget={multiply_adds: " in complaint


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["none.yaml"], "none.yaml: no such file\nMake one with: resnext-search init\n"),
        (["folder"], "folder: a folder, not a study file\nName the YAML file in it.\n"),
        (
            ["tiny.yaml", "search.trials"],
            'command line: "search.trials" is not of the form key=value\nFor example search.trials=80.\n',
        ),
    ],
)
@pytest.mark.parametrize("name", ["plan", "run"])
def test_what_is_no_study_is_said(shell: Shell, study: Path, name: str, arguments: list[str], complaint: str) -> None:
    (shell.folder / "folder").mkdir()
    assert shell.refused(name, *arguments) == (2, f"resnext-search: {complaint}")


@pytest.mark.slow  # imports torch, Ax and Ray, but starts nothing
@pytest.mark.parametrize("written", ["", "rules: 2\n"])
def test_a_file_is_read_under_the_rules_of_its_folder_unless_it_names_some(
    shell: Shell, study: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    """12 seeds are no multiple of the folds that the second rules know."""
    claim = TINY_CLAIM.replace("seeds: 5", "seeds: 12").replace("claim=", "claim: ")
    study.write_text(f"{TINY_STUDY}{claim}\n{written}")
    new_folder(shell.folder / "runs" / "tiny", load_study(study, ["rules=1"]))[1].close()
    seen: list[Study] = []
    monkeypatch.setattr("resnext_search.search.lifecycle.run.run_study", lambda given, *_, **__: seen.append(given))
    if written:
        assert "claim.seeds: found 12; allowed: a multiple of 5" in shell.refused("run", "tiny.yaml")[1]
    else:
        shell.done("run", "tiny.yaml")
        assert [one.rules for one in seen] == [1]
        assert "a multiple of 5" in shell.refused("run", "tiny.yaml", "--out", "new")[1]


@pytest.mark.parametrize(
    ("arguments", "measures"),
    [((), True), (("--no-calibrate",), False), (("--out", "begun"), False), (("trainer.plugin=other",), False)],
)
def test_run_measures_a_study_that_begins_here_with_the_built_in_trainer(
    shell: Shell, study: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], measures: bool
) -> None:
    new_folder(shell.folder / "begun", load_study(study))[1].close()
    seen: list[bool] = []
    monkeypatch.setattr("resnext_search.spaces.study.sections.trainer_names", lambda: ["other"])
    monkeypatch.setattr("resnext_search.search.planning.calibration._PROGRAM", "pass")
    monkeypatch.setattr(
        "resnext_search.search.lifecycle.run.run_study",
        lambda *_, calibrating, **__: seen.append(isinstance(calibrating, Calibrating)),
    )
    shell.done("run", "tiny.yaml", *arguments)
    assert seen == [measures]


# ------------------------------------------------------------------ refit


@pytest.mark.slow  # trains a network for two epochs
def test_refit_saves_the_best_network_and_best_prints_it(shell: Shell) -> None:
    folder = ended_folder(shell.folder / "run")
    code, out, err = shell.ended("refit", "run")
    assert code == 0
    assert out.startswith("trial 0001 2x4d-8, from the search, trained on 456 images: test error ")
    assert err.splitlines()[0].startswith("epoch 1/2  loss ")
    facts = shell.facts("best", "run")["refit"]
    assert facts["test_error"] == json.loads(folder.model.read_text())["test_error"]
    assert "trained on 456 images" in shell.done("best", "run")
    assert shell.facts("refit", "run", "--trial", "0")["architecture"]["name"] == "1x6d-8"
    assert shell.refused("refit", "run", "--trial", "9")[0] == 2


def test_overrides_may_stand_behind_options(shell: Shell, study: Path) -> None:
    before = shell.facts("plan", "tiny.yaml", "search.trials=9", "--no-calibrate")
    assert shell.facts("plan", "tiny.yaml", "--no-calibrate", "search.trials=9") == before
    assert before["trials"] == 9


# ------------------------------------------------------------------ status, export, best, resume


def test_status_shows_an_ended_study(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    facts = shell.facts("status", "run")
    assert (facts["live"], facts["states"], facts["best"]["trial"]) == (False, {"completed": 3, "failed": 1}, 1)
    out = shell.done("status", "run")
    assert out.startswith("tiny: not running; trials: 3 completed, 1 failed, of 4\n")
    assert shell.done("status", "run", "--watch") == out  # nothing to watch


def test_export_writes_the_tables_anew(shell: Shell) -> None:
    folder = ended_folder(shell.folder / "run")
    files = [f"run/{name}" for name in ("trials.csv", "pareto.csv", "effects.csv", "trials.parquet", "pareto.parquet")]
    assert shell.done("export", "run").splitlines() == files
    assert pd.read_csv(folder.pareto).trial.tolist() == [1]
    folder.trials.write_text("spoilt")
    assert shell.facts("export", "run", "--objectives", "parameters, validation_error") == {"files": files}
    assert len(pd.read_csv(folder.trials)) == 4
    assert pd.read_csv(folder.pareto).trial.tolist() == [1, 2]  # 3,606 parameters and 9 %; 2,890 and 30 %


def test_best_prints_the_best_trial(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    facts = shell.facts("best", "run")
    assert (facts["architecture"], facts["validation_error"]) == ("2x4d-8", 9.0)
    assert shell.done("best", "run").startswith(
        "best in band: trial 0001 2x4d-8, from the search, validation error 9.00 % "
        f"({facts['expected_validation_error']:.2f} % without its luck)\n"
    )


def test_best_is_the_best_by_the_model_and_status_shows_what_was_reported(shell: Shell) -> None:
    lucky_folder(shell.folder / "run")
    assert shell.facts("status", "run")["best"]["trial"] == 0
    assert shell.facts("best", "run")["trial"] == 3


def test_a_folder_can_be_moved_and_named_in_any_script(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    (shell.folder / "run").rename(shell.folder / "Läufe, №1 100% #?")
    assert shell.facts("status", "Läufe, №1 100% #?")["states"] == {"completed": 3, "failed": 1}
    assert "Läufe, №1 100% #?/effects.csv\n" in shell.done("export", "Läufe, №1 100% #?/")


def test_an_empty_study_has_no_best_trial_yet(shell: Shell) -> None:
    new_folder(shell.folder / "run")[1].close()
    assert shell.refused("best", "run") == (2, "resnext-search: run: no trial has been completed yet\n")
    assert shell.facts("status", "run")["best"] is None
    files = [f"run/{name}" for name in ("trials.csv", "pareto.csv", "effects.csv", "trials.parquet", "pareto.parquet")]
    assert shell.done("export", "run").splitlines() == files


@pytest.mark.slow  # imports torch, Ax and Ray, but starts nothing
def test_a_study_folder_that_cannot_be_made_is_said(shell: Shell, study: Path) -> None:
    done = finish(["run", "tiny.yaml", "--out", "tiny.yaml"], shell.folder)
    assert (done.returncode, done.stdout, done.stderr) == (
        2,
        "",
        "resnext-search: tiny.yaml: no study can be kept there: File exists\nName another folder with --out.\n",
    )
    assert study.read_text() == TINY_STUDY


@pytest.mark.parametrize("name", ["status", "export", "best", "resume", "refit", "export-model"])
@pytest.mark.parametrize("folder", ["none", "empty", "tiny.yaml"])
def test_what_is_no_study_folder_is_said(shell: Shell, study: Path, name: str, folder: str) -> None:
    (shell.folder / "empty").mkdir()
    assert shell.refused(name, folder) == (
        2,
        f"resnext-search: {folder}/journal.sqlite: no such journal\n"
        "Is this a study folder? `resnext-search run` makes one.\n",
    )
    assert list((shell.folder / "empty").iterdir()) == []


@pytest.mark.parametrize("name", ["status", "export", "best", "resume", "refit", "export-model"])
def test_a_damaged_journal_is_said(shell: Shell, name: str) -> None:
    folder = ended_folder(shell.folder / "run")
    folder.journal.write_bytes(os.urandom(9_000))
    assert shell.refused(name, "run") == (
        1,
        "resnext-search: run/journal.sqlite: not readable as a journal: file is not a database\n"
        "Restore the file from a copy, or start a new study.\n",
    )


def test_an_unknown_objective_is_said(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    code, complaint = shell.refused("export", "run", "--objectives", "accuracy")
    assert code == 2
    assert complaint.startswith("resnext-search: objectives: 'accuracy'; allowed: cardinality, width, depth, ")
    assert complaint.endswith("\nFor example --objectives validation_error,parameters.\n")


def test_an_override_that_breaks_the_study_of_a_folder_is_said(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    code, complaint = shell.refused("resume", "run", "search.trials=none")
    assert code == 2
    assert complaint.startswith("resnext-search: command line: search.trials: found")


def test_a_folder_that_cannot_be_written_can_be_read_and_is_said(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    for name in ("status", "best", "export"):  # what they import must be there before the rights are gone
        shell.done(name, "run")
    with without_rights_to(ended_folder) as path:
        assert shell.facts("status", str(path))["states"] == {"completed": 3, "failed": 1}
        assert shell.facts("best", str(path))["trial"] == 1
        assert shell.refused("export", str(path)) == (
            2,
            f"resnext-search: {path}/trials.csv: cannot be written: Permission denied\n",
        )


def test_commands_that_a_hint_gives_can_be_typed_whatever_the_folder_is_called(shell: Shell) -> None:
    name = "my runs; it's (1)"
    ended_folder(shell.folder / name)
    hint = shell.done("retry", name, "--failed").splitlines()[-1]
    assert shlex.split(hint.removeprefix("Run them with: ")) == ["resnext-search", "resume", name]
    [hint] = [line for line in shell.done("status", name).splitlines() if line.startswith("Continue with: ")]
    assert shlex.split(hint.removeprefix("Continue with: ")) == ["resnext-search", "resume", name]


def test_a_budget_that_is_advised_can_be_typed(shell: Shell, study: Path) -> None:
    _, complaint = shell.refused("plan", "tiny.yaml", "budget={multiply_adds: 20.4k, tolerance: 0}")
    hint = complaint.splitlines()[-1]
    budget, _, wider, *_ = shlex.split(hint.removeprefix("Give "))
    shell.done("plan", "tiny.yaml", "--no-calibrate", budget)
    shell.done("plan", "tiny.yaml", "--no-calibrate", "budget={multiply_adds: 20.4k, tolerance: 0}", wider.rstrip(","))
