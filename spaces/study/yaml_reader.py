"""Reading YAML with the line of every key, and without the traps that YAML 1.1 sets for people who write numbers.

Plain values are read as in YAML 1.2: `1e-4` is a number, `010` is ten, `1:30`, `yes` and dates are text. Aliases (a few
bytes that stand for gigabytes), tags and repeated keys are refused. Imports PyYAML and the errors alone.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import yaml
from resnext_search.spaces.errors import StudyError, shortened

Key = tuple[str | int, ...]

# PyYAML reads about 200 kB a second, and a study file has some dozen lines.
LARGEST_FILE_BYTES = 100_000
# A study file is four levels deep.
DEEPEST = 20


class Repeat(NamedTuple):
    """A key that a mapping holds twice, of which YAML would silently take the last."""

    key: Key
    line: int
    first_line: int


class Document(NamedTuple):
    """A YAML text as plain values.

    Args:
        value: `None`, bool, int, float, str, list or dict.
        lines: Line, from 1, of every key and list element.
        repeats: Keys given twice.
    """

    value: Any
    lines: dict[Key, int]
    repeats: list[Repeat]


def read_yaml(text: str, source: str) -> Document:
    """Read one YAML document; `source` names it in messages.

    Raises:
        StudyError: It is not YAML, or uses more of YAML than a study file needs.

    >>> read_yaml("rate: 1e-4\\nrate: yes", "here")
    Document(value={'rate': 'yes'}, lines={(): 1, ('rate',): 1}, repeats=[Repeat(key=('rate',), line=2, first_line=1)])
    """
    try:
        node = _compose(text)
    except RecursionError:
        raise StudyError(f"{source}: nested too deeply; at most {DEEPEST} levels are read") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{source}:{mark.line + 1}:{mark.column + 1}" if mark else source
        what = ", ".join(part for part in (error.context, error.problem) if part)
        hint = error.note or "Check indentation, quotes and brackets."
        raise StudyError(f"{place}: not readable as YAML: {what}", hint=hint) from error
    except (ValueError, OverflowError) as error:  # PyYAML passes the escape "\U00110000" to chr()
        raise StudyError(f"{source}: not readable as YAML: an escape (\\U...) that names no character") from error
    except yaml.reader.ReaderError as error:
        line, what = text.count("\n", 0, error.position) + 1, f"character U+{error.character:04X} is not allowed"
        raise StudyError(f"{source}:{line}: not readable as YAML: {what}", hint="Save it as plain text.") from error
    document = Document(None, {(): 1}, [])
    return document._replace(value=None if node is None else _value(node, (), document, source))


class _Loader(yaml.SafeLoader):
    """Composes the nodes of a text; values are made in `_value`."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]  # types-PyYAML leaves it out
        refused = advice = ""
        if self.check_event(yaml.AliasEvent):
            refused, advice = "aliases (*name)", f"Write out what *{shortened(event.anchor)} stands for."
        elif getattr(event, "tag", None) is not None:
            refused, advice = "tags (!name)", "Leave it out: quotes make text of a value, no tag is needed."
        if refused:
            raise yaml.composer.ComposerError(None, None, f"{refused} are not allowed", event.start_mark, advice)
        return super().compose_node(parent, index)


def _compose(text: str) -> yaml.Node | None:
    loader = _Loader(text)
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


def _value(node: yaml.Node, key: Key, document: Document, source: str) -> Any:
    """The plain value of a node; notes the lines of what is in it."""
    if len(key) > DEEPEST:
        raise StudyError(f"{source}:{node.start_mark.line + 1}: nested too deeply; at most {DEEPEST} levels are read")
    if isinstance(node, yaml.ScalarNode):
        return node.value if node.style else _plain(node.value)
    if isinstance(node, yaml.SequenceNode):
        for index, element in enumerate(node.value):
            document.lines[(*key, index)] = element.start_mark.line + 1
        return [_value(element, (*key, index), document, source) for index, element in enumerate(node.value)]
    mapping: dict[str, Any] = {}
    for name_node, value_node in node.value:
        line = name_node.start_mark.line + 1
        if not isinstance(name_node, yaml.ScalarNode):
            raise StudyError(f"{source}:{line}: a list or mapping stands where a key should")
        child = (*key, name_node.value)
        if name_node.value in mapping:
            document.repeats.append(Repeat(child, line, document.lines[child]))
        else:
            document.lines[child] = line
        mapping[name_node.value] = _value(value_node, child, document, source)
    return mapping


_WORDS: dict[str, bool | None] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= {word: value for value in (True, False) for word in (str(value), str(value).lower(), str(value).upper())}
_INTEGER = re.compile(r"[-+]?[0-9][0-9_]{0,40}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,40}|[0-9][0-9_]{0,40}(\.[0-9]{0,40})?)([eE][-+]?[0-9]{1,9})?")


def _plain(text: str) -> bool | int | float | str | None:
    """Value of a word without quotes.

    >>> [_plain(text) for text in ("2", "20_000", "010", "1e-4", "true", "~", "2%", "yes", "1:30")]
    [2, 20000, 10, 0.0001, True, None, '2%', 'yes', '1:30']
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    if text.lower().lstrip("+-") in (".inf", ".nan"):
        number = float(text[-3:])
        return -number if text[0] == "-" else number
    return text
