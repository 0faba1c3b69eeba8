"""YAML as people write it: numbers are numbers, every key has its line, and no file makes the reader run away."""

from __future__ import annotations

import math
import time

import pytest
from resnext_search.spaces.errors import StudyError
from resnext_search.spaces.study.yaml_reader import read_yaml


def value_of(text: str) -> object:
    return read_yaml(text, "s.yaml").value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12", 12),
        ("-3", -3),
        ("20_000", 20000),
        ("010", 10),  # eight in YAML 1.1
        ("1e-4", 0.0001),  # text in YAML 1.1
        ("1.5E+3", 1500.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("yes", "yes"),  # true in YAML 1.1
        ("off", "off"),
        ("1:30", "1:30"),  # ninety in YAML 1.1
        ("2024-01-01", "2024-01-01"),  # a date in YAML 1.1
        ("0x10", "0x10"),
        ("2%", "2%"),
        ("8.0M", "8.0M"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("-", [None]),
        ("e5", "e5"),
        ("_1", "_1"),
        ("[1, [2, a]]", [1, [2, "a"]]),
        ("{a: 1, b: , c}", {"a": 1, "b": None, "c": None}),
        ("1: a", {"1": "a"}),
        ("<<: {a: 1}", {"<<": {"a": 1}}),
        ("", None),
        ("# nothing", None),
        ("\ufeffa: 1", {"a": 1}),
    ],
)
def test_plain_words_mean_what_they_say(text: str, value: object) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


def test_infinity_and_not_a_number_are_read_to_be_refused_later() -> None:
    assert value_of("[.inf, -.inf, +.Inf]") == [math.inf, -math.inf, math.inf]
    assert math.isnan(value_of(".NaN"))  # type: ignore[arg-type]


def test_every_key_and_element_has_its_line() -> None:
    text = "a: 1\nb:\n  c:\n    - 1\n    - d: 2\n  e: [3,\n      4]\n"
    assert read_yaml(text, "s.yaml").lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "c", 0): 4,
        ("b", "c", 1): 5,
        ("b", "c", 1, "d"): 5,
        ("b", "e"): 6,
        ("b", "e", 0): 6,
        ("b", "e", 1): 7,
    }


def test_every_repeated_key_is_noted() -> None:
    document = read_yaml("a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n", "s.yaml")
    assert document.repeats == [(("b", "c"), 2, 2), (("a",), 3, 1), (("a",), 4, 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: [1, 2",
            "s.yaml:1:9: not readable as YAML: while parsing a flow sequence, expected ',' or ']', but got "
            "'<stream end>'",
        ),
        (
            "a: 1\n b: 2\n",
            "s.yaml:2:3: not readable as YAML: mapping values are not allowed here",
        ),
        (
            "a:\n\t- 1",
            "s.yaml:2:1: not readable as YAML: while scanning for the next token, found character '\\t' that cannot "
            "start any token",
        ),
        ("a: &x 1\nb: *x\n", "s.yaml:2:4: not readable as YAML: aliases (*name) are not allowed"),
        ("a: !!python/object:os.system 1", "s.yaml:1:4: not readable as YAML: tags (!name) are not allowed"),
        ("a: !!int abc", "s.yaml:1:4: not readable as YAML: tags (!name) are not allowed"),
        ("!!set {a, b}", "s.yaml:1:1: not readable as YAML: tags (!name) are not allowed"),
        (
            "a: 1\n---\nb: 2\n",
            "s.yaml:2:1: not readable as YAML: expected a single document in the stream, but found another document",
        ),
        ("a: 1\nb: \x07\n", "s.yaml:2: not readable as YAML: character U+0007 is not allowed"),
        ("? [a, b]\n: 1", "s.yaml:1: a list or mapping stands where a key should"),
        ("a: " + "[" * 30 + "]" * 30, "s.yaml:1: nested too deeply; at most 20 levels are read"),
        ("[" * 20_000, "s.yaml: nested too deeply; at most 20 levels are read"),
        ('a: "\\UFFFFFFFF"', "s.yaml: not readable as YAML: an escape (\\U...) that names no character"),
    ],
)
def test_what_is_no_plain_yaml_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(StudyError) as caught:
        read_yaml(text, "s.yaml")
    assert str(caught.value) == message


def test_a_few_bytes_cannot_stand_for_gigabytes() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*{'a' if i == 0 else f'b{i - 1}'}, *a]\n" for i in range(60))
    started = time.perf_counter()
    with pytest.raises(StudyError, match="aliases"):
        read_yaml(bomb, "s.yaml")
    assert time.perf_counter() - started < 1


def test_a_number_of_thousands_of_digits_is_text() -> None:
    assert value_of("9" * 5000) == "9" * 5000
