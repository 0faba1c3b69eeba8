"""`chaos --cluster`: would it notice, what it counts, and what so many kills show."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.reliability import chaos_nodes
from benchmarks.reliability.chaos import COLUMNS, STUDY
from benchmarks.reliability.killing.machines import Machine, NotAllowed
from benchmarks.reliability.killing.quiet import KILLED, QUIET, differing, equal_tables
from benchmarks.reliability.killing.rows import drivers, wrong
from benchmarks.reliability.killing.snapshot import Snapshot
from benchmarks.reliability.killing.study import Losses
from benchmarks.reliability.killing.summary import at_most, of_nodes, of_workers

REFERENCE = Path(__file__).parents[2] / "results" / "reference" / "chaos"

# ------------------------------------------------------------------ what differs from a quiet run


def epochs(*errors: float) -> Snapshot:
    """Of one trial."""
    return Snapshot(
        epochs={
            (0, epoch): {
                "epoch": epoch,
                "learning_rate": 0.1,
                "train_loss": 1.0,
                "validation_loss": 2.0,
                "validation_error": error,
                "seconds": epoch * len(errors),
            }
            for epoch, error in enumerate(errors, 1)
        }
    )


def test_epochs_differ_in_any_bit_of_a_result_but_not_in_their_time() -> None:
    assert differing(epochs(9.0, 8.0), epochs(9.0, 8.0)) == 0
    assert differing(epochs(9.0, 8.0), epochs(9.0, 8.000000000000002)) == 1
    assert differing(epochs(9.0), epochs(9.0, 8.0)) == 1, "one too many"
    assert differing(epochs(9.0, 8.0), Snapshot()) == 1, "all of them missing"


def test_tables_are_equal_but_for_times_and_attempts(tmp_path: Path) -> None:
    for run, seconds in ((QUIET, 5), (KILLED, 7)):
        (tmp_path / run).mkdir()
        (tmp_path / run / "trials.csv").write_text(f"trial,error,seconds,attempts\n0,9.0,{seconds},{seconds}\n")
        for name in ("pareto.csv", "effects.csv"):
            (tmp_path / run / name).write_text("trial\n0\n")
    assert equal_tables(tmp_path) == "equal"
    (tmp_path / KILLED / "pareto.csv").write_text("trial\n1\n")
    assert equal_tables(tmp_path) == "pareto.csv differs"
    (tmp_path / KILLED / "trials.csv").unlink()
    assert equal_tables(tmp_path) == "trials.csv missing"


# ------------------------------------------------------------------ rows and what they show


def test_what_went_wrong_is_counted() -> None:
    losses = Losses(lost={3}, twice={1, 2}, stuck=1)
    losses.drivers.update({"starting": 1, "training": 4})
    assert drivers(losses) == [5, 1, 4, 0]
    trial = {"phase": "search", "state": "completed", "configuration": "a"}
    ended = Snapshot({0: trial, 1: {**trial, "configuration": "b"}}, {(0, 1): {}, (1, 1): {}})
    assert wrong(Losses(), ended, trials=2, epochs=1) == [0, 0, 0, 0]
    queued = Snapshot({0: trial, 1: {**trial, "state": "queued"}}, {(0, 1): {}})
    assert wrong(losses, queued, trials=3, epochs=1) == [1, 2, 2, 3], "a trial and an epoch too few, one twice the same"


@pytest.mark.parametrize(("harmful", "kills", "percent"), [(0, 30, 9.5), (0, 60, 4.9), (1, 30, 14.9), (0, 0, 100.0)])
def test_so_many_kills_leave_possible_what_clopper_and_pearson_say(harmful: int, kills: int, percent: float) -> None:
    assert round(at_most(harmful, kills), 1) == percent


def test_without_a_harmful_kill_it_is_the_rule_of_three() -> None:
    assert at_most(0, 30) == pytest.approx(100 * (1 - 0.05 ** (1 / 30)))
    assert at_most(0, 1000) == pytest.approx(100 * 3 / 1000, rel=0.01)


NODES = f"""{",".join(chaos_nodes.COLUMNS)}
0,2026-12-01,abcdef0,6,120,6,1,4,1,6,3,1,0,0,0,0,0,equal,300
1,2026-12-01,abcdef0,6,120,4,0,4,0,5,2,2,0,0,0,0,0,trials.csv differs,310
"""


def test_the_studies_on_nodes_are_summed_up_in_a_line() -> None:
    head, counts, *shown = of_nodes(pd.read_csv(io.StringIO(NODES))).splitlines()
    found = dict(zip(head.replace("equal tables", "equal").split(), map(int, counts.split()), strict=True))
    expected = {"studies": 2, "trials": 12, "epochs": 240, "driver_kills": 10, "node_kills": 11, "again": 5}
    assert found == {**found, **expected, "most_again": 2, "lost": 0, "equal": 1}
    assert shown == [
        "driver kills: 10; at 95 % at most 25.9 % of such kills lose, repeat or change a trial, or stop the study",
        "node kills: 11; at 95 % at most 23.8 % of such kills lose, repeat or change a trial, or stop the study",
    ]


def test_no_study_yet_shows_nothing() -> None:
    assert "driver kills: 0; at 95 % at most 100.0 %" in of_nodes(pd.read_csv(io.StringIO(NODES.splitlines()[0])))


def test_the_committed_rows_show_no_harm() -> None:
    studies = pd.read_csv(REFERENCE / "studies.csv")
    assert list(studies.columns) == COLUMNS
    assert studies[["lost", "twice", "stuck", "budget", "differ"]].sum().sum() == 0
    assert "driver kills: 220; at 95 % at most 1.4 % of such kills" in of_workers(studies)


def test_the_page_beside_the_rows_says_what_they_say() -> None:
    page = (REFERENCE / "README.md").read_text(encoding="utf-8")
    assert f"```text\n{of_workers(pd.read_csv(REFERENCE / 'studies.csv'))}\n```" in page
    nodes = REFERENCE / "nodes.csv"
    assert not nodes.exists() or f"```text\n{of_nodes(pd.read_csv(nodes))}\n```" in page


# ------------------------------------------------------------------ machines


def test_a_row_that_is_there_is_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos_nodes, "machines_apart", None)  # what would be called
    (tmp_path / "nodes.csv").write_text(NODES)
    chaos_nodes.run_studies(STUDY, range(2), kills=6, node_kills=6, table=tmp_path / "nodes.csv")
    assert (tmp_path / "nodes.csv").read_text() == NODES


def test_where_no_machines_are_allowed_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise NotAllowed("unshare failed: Operation not permitted")

    monkeypatch.setattr(chaos_nodes, "machines_apart", refused)
    with pytest.raises(SystemExit, match=r"NOT RUN: .* share nothing: unshare failed: Operation not permitted"):
        chaos_nodes.run_studies(STUDY, range(1), kills=1, node_kills=1, table=tmp_path / "nodes.csv")


def test_a_machine_ends_with_who_holds_it() -> None:
    started = [
        subprocess.Popen(["sh", "-c", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        for _ in range(2)
    ]
    first, second = (Machine(holder, holder.pid, ["env", "PLACE=there"]) for holder in started)
    assert first.ask("sh", "-c", 'echo "$PLACE" "$PWD"') == "there /\n"
    assert first.command("ls", folder=Path("/tmp"))[-2:] == ["/tmp", "ls"]
    first.shut_down()
    second.kill()
    assert [holder.returncode for holder in started] == [0, -9]
