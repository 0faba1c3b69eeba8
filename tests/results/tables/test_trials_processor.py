"""On what the trials of a table were computed, as far as their journal knows it; and what a verdict makes of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from resnext_search.results import LatencyRow, judge
from resnext_search.results.tables.trials import pareto_table, trials_table
from resnext_search.results.verdict.sources import judge_study
from resnext_search.spaces.errors import UsageError

from tests.support.claims import tune
from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import MACHINE, completed, new_folder, point, started
from tests.support.tables import spend_table

GPU = replace(MACHINE, gpu="NVIDIA H200", driver="570.86")
NOTE = "kinds of processor or GPU"


def test_the_processor_of_a_trial_is_the_gpu_where_one_trained_it(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        completed(journal, point(0), 12.5, machine=MACHINE)
        completed(journal, point(1), 12.5, machine=GPU)
        completed(journal, point(2), 12.5)
        journal.record_machine(started(journal, point(3)), MACHINE)  # one that runs says it, too
        found = trials_table(journal).processor.fillna("").tolist()
    assert found == ["AMD EPYC (family 25)", "NVIDIA H200", "", "AMD EPYC (family 25)"]


def test_a_verdict_says_that_trials_of_its_study_ran_on_several_kinds(tmp_path: Path) -> None:
    """More cores of the same kind, and trials of which nothing is known, are none."""
    study = tiny_study(TINY_CLAIM)
    _, journal = new_folder(tmp_path, study)

    def notes() -> list[str]:
        verdict = judge_study(journal, trials_table(journal))
        assert verdict is not None
        return [note for note in verdict.notes if NOTE in note]

    with journal:
        tune(study, journal)
        for machine in (MACHINE, replace(MACHINE, cores=64)):
            completed(journal, point(0), 12.5, machine=machine)
        assert notes() == []
        completed(journal, point(0), 12.5, machine=GPU)
        [note] = notes()
    assert "(2 on AMD EPYC (family 25) and 1 on NVIDIA H200)" in note


def test_a_verdict_on_anyones_table_reads_the_column_processor() -> None:
    table = spend_table(base=11.0)
    assert not any(NOTE in note for note in judge(table).notes)
    one = table.assign(processor="AMD EPYC")
    assert judge(one).notes == judge(table).notes
    two = one.assign(processor=["AMD EPYC", " AMD EPYC ", None, "", *["Apple M3"] * (len(one) - 4)])
    shuffled = two.sample(frac=1, random_state=0)
    assert judge(two).to_json() == judge(shuffled).to_json()
    [note] = [note for note in judge(two).notes if NOTE in note]
    assert f"({len(one) - 4} on Apple M3 and 2 on AMD EPYC)" in note


def test_latencies_of_two_models_are_not_compared(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        for index, gpu in enumerate(("NVIDIA A100", "NVIDIA H200")):
            completed(journal, point(index), 20.0 + index, machine=replace(MACHINE, gpu=gpu))
            journal.record_latency(point(index).architecture, LatencyRow(1.0, 0.0), device=gpu, host="here")
        assert trials_table(journal).latency_ms.tolist() == [1.0, 1.0]
        assert len(pareto_table(journal, ["validation_error", "parameters"])) > 0
        with pytest.raises(UsageError, match="latency_ms: measured on NVIDIA A100, NVIDIA H200; those of different"):
            pareto_table(journal, ["validation_error", "latency_ms"])
