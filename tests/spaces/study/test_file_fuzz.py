"""No text whatever ends in a traceback: it is a study, or an error of ours whose message can be printed anywhere."""

from __future__ import annotations

import json
import random
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from resnext_search.spaces import Study
from resnext_search.spaces.errors import EmptyFeasibleSet, StudyError
from resnext_search.spaces.study.file import parse_study

from benchmarks.reliability.fuzz_studies import outcome, study_file
from benchmarks.reliability.fuzzing import LIMIT_SECONDS

SOUND = (Path(__file__).parent / "golden" / "sound_study.yaml").read_text(encoding="utf-8")

_WORDS = [
    "0",
    "-1",
    "1",
    "2",
    "64",
    "1e9",
    "1e400",
    ".nan",
    ".inf",
    "true",
    "~",
    "",
    "''",
    "2%",
    "8.0M",
    "auto",
    "paper",
    "paper-cifar",
]
_WORDS += ["[]", "{}", "[1]", "[[1, 1, 1]]", "[[1], 1]", "{min: 1}", "{min: 1, max: 3}", "{min: 3, max: 1, scale: log}"]
_WORDS += [
    "{listed: [1, 2]}",
    "{listed: 1}",
    "&a 1",
    "*a",
    "!!int x",
    "{a: {b: [c]}}",
    "validation_error",
    "digits",
    "\t",
]
_KEYS = sorted({*re.findall(r"[a-z_]+", SOUND), "like", "search", "trials", "listed", "uniform", "seed", "recipe"})


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), edits=st.integers(1, 6))
def test_no_mutation_of_a_study_file_ends_in_a_traceback(seed: int, edits: int) -> None:
    """Words are exchanged, lines moved, indented, doubled and cut, characters dropped and put in."""
    chance = random.Random(seed)
    text = SOUND
    for _ in range(edits):
        lines = text.splitlines() or [""]
        at = chance.randrange(len(lines))
        kind = chance.randrange(7)
        if kind == 0:
            lines[at] = re.sub(r": .*", lambda _: f": {chance.choice(_WORDS)}", lines[at])
        elif kind == 1:
            words = re.findall(r"[\w.%]+", lines[at]) or [""]
            lines[at] = lines[at].replace(chance.choice(words), chance.choice(_WORDS + _KEYS), 1)
        elif kind == 2:
            lines[at] = " " * chance.randrange(4) + lines[at].lstrip()
        elif kind == 3:
            lines.insert(chance.randrange(len(lines)), lines[at])
        elif kind == 4:
            del lines[at]
        elif kind == 5:
            lines.insert(at, f"{' ' * chance.choice([0, 2])}{chance.choice(_KEYS)}: {chance.choice(_WORDS)}")
        else:
            place = chance.randrange(len(lines[at]) + 1)
            lines[at] = (
                lines[at][:place] + chance.choice("{}[]:,-#&*!|>'\"%@`\\\x00\x85\u2028é") + lines[at][place + 1 :]
            )
        text = "\n".join(lines) + "\n"
    _parse_and_enumerate(text)


_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(_WORDS),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=5), inner),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_values_whatever_end_in_a_traceback(data: st.DataObject) -> None:
    """Any tree of values in the place of any key."""
    raw: dict[str, Any] = yaml.safe_load(SOUND)
    for _ in range(data.draw(st.integers(1, 3))):
        section = data.draw(st.sampled_from(sorted(Study.model_fields)))
        inner = raw.get(section)
        if isinstance(inner, dict) and inner and data.draw(st.booleans()):
            inner[data.draw(st.sampled_from(sorted(map(str, inner))))] = data.draw(_VALUES)
        else:
            raw[section] = data.draw(_VALUES)
    _parse_and_enumerate(json.dumps(raw))
    _parse_and_enumerate(yaml.safe_dump(raw))


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200))
def test_no_text_whatever_ends_in_a_traceback(text: str) -> None:
    _parse_and_enumerate(text)


@settings(max_examples=200, deadline=None)
@given(override=st.text(max_size=40) | st.builds("{}={}".format, st.sampled_from(_KEYS), st.sampled_from(_WORDS)))
def test_no_override_whatever_ends_in_a_traceback(override: str) -> None:
    _parse_and_enumerate(SOUND, override)


def _parse_and_enumerate(text: str, *overrides: str) -> None:
    """Either a study, or an error of ours whose message can be printed anywhere."""
    try:
        study = parse_study(text, "s.yaml", overrides)
        assert Study.model_validate_json(study.model_dump_json()) == study
        assert len(study.feasible_set()) > 0
    except (StudyError, EmptyFeasibleSet) as error:
        str(error).encode()


def test_no_generated_study_file_ends_in_a_traceback_or_takes_long(tmp_path: Path) -> None:
    """The first of the files of `benchmarks/reliability/fuzz_studies.py`, in which every kind of them occurs."""
    outcomes = Counter()
    for number in range(400):
        path = tmp_path / "study.yaml"
        path.write_bytes(study_file(number))
        before = time.process_time()
        outcomes[outcome(path)] += 1
        assert time.process_time() - before < LIMIT_SECONDS
    assert set(outcomes) == {"study", "exit 2", "exit 3"}
    assert outcomes["study"] > 20


def test_the_nth_generated_file_is_always_the_same() -> None:
    assert study_file(7) == study_file(7)
    assert len({study_file(number) for number in range(100)}) > 95
