"""Writes `docs/reference/`: the study file, the commands, the columns and the data sets, from the code that has them.

    python -m docs.make_reference

A test holds that what is committed is what this would write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from resnext_search.results.tables import columns as dictionary
from resnext_search.search.cli.main import EXIT_CODES, PROGRAM, commands
from resnext_search.spaces import Study
from resnext_search.spaces.datasets import DATASETS, SOURCES, DatasetFacts

REFERENCE = Path(__file__).parent / "reference"
MADE = "<!-- Made by `python -m docs.make_reference`: change the code, not this file. -->\n\n"


def pages() -> dict[str, str]:
    """The text of every page, by its file name."""
    return {
        "study.md": MADE + study_page(),
        "commands.md": MADE + commands_page(),
        "columns.md": MADE + columns_page(),
        "datasets.md": MADE + datasets_page(),
    }


def study_page() -> str:
    """Every key of a study file."""
    schema = Study.model_json_schema()
    parts = [
        "# The study file\n",
        "Every key, with what it may be, what it is without being written, and what it means. "
        "`resnext-search schema` prints the same for editors. Any key can be given on the command line: "
        "`search.trials=80`.\n",
        "## Top level\n",
        *_keys(schema, schema),
    ]
    sections = {
        key: _target(schema, field) for key, field in schema["properties"].items() if _target(schema, field) is not None
    }
    done = set()
    while sections:
        key, section = next(iter(sections.items()))
        del sections[key]
        if section["title"] in done:
            continue
        done.add(section["title"])
        parts += [f"\n## `{key}`\n", f"{section.get('description', '')}\n", *_keys(schema, section)]
        inner = {f"{key}.{name}": _target(schema, field) for name, field in section["properties"].items()}
        sections = {**{name: target for name, target in inner.items() if target is not None}, **sections}
    return "\n".join(parts) + "\n"


def _keys(schema: dict[str, Any], section: dict[str, Any]) -> Iterator[str]:
    yield "| key | may be | default | meaning |"
    yield "|---|---|---|---|"
    required = section.get("required", [])
    for name, field in section["properties"].items():
        default = "**needed**" if name in required else _shown(field.get("default"))
        meaning = _cell(field.get("description", ""))
        yield f"| `{name}` | {_cell(_allowed(schema, field))} | {default} | {meaning} |"


def _target(schema: dict[str, Any], field: dict[str, Any]) -> dict[str, Any] | None:
    """The section that a field holds, or a list of such; None if it holds a plain value."""
    choices = (field, *field.get("anyOf", []))
    for one in (*choices, *(choice["items"] for choice in choices if "items" in choice)):
        if "$ref" in one:
            found: dict[str, Any] = schema["$defs"][one["$ref"].rsplit("/", 1)[1]]
            for section in (found, *found.get("anyOf", [])):  # an axis is a list, a number or a section
                if "properties" in section:
                    return {"description": found.get("description"), **section}
    return None


def _allowed(schema: dict[str, Any], field: dict[str, Any]) -> str:
    if "$ref" in field:
        target = schema["$defs"][field["$ref"].rsplit("/", 1)[1]]
        return "a section, see below" if "properties" in target else _allowed(schema, target)
    choices = field.get("anyOf", field.get("oneOf"))
    if choices is not None:
        return " or ".join(dict.fromkeys(_allowed(schema, one) for one in choices if one.get("type") != "null"))
    if "enum" in field or "const" in field:
        return ", ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return f"a list (each {_allowed(schema, field.get('items', {}))})"
    if field.get("type") == "object":
        return "a section, see below" if "title" in field else f"`{{{', '.join(field['properties'])}}}`"
    names = {"integer": "a whole number", "number": "a number", "string": "text", "boolean": "true or false"}
    return f"{names.get(field.get('type', ''), 'values')}{_limits(field)}"


def _limits(field: dict[str, Any]) -> str:
    low, above = field.get("minimum"), field.get("exclusiveMinimum")
    high, below = field.get("maximum"), field.get("exclusiveMaximum")
    words = [
        *([f"from {low:,}"] if low is not None else []),
        *([f"above {above:,}"] if above is not None else []),
        *([f"to {high:,}"] if high is not None else []),
        *([f"below {below:,}"] if below is not None else []),
    ]
    return f" {' '.join(words)}" if words else ""


def _shown(value: Any) -> str:
    if value is None or value == [] or value == ():
        return "nothing"
    if isinstance(value, dict):
        return "the defaults below"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{', '.join(map(str, value))}`" if isinstance(value, list) else f"`{value}`"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;")


def commands_page() -> str:
    """Every command with its arguments."""
    context = click.Context(commands, info_name=PROGRAM)
    parts = ["# The commands\n"]
    for name, command in commands.commands.items():
        parts += [f"## `{name}`\n", f"{command.help}\n"]
        if command.params:
            rows = [_argument(one, context) for one in command.params]
            parts += ["| argument | meaning |", "|---|---|", *rows, ""]
    codes = [f"- {code} {meaning}" for code, meaning in EXIT_CODES.items()]
    return "\n".join([*parts, "## Exit codes\n", *codes]) + "\n"


def _argument(one: click.Parameter, context: click.Context) -> str:
    value = one.make_metavar(context)
    if isinstance(one.type, click.Choice):
        value = "|".join(one.type.choices)
    flag = isinstance(one, click.Option) and one.is_flag
    words = " ".join([*([one.opts[-1]] if isinstance(one, click.Option) else []), *([] if flag else [value])])
    words = words.replace("|", "\\|")
    return f"| `{words}` | {_cell(one.help or '')} |"


def columns_page() -> str:
    """Every column of the tables."""
    parts = ["# The columns of the tables\n"]
    for name, columns in {
        "trials.csv": dictionary.TRIALS,
        "pareto.csv": dictionary.PARETO,
        "effects.csv": dictionary.EFFECTS,
    }.items():
        parts += [f"## `{name}`\n"]
        if name == "pareto.csv":
            parts += ["Columns of `trials.csv`, and these:\n"]
        parts += ["| column | meaning |", "|---|---|"]
        for names, meaning in dictionary.meanings(columns).items():
            parts.append(f"| {', '.join(f'`{column}`' for column in names.split(', '))} | {_cell(meaning)} |")
        parts.append("")
    return "\n".join(parts)


def datasets_page() -> str:
    """Every data set that is built in, with its source and its licence."""
    parts = [
        "# The data sets\n",
        "What `data.name` may be, but for data sets of [plug-ins](../plugins.md), whose packages say where their "
        "images come from. Nothing is ever downloaded, and no image is part of this package or of a report. Whoever "
        "publishes results [cites the data set too](../how-to/cite.md).\n",
    ]
    for name, facts in DATASETS.items():
        source = SOURCES[name]
        lines = (
            ("Images", source.images),
            ("Licence", source.licence),
            ("Size", _size(facts)),
            ("Files", source.files),
        )
        parts += [f"## `{name}`\n", *(f"- {what}: {text}" for what, text in lines), ""]
    return "\n".join(parts)


def _size(facts: DatasetFacts) -> str:
    if facts.of_the_study:
        return "the study says resolution and classes, the files how many images"
    shape = f"{facts.resolution}x{facts.resolution}, channels: {facts.channels}, classes: {facts.classes}"
    if not facts.published_test:
        return f"{shape}; {facts.train_images + facts.test_images:,} images, without a published test split"
    return f"{shape}; {facts.train_images:,} images to train and validate on, {facts.test_images:,} to test"


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (REFERENCE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
