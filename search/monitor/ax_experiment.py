"""What does a study look like to Ax? An experiment with the trials that its search learned from, for Ax's own analyses.

The journal stays the truth: the file is made from it, and nothing reads it back. Ax is told what it can know, and the
FLOP band only in words: none of its parameters or constraints can express it, so what Ax itself would propose from the
file is most likely outside. Beside `search/optimizer/ax_method.py` the only file that imports Ax; it takes seconds.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from ax.api.client import Client
from ax.core.data import Data, DataRow
from ax.core.experiment import Experiment
from ax.core.parameter import FixedParameter, Parameter, ParameterType, RangeParameter
from ax.core.search_space import SearchSpace
from resnext_search.results.journal.folder import StudyFolder
from resnext_search.results.journal.journal import Journal
from resnext_search.results.journal.rows import EpochRow, LatencyRow, Trial, last_line
from resnext_search.search.surrogate.seen_trials import seen_trials
from resnext_search.spaces.architecture.complexity import Complexity, complexity
from resnext_search.spaces.search_space.knobs import KNOBS
from resnext_search.spaces.search_space.objectives import ERROR, MEASURED
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.study import Study
from resnext_search.spaces.whole_file import whole_file, writing

# The property of Ax's `Experiment` with the facts that are the study's and not Ax's.
PROPERTY = "resnext_search"


def export_ax(folder: StudyFolder, journal: Journal) -> Path:
    """Write a study as JSON that `ax.api.client.Client.load_from_json_file` opens; returns the file.

    Trials are those that the model of the search sees: its own, and tuning trials inside its space. A completed or
    stopped one has its validation error after every epoch, of unknown noise, and its costs, of which those that are
    counted are exact. A failed one has failed, for Ax too, and one that has not ended is running.

    Raises:
        UsageError: The folder cannot be written.
    """
    logging.getLogger(Client.__module__).setLevel(logging.WARNING)  # it prints how it will propose
    client = Client()
    client.set_experiment(experiment_of(journal))
    client.configure_optimization(", ".join(f"-{name}" for name in journal.study().objectives))
    # nothing but a model, so that the first analysis fits it: the default strategy first waits for proposals of its own
    client.configure_generation_strategy(initialization_budget=0, initialize_with_center=False)
    with writing(folder.ax), whole_file(folder.ax) as draft:
        client.save_to_json_file(str(draft))
    return folder.ax


def experiment_of(journal: Journal) -> Experiment:
    """The study as Ax's `Experiment`, with trials and data; without objectives, which `Client` sets."""
    study, trials = journal.study(), seen_trials(journal)
    experiment = Experiment(
        name=study.name,
        description=_description(study),
        search_space=SearchSpace(list(_parameters(study, [trial.configuration for trial in trials]))),
        properties={PROPERTY: _band(study)},
    )
    epochs, latencies = journal.epochs_of_all(), journal.latencies(trials)
    names: dict[Configuration, str] = {}  # one arm for Ax, however often it is tried
    rows: list[DataRow] = []
    for trial in trials:
        name = names.setdefault(trial.configuration, f"trial-{trial.trial_id:04d}")
        _, index = experiment.attach_trial([{**_values(trial.configuration)}], [name], run_metadata=_facts(trial))
        if trial.state in ("completed", "stopped"):
            counted = complexity(study.network_template(), trial.configuration.architecture)
            told = _outcomes(epochs[trial.trial_id], study.objectives, counted, latencies.get(trial.trial_id))
            rows += [DataRow(index, name, metric, metric, value, error, epoch) for metric, value, error, epoch in told]
    if rows:
        experiment.attach_data(Data(rows))
    for attached, trial in zip(experiment.trials.values(), trials, strict=True):  # with the data that Ax asks for
        if trial.state == "completed":
            attached.mark_completed()
        elif trial.state == "stopped":
            attached.mark_early_stopped()
        elif trial.state == "failed":
            attached.mark_failed(reason=f"{trial.failure_class}: {last_line(trial.failure_message)}")
    return experiment


def _description(study: Study) -> str:
    band = study.band()
    return (
        f"ResNeXt architectures on {study.data.name}, {study.trainer.epochs} epochs a trial; validation_error is in "
        f"percent. Every trial lies inside the FLOP band of {band.low:,} to {band.high:,} multiply-adds. Ax does not "
        f"know of it: {len(study.feasible_set()):,} architectures are inside, and most other points between the limits "
        "of these parameters are not. Trials are numbered as in trials.csv."
    )


def _band(study: Study) -> dict[str, float]:
    """The same for programs."""
    band = study.band()
    return {**asdict(band), "low": band.low, "high": band.high, "architectures": len(study.feasible_set())}


def _parameters(study: Study, tried: Sequence[Configuration]) -> Iterator[Parameter]:
    """Ax's parameters: between the least and the largest value that is feasible or was tried.

    Ranges, also where an axis is a list: of choices Ax takes 1,000 at most, and keeps their order but no distances.
    """
    feasible = study.feasible_set()
    columns = {
        "cardinality": feasible.cardinality,
        "width": feasible.width,
        **{f"blocks_{stage}": blocks for stage, blocks in enumerate(feasible.blocks.T, start=1)},
    }
    limits = {name: (float(values.min()), float(values.max())) for name, values in columns.items()}
    logs = {"cardinality", "width", *(knob.name for knob in study.knobs() if knob.log)}
    limits |= {knob.name: (knob.low, knob.high) for knob in study.knobs()}
    points = [_values(configuration) for configuration in tried]
    for name, ends in limits.items():
        values = [*ends, *(point[name] for point in points)]
        kind = ParameterType.INT if _is_whole(name) else ParameterType.FLOAT
        if min(values) == max(values):
            yield FixedParameter(name, kind, values[0])
        else:
            yield RangeParameter(name, kind, min(values), max(values), log_scale=name in logs)


def _values(configuration: Configuration) -> dict[str, float]:
    """A configuration as values of Ax's parameters; the later stages' widths follow from the first and the band."""
    network = configuration.architecture
    return {
        "cardinality": network.cardinality,
        "width": network.width,
        **{f"blocks_{stage}": blocks for stage, blocks in enumerate(network.blocks, start=1)},
        **{name: round(value) if _is_whole(name) else value for name, value in configuration.knobs},
    }


def _is_whole(name: str) -> bool:
    """Whether a parameter has whole numbers alone, as all of an architecture have."""
    return name not in KNOBS or KNOBS[name].integer


def _facts(trial: Trial) -> dict[str, object]:
    """What `trials.csv` calls the same, and finds the trial there."""
    return {"trial": trial.trial_id, "phase": trial.phase, "arm": trial.arm, "seed": trial.seed}


def _outcomes(
    epochs: Sequence[EpochRow], objectives: Sequence[str], counted: Complexity, latency: LatencyRow | None
) -> Iterator[tuple[str, float, float, int]]:
    """What a trial has told: objective, value, standard error (NaN: not known) and epoch.

    Costs are told with the last epoch: what has no epoch, or another, would be another observation for Ax.
    """
    for row in epochs:
        if row.validation_error is not None:
            yield ERROR, row.validation_error, math.nan, row.epoch
    for name in objectives:
        if name in Complexity._fields:
            yield name, float(getattr(counted, name)), 0.0, epochs[-1].epoch
        elif name in MEASURED and latency is not None:
            yield name, getattr(latency, name), math.nan, epochs[-1].epoch
