"""The command that says what is right and wrong: doctor."""

from __future__ import annotations

from pathlib import Path

import click
from resnext_search.search.cli import options
from resnext_search.spaces.errors import UsageError

commands = options.Group()


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
    """Check this machine (versions, GPUs, memory, disk, data sets, plug-ins), and a study."""
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
