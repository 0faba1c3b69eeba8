"""The verdict of a study's journal and of its CSV file, and an A/A study: two arms that are the same network."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from resnext_search.results import judge
from resnext_search.results.verdict.sources import judge_csv, judge_folder, judge_study
from resnext_search.spaces import Architecture, Configuration, Study
from resnext_search.spaces.errors import UsageError
from resnext_search.spaces.seeds import derive_seed
from resnext_search.trainers import train

from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import new_folder
from tests.support.tables import spend_table, study_table, tuned_twice


def test_a_csv_file_and_the_table_it_was_written_from_have_the_same_verdict(tmp_path: Path) -> None:
    table = study_table(spend_table())
    table.to_csv(tmp_path / "trials.csv", index=False)
    for rules, word in ((1, "supported"), (2, "partly supported")):  # there is no arm `base`
        runs, verdict = judge_csv(tmp_path / "trials.csv", rules=rules)
        assert len(runs) == len(table)
        assert verdict.to_json() == judge(table, rules=rules).to_json()
        assert (verdict.verdict, verdict.rules) == (word, rules)
    assert judge_csv(tmp_path / "trials.csv")[1].rules == 2


def test_seeds_beyond_the_whole_numbers_of_a_float_are_read_as_they_are(tmp_path: Path) -> None:
    """2**63 - 1 and 2**63 - 2 are one float: the runs would be taken for the same seed's."""
    rows = [f"{arm},{2**63 - 1 - seed},{8 + seed / 10}" for arm in ("1x8d", "2x5d") for seed in range(5)]
    (tmp_path / "runs.csv").write_text("\n".join(["arm,seed,test_error", *rows]))
    _, verdict = judge_csv(tmp_path / "runs.csv")
    assert verdict.scale.seeds == (5, 5)


def test_a_row_that_was_cut_off_is_refused_and_not_filled_up(tmp_path: Path) -> None:
    """All but the last cell's end, which cannot be told from a shorter number, and so is of no account in ours."""
    study_table(spend_table()).assign(trial=range(47)).to_csv(tmp_path / "trials.csv", index=False)
    text = (tmp_path / "trials.csv").read_text()
    last = text.rstrip("\n").rindex("\n") + 1
    row, line, cells = text[last:], text.count("\n"), text.partition("\n")[0].count(",") + 1
    for cut in range(1, row.rindex(",") + 1):
        (tmp_path / "cut.csv").write_text(text[: last + cut])
        with pytest.raises(
            UsageError, match=rf"cells: \d+ in line {line}; allowed: {cells}, as the header has; was it cut"
        ):
            judge_csv(tmp_path / "cut.csv")
    (tmp_path / "cut.csv").write_text(text[:last])  # a whole run less is a table of fewer runs
    assert judge_csv(tmp_path / "cut.csv")[1].verdict == "invalid"


def test_the_verdict_is_kept_beside_the_journal(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study(TINY_CLAIM))
    journal.close()
    _, verdict = judge_folder(tmp_path)
    assert json.loads(folder.verdict.read_text()) == verdict.to_json()
    assert (verdict.verdict, verdict.margin) == ("invalid", 5.0)


def whole_study(runs: int) -> pd.DataFrame:
    """The table of a study that has ended: a gain of 0.6 points over both rivals."""
    table = tuned_twice(study_table(spend_table(0.6, runs=runs, base=11.0)))
    return table.assign(trial=range(len(table)))


def claim(text: str) -> Study:
    return tiny_study(f"claim={{kind: spend, base: {{cardinality: 1, width: 4, blocks: [1, 1]}}, margin: 0.3, {text}}}")


def test_a_planned_look_of_a_journal_spends_its_share_and_is_counted(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path, claim("looks: [10, 20]"))
    with journal:
        first = judge_study(journal, whole_study(10))
        journal.record_look(10, "inconclusive", True)
        second = judge_study(journal, whole_study(20))
    assert first is not None
    assert second is not None
    assert (first.look, second.look) == (pytest.approx(0.2375, abs=1e-4), pytest.approx(0.8263, abs=1e-4))
    assert any(note.startswith("Look 1 of 2, planned at 10 and 20 seeds: it may err 24 %") for note in first.notes)
    assert any(note.startswith("Look 2 of 2, planned at 10 and 20 seeds: it may err 83 %") for note in second.notes)


def test_seeds_that_were_added_to_a_study_are_a_look_without_a_plan(tmp_path: Path) -> None:
    """It was begun with 10, judged with them, and continued with 20."""
    _, journal = new_folder(tmp_path, claim("seeds: 20"))
    with journal:
        once = judge_study(journal, whole_study(20))
        journal.record_look(10, "inconclusive", True)
        again = judge_study(journal, whole_study(20))
    assert once is not None
    assert again is not None
    assert not any("planned" in note for note in once.notes)
    assert any("was not planned: the runs were judged at 10 and 20 seeds" in note for note in again.notes)
    assert again.look == 1.0


def test_a_study_without_a_claim_has_no_verdict(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path)
    with journal:
        assert judge_study(journal, whole_study(10)) is None


def test_a_study_of_the_first_rules_is_judged_by_others_after_the_fact_alone(tmp_path: Path) -> None:
    folder, journal = new_folder(tmp_path, tiny_study(TINY_CLAIM, "rules=1"))
    journal.close()
    _, own = judge_folder(tmp_path)
    kept = folder.verdict.read_bytes()
    _, other = judge_folder(tmp_path, rules=2)
    assert folder.verdict.read_bytes() == kept
    assert json.loads(kept) == own.to_json()
    assert (own.rules, other.rules) == (1, 2)
    _, same = judge_folder(tmp_path, rules=1)
    assert same == own


def test_what_is_after_the_fact_says_so_first(tmp_path: Path) -> None:
    _, journal = new_folder(tmp_path, tiny_study(TINY_CLAIM, "rules=1"))
    with journal:
        verdict = judge_study(journal, whole_study(10), rules=2)
    assert verdict is not None
    assert verdict.notes[0] == (
        "Judged by rules 2, after the fact: the study was begun under rules 1, and its own verdict is the one by those "
        "(without --rules)."
    )


@pytest.mark.slow
def test_two_arms_that_are_the_same_network_are_told_apart_by_no_verdict() -> None:
    """Real training on the digits: ten runs an arm, every run with weights, order and augmentation of its own.

    The rules let one study in some fifty of this kind be `supported` by chance; with these seeds it is none.
    """
    study = Study.model_validate(
        {
            "name": "a-a",
            "data": {"name": "digits", "validation_images": 400},
            "template": {"planes": 8, "stages": 2, "stride": 2},
            "budget": {"multiply_adds": 100_000},
            "axes": {"cardinality": [2], "width": [8], "blocks": [1]},
            "trainer": {"epochs": 12, "batch_size": 64, "learning_rate": 0.1},
        }
    )
    configuration = Configuration(Architecture.paper(2, 8, (1, 1)))
    rows = []
    for arm in ("first", "second"):
        for seed in range(10):
            *_, last = train(study, configuration, derive_seed(0, arm, seed), confirm=True)
            rows.append({"arm": arm, "seed": seed, "test_error": last.test_error, "correct": last.test_correct})
    runs = pd.DataFrame(rows)

    verdict = judge(runs, claimant="first", margin=0.5)  # of spaces/fixed_flops.yaml

    assert runs.groupby("arm").test_error.nunique().min() > 3  # the runs do differ
    assert runs.test_error.mean() < 10  # and have learned
    assert verdict.verdict in ("no practical difference", "inconclusive")


def test_the_published_populations_are_judged_again_as_they_were() -> None:
    folder = Path(__file__).parents[3] / "results" / "reference" / "digits_populations"
    published = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    runs, verdict = judge_csv(folder / "trials.csv", margin=0.6)
    found = json.loads(json.dumps(verdict.to_json()))
    names = ("verdict", "kind", "claimant", "scale", "arms", "comparisons", "distributions")
    assert {name: found[name] for name in names} == {name: published[name] for name in names}
    # by hand: the difference of two means
    confirmed = runs[runs.phase == "confirm"].astype({"test_error": float})
    means = [confirmed.test_error[confirmed.arm.str.startswith(space)].mean() for space in ("one group", "more groups")]
    assert found["comparisons"][0]["difference"] == pytest.approx(means[0] - means[1], abs=1e-3)
    assert [arm["runs"] for arm in found["arms"]] == [40, 40]
