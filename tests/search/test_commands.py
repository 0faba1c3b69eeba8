"""Every command: what it prints for people and for scripts, and what it refuses."""

from __future__ import annotations

import json
import os
import re
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest
from resnext_search.spaces import Study, load_study

from tests.helpers import TINY_CLAIM, TINY_STUDY, finish, tiny_study
from tests.journals import ended_folder, lucky_folder, new_folder
from tests.rights import without_rights_to
from tests.shell import Shell

# ------------------------------------------------------------------ complexity

# parameters, multiply-adds, activations: published, see tests/spaces/test_complexity.py; 32x4d-200 was counted layer by
# layer with a program apart from this one, which gives the published numbers of 32x4d-50
COUNTS = {
    ("32x4d-50", "imagenet"): (25_028_904, 4_230_480_872, 14_602_216),
    ("32x4d-101", "imagenet"): (44_177_704, 7_969_997_800, 21_426_152),
    ("32x4d-152", "imagenet"): (59_951_400, 11_709_514_728, 29_855_720),
    ("32x4d-200", "imagenet"): (64_473_384, 15_229_060_072, 42_700_776),
    ("1x64d-29", "cifar10"): (4_914_250, 748_365_834, None),
    ("8x64d-29", "cifar10"): (34_426_698, 5_387_266_058, None),
    ("16x64d-29", "cifar10"): (68_155_210, 10_688_866_314, None),
    ("32x4d-29", "cifar10"): (4_775_754, 774_055_946, None),
    ("8x64d-29", "cifar100"): (34_518_948, None, None),
    ("16x64d-29", "cifar100"): (68_247_460, None, None),
}


@pytest.mark.parametrize(("name", "template"), COUNTS)
def test_complexity_counts_exactly(shell: Shell, name: str, template: str) -> None:
    facts = shell.facts("complexity", name, "--template", template)
    assert (facts["architecture"], facts["template"]) == (name, template)
    for key, count in zip(("parameters", "multiply_adds", "activations"), COUNTS[name, template], strict=True):
        assert count is None or facts[key] == count


def test_complexity_says_which_network_it_counts(shell: Shell) -> None:
    assert shell.done("complexity", "32x4d-50") == (
        "architecture  32x4d-50\n"
        "template      imagenet\n"
        "blocks        [3, 4, 6, 3]\n"
        "group_widths  [4, 8, 16, 32]\n"
        "multiply_adds 4,230,480,872\n"
        "parameters    25,028,904\n"
        "activations   14,602,216\n"
    )


def test_complexity_takes_blocks_and_classes(shell: Shell) -> None:
    facts = shell.facts("complexity", "8x14d-23", "--template", "cifar10", "--blocks", " 2,3, 2", "--classes", "7")
    assert facts["blocks"] == [2, 3, 2]
    ten = shell.facts("complexity", "8x14d-23", "--template", "cifar10", "--blocks", "2,3,2")
    assert ten["parameters"] - facts["parameters"] == 3 * (1024 + 1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["32x4d"], "architecture name '32x4d': not of the form <cardinality>x<width>d-<depth>\nTry 32x4d-50.\n"),
        (["0x4d-50"], "architecture name '0x4d-50': not of the form <cardinality>x<width>d-<depth>\nTry 32x4d-50.\n"),
        (
            ["32x4d-51"],
            "depth 51 does not say how many blocks each stage has; known depths: 50, 101, 152, 200\n"
            "Give the blocks of the 4 stages, e.g. --blocks 2,2,2,2.\n",
        ),
        (
            ["32x4d-30", "--template", "cifar10"],
            "depth 30 does not say how many blocks each stage has; known depths: 9n + 2; nearest 29 and 38\n"
            "Give the blocks of the 3 stages, e.g. --blocks 2,2,2.\n",
        ),
        (
            ["32x4d-50", "--blocks", "3,4,6"],
            "architecture name '32x4d-50': blocks [3, 4, 6] make 41 layers in 3 stages, not 50 in 4\n"
            "Name it 32x4d-41, or give other --blocks.\n",
        ),
        (
            ["32x4d-50", "--blocks", "0,4,6,3"],
            "architecture: cardinality 32, group widths [4, 8, 16, 32] and blocks [0, 4, 6, 3] have a number below 1; "
            "each starts at 1\n",
        ),
        *(
            (
                ["32x4d-50", f"--blocks={text}"],
                f"--blocks {text!r}: not whole numbers with commas between\nFor example --blocks 2,3,2.\n",
            )
            for text in ("", "three", "3,,4", "3,4,6,", "-3,4,6,3", "3.0,4,6,3", "²,4,6,3", "9" * 5_000)
        ),
        (["32x4d-50", "--classes", "0"], "--classes 0: a network tells at least 1 class apart\n"),
        (["32x4d-50", "--classes", "-9"], "--classes -9: a network tells at least 1 class apart\n"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_complexity_says_what_is_wrong(shell: Shell, arguments: list[str], complaint: str) -> None:
    assert shell.refused("complexity", *arguments) == (2, f"resnext-search: {complaint}")


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
    assert len(load_study("study.yaml").feasible_set()) == 679


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
    assert {"what", "found", "ok", "advice"} == set(facts[0])
    assert {"what": "data set digits", "found": "readable", "ok": True, "advice": ""} in facts
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
    assert "Set budget.multiply_adds to one of these numbers" in complaint


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


# ------------------------------------------------------------------ verdict, refit


def runs_file(shell: Shell, errors: dict[str, tuple[float, ...]], **more: dict[str, int]) -> None:
    """Anyone's runs: `runs.csv` in the folder of the shell."""
    rows = [
        {"arm": arm, "seed": seed, "test_error": error, **{name: values[arm] for name, values in more.items()}}
        for arm, of_arm in errors.items()
        for seed, error in enumerate(of_arm)
    ]
    pd.DataFrame(rows).to_csv(shell.folder / "runs.csv", index=False)


# five runs each, with means of 23.2 and 21.9
FIVE = {"1x64d-50": (23.1, 23.2, 23.3, 23.2, 23.2), "32x4d-50": (21.9, 22.0, 21.8, 21.9, 21.9)}


def test_anyones_runs_are_judged(shell: Shell) -> None:
    runs_file(shell, FIVE)
    out = shell.done("verdict", "runs.csv", "--strict")
    assert out.startswith("verdict: supported\n")
    assert "The match of FLOPs was not shown" in out
    facts = shell.facts("verdict", "runs.csv")
    assert (facts["verdict"], facts["kind"], facts["claimant"], facts["margin"]) == (
        "supported",
        "trade",
        "32x4d-50",
        0.3,
    )


def test_the_options_of_a_verdict_are_heeded(shell: Shell) -> None:
    costs = {"1x64d-50": 4_089_185_256, "32x4d-50": 4_230_480_872}
    runs_file(shell, FIVE, multiply_adds=costs)
    code, out, _ = shell.ended("verdict", "runs.csv", "--strict")
    assert code == 7
    assert out.startswith("verdict: invalid\n")
    assert "+3.5 %" in out
    assert shell.facts("verdict", "runs.csv", "--tolerance", "0.04")["verdict"] == "supported"
    wide = shell.facts("verdict", "runs.csv", "--tolerance", "0.04", "--margin", "2")
    assert (wide["verdict"], wide["margin"]) == ("no practical difference", 2.0)
    assert shell.facts("verdict", "runs.csv", "--tolerance", "0.04", "--claimant", "1x64d-50")["verdict"] == (
        "contradicted"
    )


def test_pictures_are_drawn_as_png_and_svg(shell: Shell) -> None:
    runs_file(shell, FIVE)
    shell.done("verdict", "runs.csv", "--plots", "pictures")
    names = sorted(path.name for path in (shell.folder / "pictures").iterdir())
    assert names == ["differences.png", "differences.svg", "test_error.png", "test_error.svg"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "runs.csv: not readable as a table of runs: "),
        ("", "runs.csv: not readable as a table of runs: "),
        ("a,b\n1,2\n", "arm"),
    ],
)
def test_what_is_no_table_of_runs_is_said(shell: Shell, content: str | None, complaint: str) -> None:
    if content is not None:
        (shell.folder / "runs.csv").write_text(content)
    code, said = shell.refused("verdict", "runs.csv")
    assert code == 2
    assert complaint in said


def test_a_study_without_a_claim_has_no_verdict(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    code, said = shell.refused("verdict", "run")
    assert code == 2
    assert said.startswith("resnext-search: run: the study makes no claim, so there is nothing to judge\n")


def test_options_of_a_csv_file_are_refused_for_a_study(shell: Shell) -> None:
    ended_folder(shell.folder / "run")
    code, said = shell.refused("verdict", "run", "--margin", "1", "--claimant", "width")
    assert code == 2
    assert said.startswith("resnext-search: --claimant, --margin: only for a CSV file; ")


def test_the_verdict_of_a_study_that_has_not_come_to_its_arms_is_invalid_and_kept(shell: Shell) -> None:
    folder, journal = new_folder(shell.folder / "run", tiny_study(TINY_CLAIM))
    journal.close()
    code, out, _ = shell.ended("verdict", "run", "--strict")
    assert code == 7
    assert out.startswith("verdict: invalid\n")
    assert json.loads(folder.verdict.read_text())["verdict"] == "invalid"


@pytest.mark.slow  # trains a network for two epochs
def test_refit_saves_the_best_network_and_best_prints_it(shell: Shell) -> None:
    folder = ended_folder(shell.folder / "run")
    code, out, err = shell.ended("refit", "run")
    assert code == 0
    assert out.startswith("trial 0001 2x4d-8 trained on 456 images: test error ")
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
        "best so far: trial 0001 2x4d-8, validation error 9.00 % "
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
