"""Commands that plan, train and stop: run, resume, plan, stop, retry, refit, export-model.

A command imports what it needs when it runs, here and in the other groups: `--help` and completion start at once, and
what trains nothing starts without torch, Ax and Ray.
"""

from __future__ import annotations

from contextlib import ExitStack, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click
from resnext_search.search.cli import options
from resnext_search.spaces.errors import UsageError

if TYPE_CHECKING:
    from resnext_search.search.lifecycle.refit import Format
    from resnext_search.search.planning.calibration import Calibrating
    from resnext_search.search.storage.mirror import Mirror
    from resnext_search.spaces.search_space.feasible import FeasibleSet
    from resnext_search.spaces.study.study import Study

commands = options.Group()


@commands.command()
@options.study_argument
@options.overrides_argument
@click.option("--out", type=options.FOLDER, metavar="DIR", help="study folder (default: runs/<name>)")
@click.option("--no-calibrate", is_flag=True, help="measure no forecast of time before the first trial")
@options.serve_option
@options.mirror_option
@options.trust_option
def run(
    study: Path,
    overrides: tuple[str, ...],
    out: Path | None,
    no_calibrate: bool,
    serve: int | None,
    mirror: str | None,
    trust: bool,
) -> None:
    """Run a study, or continue it: tune the arms, search, confirm, tables, verdict."""
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.search.planning.plan import begun_in, is_begun
    from resnext_search.spaces.study.file import load_study

    def folder(name: str) -> Path:
        return out or Path("runs") / name

    with ExitStack() as until_the_end:
        copy = _mirrored(mirror, until_the_end)

        def begun(name: str) -> Study | None:
            if copy is not None:
                _bring(copy, folder(name))
            return begun_in(StudyFolder(folder(name)))

        loaded = load_study(study, overrides, begun, trust=trust)
        feasible = loaded.feasible_set()  # before torch, Ax and Ray are imported: an empty band is said at once
        path, text = folder(loaded.name), study.read_text(encoding="utf-8")
        _expect_machines(loaded, path)
        is_new = not is_begun(StudyFolder(path))
        known = loaded.trainer.plugin is None  # what another trainer takes is not
        measured = is_new and known and not no_calibrate
        measuring = until_the_end.enter_context(calibrating(loaded, feasible)) if measured else None
        from resnext_search.search.lifecycle.run import run_study

        run_study(loaded, path, text=text, serve=serve, calibrating=measuring, mirror=copy)


@commands.command()
@click.argument("place", type=options.FOLDER_OR_URI, metavar="DIR|URI", help="study folder, or the copy of one")
@options.overrides_argument
@click.option("--out", type=options.FOLDER, metavar="DIR", help="folder for the study of a copy (default: runs/<name>)")
@options.serve_option
@options.mirror_option
def resume(
    place: Path | str, overrides: tuple[str, ...], out: Path | None, serve: int | None, mirror: str | None
) -> None:
    """Continue the study of a folder, or of a copy that `--mirror` has kept."""
    if isinstance(place, str):
        if mirror is not None:
            raise UsageError(f"--mirror {mirror}: what goes on from a copy keeps that copy", hint="Leave it out.")
    elif out is not None:
        raise UsageError(f"--out {out}: only for a study that goes on from a copy", hint="Leave it out.")
    from resnext_search.spaces.study.file import parse_study

    with ExitStack() as until_the_end:
        if isinstance(place, str):
            copy = _mirrored(place, until_the_end, "resume")
            assert copy is not None  # there is a URI
            folder = out or Path("runs") / copy.name()
        else:
            copy, folder = _mirrored(mirror, until_the_end), place
        if copy is not None:
            _bring(copy, folder)
        with options.reading(folder) as (files, journal):
            before = journal.study()
        study = parse_study(before.model_dump_json(), str(files.journal), overrides, lambda _: before)
        _expect_machines(study, folder)
        from resnext_search.search.lifecycle.run import run_study

        text = files.study.read_text(encoding="utf-8") if files.study.exists() else None
        run_study(study, folder, text=text, serve=serve, mirror=copy)


def _mirrored(uri: str | None, until_the_end: ExitStack, named_by: str = "--mirror") -> Mirror | None:
    """The copy at a URI, which is this command's until its end."""
    if uri is None:
        return None
    from resnext_search.search.storage.mirror import mirrored

    return until_the_end.enter_context(mirrored(uri, click.echo, named_by))


def _bring(copy: Mirror, folder: Path) -> None:
    from resnext_search.results.journal.folder import StudyFolder

    if words := copy.bring(StudyFolder(folder)):
        click.echo(words)


def _expect_machines(study: Study, folder: Path) -> None:
    """Say which cluster is joined, or at once what is wrong with its address, if the study will surely ask for it."""
    from resnext_search.results.journal.folder import StudyFolder
    from resnext_search.search.machines.addresses import cluster_of
    from resnext_search.search.planning.plan import has_trials_left

    if has_trials_left(study, StudyFolder(folder)) and (cluster := cluster_of(study.resources.cluster)):
        click.echo(cluster)


def calibrating(study: Study, feasible: FeasibleSet) -> Calibrating:
    """What measures a study for a forecast, on this machine, wherever its trials will run."""
    from resnext_search.search.machines.addresses import is_on_a_cluster
    from resnext_search.search.planning.calibration import Calibrating

    return Calibrating(study, feasible, elsewhere=is_on_a_cluster(study.resources.cluster))


@commands.command()
@options.study_argument
@options.overrides_argument
@click.option("--no-calibrate", is_flag=True, help="measure nothing, forecast FLOPs only")
@options.wide_option
@options.json_option
def plan(study: Path, overrides: tuple[str, ...], no_calibrate: bool, wide: bool, as_json: bool) -> None:
    """Show the feasible set of a study; forecast its time, memory and training FLOPs."""
    from resnext_search.search.cli.text import plan_words
    from resnext_search.search.planning.calibration import sharing_here
    from resnext_search.search.planning.forecast import gpu_bytes
    from resnext_search.search.planning.limits import check_limits
    from resnext_search.search.planning.plan import summarize
    from resnext_search.search.planning.workload import training_flops
    from resnext_search.spaces.study.file import load_study

    loaded = load_study(study, overrides)
    feasible = loaded.feasible_set()
    check_limits(loaded)
    known = loaded.trainer.plugin is None  # what another trainer takes is not
    with calibrating(loaded, feasible) if known and not no_calibrate else nullcontext() as measuring:
        forecast = None if measuring is None else measuring.forecast()
        shared = sharing_here(loaded, forecast) if known else None
        facts = {
            **summarize(loaded, feasible),
            "training_flops": training_flops(loaded),
            "gpu_bytes": gpu_bytes(loaded, feasible) if known else None,
            "gpu_sharing": shared and shared._asdict(),
            "forecast": forecast,
        }
    options.show(as_json, facts, lambda: plan_words(facts, None if wide else options.columns()), wide=wide)


@commands.command()
@options.folder_argument
@click.option("--now", is_flag=True, help="interrupt the trials; they go on from their last epoch later")
@options.json_option
def stop(folder: Path, now: bool, as_json: bool) -> None:
    """Let the run of a folder end its running trials and stop; with --now at once."""
    from resnext_search.search.cli.text import stop_words
    from resnext_search.search.lifecycle.control import stop_study

    facts = stop_study(folder, now=now)
    options.show(as_json, facts, lambda: stop_words(facts))


@commands.command()
@options.folder_argument
@click.option("--failed", is_flag=True, required=True, help="all that have failed")
@options.json_option
def retry(folder: Path, failed: bool, as_json: bool) -> None:
    """Queue the failed trials of a folder again, for the next resume."""
    from resnext_search.search.cli.text import retry_words
    from resnext_search.search.lifecycle.control import retry_failed

    facts = retry_failed(folder)
    options.show(as_json, facts, lambda: retry_words(facts))


@commands.command()
@options.folder_argument
@click.option("--trial", type=int, metavar="N", help="refit this trial (default: the one that `best` names)")
@options.json_option
def refit(folder: Path, trial: int | None, as_json: bool) -> None:
    """Train the best configuration on all but the test images, and save it."""
    from resnext_search.search.lifecycle.refit import refit_study
    from resnext_search.search.monitor.text import refit_words

    facts = refit_study(folder, trial, quiet=as_json)
    options.show(as_json, facts, lambda: refit_words(facts))


@commands.command()
@options.folder_argument
@click.option("--format", "kind", default="onnx", type=click.Choice(["onnx", "safetensors"]), help="default: onnx")
@click.option("--out", type=options.FILE, metavar="FILE", help="file to write (default: DIR/model.onnx)")
@options.json_option
def export_model(folder: Path, kind: Format, out: Path | None, as_json: bool) -> None:
    """Write the network that refit saved for programs without torch."""
    from resnext_search.search.cli.text import model_export_words
    from resnext_search.search.lifecycle import refit as model_export

    facts = model_export.export_model(folder, kind, out)
    options.show(as_json, facts, lambda: model_export_words(facts))
