"""Commands that need no study: complexity, paper, schema, init, doctor."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
from resnext_search.search.cli import options
from resnext_search.spaces.errors import UsageError, typed

commands = options.Group()


@commands.command()
@click.argument("name", help="such as 32x4d-50")
@click.option(
    "--template",
    default="imagenet",
    type=click.Choice(["imagenet", "cifar10", "cifar100"]),
    help="stem, stages, resolution and classes (default: imagenet)",
)
@click.option("--blocks", metavar="N,N,...", help="blocks per stage, where the depth does not say them")
@click.option("--classes", type=int, metavar="N", help="classes (default: those of the template's data set)")
@options.json_option
def complexity(name: str, template: str, blocks: str | None, classes: int | None, as_json: bool) -> None:
    """Count an architecture's parameters, multiply-adds and activations."""
    from dataclasses import replace

    from resnext_search.spaces.architecture.architecture import Template
    from resnext_search.spaces.architecture.complexity import complexity as count
    from resnext_search.spaces.architecture.names import parse_name

    templates = {
        "imagenet": Template(stem="imagenet", stages=4, resolution=224, classes=1000),
        "cifar10": Template(),
        "cifar100": Template(classes=100),
    }
    fixed = templates[template]
    if classes is not None:
        if classes < 1:
            raise UsageError(f"--classes {classes}: a network tells at least 1 class apart")
        fixed = replace(fixed, classes=classes)
    architecture = parse_name(name, fixed, _numbers(blocks))
    counts = count(fixed, architecture)
    facts: dict[str, Any] = {
        "architecture": architecture.name,
        "template": template,
        "blocks": list(architecture.blocks),
        "group_widths": list(architecture.group_widths),
        **{key: int(value) for key, value in counts._asdict().items()},
    }
    lines = (f"{key:14}{value:,}" if isinstance(value, int) else f"{key:14}{value}" for key, value in facts.items())
    options.show(as_json, facts, lambda: "\n".join(lines))


@commands.command()
@options.wide_option
@options.json_option
def paper(wide: bool, as_json: bool) -> None:
    """Count the networks of the paper's tables, beside the figures that it prints."""
    from resnext_search.search.cli.paper_table import paper_words
    from resnext_search.spaces.architecture.paper import paper_rows

    rows = paper_rows()
    width = None if wide else options.columns()
    options.show(as_json, [row._asdict() for row in rows], lambda: paper_words(rows, width), wide=wide)


@commands.command()
def schema() -> None:
    """Print the JSON schema of a study file."""
    from resnext_search.spaces.study.study import Study

    print(json.dumps(Study.model_json_schema(), indent=2))


@commands.command()
@click.argument(
    "study", type=options.FILE, default="study.yaml", metavar="[FILE]", help="file to write (default: study.yaml)"
)
def init(study: Path) -> None:
    """Write a commented study file to start from."""
    from importlib.resources import files

    from resnext_search.spaces.whole_file import writing

    if study.exists():
        raise UsageError(f"{study}: exists already; it is left as it is", hint="Name another file.")
    text = files("resnext_search.spaces").joinpath("fixed_flops.yaml").read_text(encoding="utf-8")
    with writing(study):
        study.write_text(text, encoding="utf-8")
    print(f"{study}\nNext: resnext-search plan {typed(study)}")


@commands.command()
@click.argument(
    "study",
    type=options.FILE,
    required=False,
    metavar="[STUDY.yaml|DIR]",
    help="look at all its images, or at the folder",
)
@click.argument("overrides", nargs=-1, metavar="[key=value ...]", help="such as data.unreadable=skip")
@options.json_option
def doctor(study: Path | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Check this machine (versions, GPUs, memory, disk, data sets, plug-ins), and a study; code 2: none can run."""
    from resnext_search.search.cli.machine_checks import check_machine

    if study is None:
        checks = check_machine()
    elif study.is_dir():
        from resnext_search.results.journal.folder import StudyFolder
        from resnext_search.search.cli.folder_checks import check_folder

        if overrides:
            raise UsageError(f"{overrides[0]}: only for a study file; {study} is a folder")
        checks = [*check_machine(), *check_folder(StudyFolder(study))]
    else:
        from resnext_search.spaces.study.file import load_study

        checks = check_machine(load_study(study, overrides))
    options.show(as_json, [check._asdict() for check in checks], lambda: "\n".join(map(str, checks)))
    if any(check.stops for check in checks):
        raise click.exceptions.Exit(2)


def _numbers(text: str | None) -> list[int] | None:
    if text is None:
        return None
    if not all(re.fullmatch(r"[0-9]{1,9}", part.strip(), re.ASCII) for part in text.split(",")):
        words = f"--blocks {text!r}: not whole numbers with commas between"
        raise UsageError(words, hint="For example --blocks 2,3,2.")
    return [int(part) for part in text.split(",")]
