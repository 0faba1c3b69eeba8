"""Reading a study file: every problem at once, each with its place, what was found, what is allowed and what to do.

`yaml_reader.py` reads the text, `study.py` checks the values, `complaints.py` puts complaints into words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from resnext_search.spaces.errors import StudyError, shown
from resnext_search.spaces.study.complaints import problems_of, problems_of_sound
from resnext_search.spaces.study.problems import Problem, dotted
from resnext_search.spaces.study.recipes import USUAL_WARMUP
from resnext_search.spaces.study.study import AUTO, LOCAL, Study
from resnext_search.spaces.study.yaml_reader import LARGEST_FILE_BYTES, Key, Repeat, read_yaml
from resnext_search.spaces.uris import is_uri

# A file with more problems than this has one problem.
MOST_SHOWN = 20

Begun = Callable[[str], Study | None]

COMMAND_LINE = "command line"

_MAKE_ONE = "Make one with: resnext-search init"


def load_study(
    path: Path | str, overrides: Sequence[str] = (), begun: Begun | None = None, *, trust: bool = True
) -> Study:
    """Read and check a study file.

    Args:
        path: The YAML file.
        overrides: `key=value` with a dotted key, such as `search.trials=80`; the value is read as YAML.
        begun: Gives by its name the study that was begun and is to go on, None if there is none. What is not written
            is as in that one: see `with_its_defaults`.
        trust: Whether the file may name where trials run and keep their states, which the command line always may.

    Raises:
        StudyError: The file cannot be read, or has problems; the message lists all of them.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
        if len(content) > LARGEST_FILE_BYTES:
            raise StudyError(f"{path}: larger than {LARGEST_FILE_BYTES:,} bytes; a study file has some dozen lines")
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise StudyError(f"{path}: no such file", hint=_MAKE_ONE) from None
    except IsADirectoryError:
        raise StudyError(f"{path}: a folder, not a study file", hint="Name the YAML file in it.") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise StudyError(f"{path}:{line}: not text in UTF-8", hint="Save it as UTF-8.") from error
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise StudyError(f"{shown(str(path))}: cannot be read: {reason}") from error
    return parse_study(text, str(path), overrides, begun, trust=trust)


def parse_study(
    text: str, source: str, overrides: Sequence[str] = (), begun: Begun | None = None, *, trust: bool = True
) -> Study:
    """Check the text of a study file; `source` names it in messages. Otherwise as `load_study`."""
    document = read_yaml(text, source)
    raw = document.value
    if raw is None:
        raise StudyError(f"{source}: the file is empty", hint=_MAKE_ONE)
    if not isinstance(raw, dict):
        raise StudyError(f"{source}:1: found {shown(raw)}; a study file is a mapping of keys to values", hint=_MAKE_ONE)
    places, typed = {key: f"{source}:{line}" for key, line in document.lines.items()}, list[Key]()
    for override in overrides:
        key = _apply_override(raw, override)
        typed.append(key)
        places = {known: place for known, place in places.items() if known[: len(key)] != key}
        for depth in range(len(key)):  # also of the sections that it has brought along
            places.setdefault(key[: depth + 1], COMMAND_LINE)
    name = raw.get("name")
    before = begun(name) if begun is not None and isinstance(name, str) else None
    raw = raw if before is None else with_its_defaults(raw, before)
    lines = [_repeated(repeat, source) for repeat in document.repeats]
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        lines += _lines(problems_of(raw, error, typed, begun=before is not None), places)
    else:
        lines += _lines(problems_of_sound(raw, study, begun=before is not None), places)
        lines += [] if trust else _lines(_untrusted(study, before, places), places)
    if lines:
        left_out = [f"... and {len(lines) - MOST_SHOWN:,} more problems"] if len(lines) > MOST_SHOWN else []
        raise StudyError(
            "\n".join([*lines[:MOST_SHOWN], *left_out]),
            hint="docs/how-to/study-file.md explains the study file; `resnext-search schema` prints all keys.",
        )
    return study


def with_its_defaults(raw: Mapping[str, Any], before: Study) -> dict[str, Any]:
    """The values of a file that goes on with a study: what is not written, and has had other defaults, is as it was.

    Those are the rules, and the warm-up of a recipe without a name.
    """
    given = {"rules": before.rules, **raw}
    recipe, was = given.get("trainer", {}), before.trainer
    unnamed = isinstance(recipe, dict) and recipe.get("recipe") is None and "warmup_epochs" not in recipe
    if unnamed and was.warmup_epochs == USUAL_WARMUP and recipe.get("epochs", was.epochs) == was.epochs:
        given["trainer"] = {**recipe, "warmup_epochs": USUAL_WARMUP}
    return given


def _apply_override(raw: dict[str, Any], override: str) -> Key:
    """Put the value of `key=value` where the key says; returns the key."""
    name, equals, text = override.partition("=")
    key, given = tuple(name.strip().split(".")), f"{COMMAND_LINE}: {shown(override)}"
    if not equals or not all(key):
        raise StudyError(f"{given} is not of the form key=value", hint="For example search.trials=80.")
    try:
        document = read_yaml(text, "value")
    except StudyError as error:
        raise StudyError(f"{given}: {error}", hint=error.hint) from error
    if document.repeats:
        raise StudyError(f"{given}: {dotted(document.repeats[0].key)} is given twice")
    section = raw
    for depth, part in enumerate(key[:-1]):
        inner = section.setdefault(part, {})
        if not isinstance(inner, dict):
            place = dotted(key[: depth + 1])
            raise StudyError(f"{given}: {place} holds {shown(inner)}, not keys", hint=f"Give all of it: {place}=...")
        section = inner
    section[key[-1]] = document.value
    return key


def _repeated(repeat: Repeat, source: str) -> str:
    return f"{source}:{repeat.line}: {dotted(repeat.key)}: given twice, first in line {repeat.first_line}. Remove one."


def _lines(problems: Iterable[Problem], places: Mapping[Key, str]) -> list[str]:
    """`file:line: key: found ...; allowed: ... Fix.` The line is that of the nearest key that stands in the file."""
    return [f"{_place(problem.key, places)}: {dotted(problem.key)}: {problem.words()}" for problem in problems]


def _place(key: Key, places: Mapping[Key, str]) -> str:
    while key not in places:
        key = key[:-1]
    return places[key]


def _untrusted(study: Study, before: Study | None, places: Mapping[Key, str]) -> Iterator[Problem]:
    """Where a file that may come from anyone would send what is trained; what was allowed once is not asked again."""
    given, allowed = study.resources, None if before is None else before.resources
    elsewhere = {
        "cluster": ("auto or local", given.cluster not in (None, AUTO, LOCAL)),
        "checkpoints": ("auto or driver", is_uri(given.checkpoints)),
    }
    for name, (harmless, is_elsewhere) in elsewhere.items():
        key, value = ("resources", name), getattr(given, name)
        if is_elsewhere and value != getattr(allowed, name, None) and _place(key, places) != COMMAND_LINE:
            fix = f"Give resources.{name} on the command line, or --trust if you trust whoever wrote this file."
            yield Problem(key, f"{shown(value)} in a study file", f"{harmless}; anything with --trust", fix)
