"""Broken study files: what each says, byte for byte, and that none takes long.

`python tests/spaces/study/test_file.py` writes the messages of golden/broken_studies.yaml again; review the diff.
"""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest
import yaml
from resnext_search.spaces import load_study
from resnext_search.spaces.errors import StudyError
from resnext_search.spaces.study.file import parse_study

GOLDEN = Path(__file__).parent / "golden"
SOUND = (GOLDEN / "sound_study.yaml").read_text(encoding="utf-8")

BROKEN: list[dict[str, str]] = yaml.safe_load((GOLDEN / "broken_studies.yaml").read_text(encoding="utf-8"))


def complaint(text: str, *overrides: str) -> StudyError:
    with pytest.raises(StudyError) as caught:
        parse_study(text, "s.yaml", overrides)
    return caught.value


# ------------------------------------------------------------------ one problem at a time


def test_the_sound_file_is_sound() -> None:
    assert len(parse_study(SOUND, "s.yaml").feasible_set()) > 0


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case["written"].strip()[:60] or case["instead"][:10])
def test_a_broken_file_says_where_what_and_what_to_do(case: dict[str, str]) -> None:
    assert SOUND.count(case["instead"]) == 1
    error = complaint(SOUND.replace(case["instead"], case["written"]))
    assert str(error) == case["message"]
    assert error.hint == "docs/how-to/study-file.md explains the study file; `resnext-search schema` prints all keys."
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "s.yaml: the file is empty", "Make one with: resnext-search init"),
        ("# only a comment\n", "s.yaml: the file is empty", "Make one with: resnext-search init"),
        (
            "- name: a",
            's.yaml:1: found [{"name": "a"}]; a study file is a mapping of keys to values',
            "Make one with: resnext-search init",
        ),
        (
            "name",
            's.yaml:1: found "name"; a study file is a mapping of keys to values',
            "Make one with: resnext-search init",
        ),
        (
            SOUND.replace("[1, 2, 4]", "[1, 2, 4"),
            "s.yaml:8:8: not readable as YAML: while parsing a flow sequence, expected ',' or ']', but got ':'",
            "Check indentation, quotes and brackets.",
        ),
        (
            SOUND.replace("trainer: {epochs: 12}", "trainer: &a {epochs: 12}\nsearch: *a"),
            "s.yaml:12:9: not readable as YAML: aliases (*name) are not allowed",
            "Write out what *a stands for.",
        ),
        (
            SOUND.replace("epochs: 12", "epochs: !!int 12"),
            "s.yaml:11:19: not readable as YAML: tags (!name) are not allowed",
            "Leave it out: quotes make text of a value, no tag is needed.",
        ),
        (SOUND + "x: " + "[" * 50 + "]" * 50, "s.yaml:12: nested too deeply; at most 20 levels are read", ""),
    ],
)
def test_what_is_no_mapping_is_said_before_anything_else(text: str, message: str, hint: str) -> None:
    error = complaint(text)
    assert str(error) == message
    assert error.hint == hint


def test_states_go_to_places_that_are_named_without_a_password() -> None:
    places = "s3://bucket/path, gs://bucket/path or file:///folder"
    error = complaint(SOUND + "resources: {checkpoints: worker}\n")
    assert str(error) == f's.yaml:12: resources.checkpoints: found "worker"; allowed: auto, driver or {places}.'
    error = complaint(SOUND + "resources: {checkpoints: 's3://me:sesame@bucket/x'}\n")
    assert str(error) == (
        's.yaml:12: resources.checkpoints: found "s3://...@bucket/x", with credentials; allowed: auto, driver or '
        f"{places}. Credentials come from the environment of every machine (AWS_PROFILE, a role, a service account)."
    )


# ------------------------------------------------------------------ several problems


def test_all_problems_are_reported_at_once_with_those_between_sections() -> None:
    text = SOUND.replace("example", "../x").replace("[1, 2, 4]", "[1, 0]")
    text = text.replace("epochs: 12", "epochs: 5, epochs: 1, warmup_epochs: 1")
    text = text.replace("multiply_adds: 2.2M", "like: {cardinality: 1, width: 4, blocks: [1]}\n  tolerance: .nan")
    text = text.replace("digits}", "digits, train_images: 99, clases: 10}") + "seeds: 1\n"
    assert str(complaint(text)).splitlines() == [
        "s.yaml:12: trainer.epochs: given twice, first in line 12. Remove one.",
        's.yaml:1: name: found "../x"; allowed: letters, digits, "-", "_" and ".", at most 64, starting with a letter '
        "or digit.",
        "s.yaml:2: data.clases: found an unknown key; allowed: name, root, train_images, validation_images, "
        "resolution, classes, unreadable, view, memory. Did you mean classes?",
        "s.yaml:6: budget.tolerance: found .nan; allowed: a finite number.",
        "s.yaml:8: axes.cardinality[1]: found 0; allowed: at least 1.",
        "s.yaml:13: seeds: found an unknown key; allowed: name, data, template, budget, axes, objectives, trainer, "
        "search, claim, resources, limits, trackers, seed, rules. Did you mean seed?",
        "s.yaml:12: trainer.warmup_epochs: found 1; allowed: below trainer.epochs (1). Set trainer.warmup_epochs to a "
        "smaller number, such as 0.",
    ]


def test_a_problem_between_sections_shows_although_another_section_is_broken() -> None:
    text = SOUND.replace("{min: 1, max: 3}", "[[1, 1]]").replace("name: example", "name: 12")
    assert str(complaint(text)).splitlines() == [
        "s.yaml:1: name: found 12; allowed: text. Put it in quotes.",
        "s.yaml:9: axes.blocks[0]: found [1, 1]; allowed: one number for each of 3 stages.",
    ]


def test_a_problem_is_reported_once_however_it_was_found() -> None:
    text = SOUND.replace("{epochs: 12}", "{epochs: 1, warmup_epochs: 1}")
    assert len(str(complaint(text)).splitlines()) == 1


def test_a_file_full_of_problems_shows_the_first_twenty() -> None:
    text = SOUND.replace("[1, 2, 4]", str([0] * 5000))
    lines = str(complaint(text)).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "... and 4,980 more problems"


# ------------------------------------------------------------------ files


def test_a_file_is_read_with_its_path_in_every_message(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(SOUND.replace("12", "0"), encoding="utf-8-sig")
    with pytest.raises(StudyError) as caught:
        load_study(path)
    assert str(caught.value) == f"{path}:11: trainer.epochs: found 0; allowed: at least 1."
    path.write_text(SOUND, encoding="utf-8")
    assert load_study(str(path)) == load_study(path) == parse_study(SOUND, "s.yaml")


def test_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(SOUND.replace("\n", "\r\n").encode())
    assert load_study(path) == parse_study(SOUND, "s.yaml")


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        load_study(tmp_path / "none.yaml")
    assert str(caught.value) == f"{tmp_path / 'none.yaml'}: no such file"
    assert caught.value.hint == "Make one with: resnext-search init"


def test_a_folder_is_no_study_file(tmp_path: Path) -> None:
    with pytest.raises(StudyError) as caught:
        load_study(tmp_path)
    assert str(caught.value) == f"{tmp_path}: a folder, not a study file"
    assert caught.value.hint == "Name the YAML file in it."


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_said_to_be_one(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(SOUND, encoding="utf-8")
    path.chmod(0)
    with pytest.raises(StudyError, match="cannot be read: Permission denied"):
        load_study(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SOUND.encode() + b"# caf\xe9\n", ":12: not text in UTF-8"),
        (SOUND.encode("utf-16"), ":1: not text in UTF-8"),
        (bytes(range(256)), ":2: not text in UTF-8"),
        (b"x" * 100_001, ": larger than 100,000 bytes; a study file has some dozen lines"),
        (b"", ": the file is empty"),
        (SOUND.encode() + b"\x00", ":12: not readable as YAML: character U+0000 is not allowed"),
    ],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(StudyError) as caught:
        load_study(path)
    assert str(caught.value) == f"{path}{message}"


def test_an_endless_file_is_not_read_to_its_end() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero here")
    with pytest.raises(StudyError, match="larger than 100,000 bytes"):
        load_study("/dev/zero")


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000])
def test_a_path_that_no_file_can_have_is_refused(path: str) -> None:
    with pytest.raises(StudyError, match=r"cannot be read: (embedded null byte|File name too long)"):
        load_study(path)


# ------------------------------------------------------------------ nothing hangs, nothing escapes


@pytest.mark.parametrize(
    ("instead", "written"),
    [
        ("{min: 1, max: 64}", "{min: 1, max: 1000000000000}"),
        ("[1, 2, 4]", "{min: 1, max: 1e300}"),
        ("[1, 2, 4]", "{min: 1, max: " + "9" * 5000 + "}"),
        ("{min: 1, max: 3}", "{min: 1, max: 1000000000}"),
        ("{min: 1, max: 3}", "{min: 1, max: 200}"),
        ("stages: 3", "stages: 1000000000"),
        ("2.2M", "9" * 5000 + "T"),
        ("example", "x" * 90_000),
        ("epochs: 12", "e" * 90_000 + ": 12"),
        ("[1, 2, 4]", str([0] * 20_000)),
        ("[1, 2, 4]", str(["a"] * 10_000)),
        ("12}", "12}\n" + "".join(f"k{n}: 1\n" for n in range(5_000))),
    ],
    ids=lambda text: text[:30],
)
def test_an_absurd_file_is_refused_quickly_in_few_words(instead: str, written: str) -> None:
    started = time.process_time()  # not the wall's clock: a busy machine is not the file's fault
    error = complaint(SOUND.replace(instead, written))
    assert time.process_time() - started < 5
    assert len(str(error)) < 5000


def test_control_characters_of_a_file_do_not_reach_the_terminal() -> None:
    error = complaint(SOUND + '"\\e[31mred\\u2028": 1\n')
    assert str(error).isprintable()


def _write_golden_file() -> None:
    path = GOLDEN / "broken_studies.yaml"
    text = path.read_text(encoding="utf-8")
    for case in BROKEN:
        message = str(complaint(SOUND.replace(case["instead"], case["written"])))
        block = "|-\n" + "".join(f"    {line}\n" for line in message.splitlines())
        head = f"- instead: {json.dumps(case['instead'])}\n  written: {json.dumps(case['written'])}\n  message: "
        text = re.sub(re.escape(head) + r"(''\n|\|-\n(    .*\n)+)", lambda _, new=head + block: new, text)  # type: ignore[misc]
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _write_golden_file()
