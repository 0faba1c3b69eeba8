"""Which trials a claim about two spaces needs next, from journals written by hand: nothing is trained here."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.results import Journal, Trial
from resnext_search.results.tables.trials import trials_table
from resnext_search.results.verdict.sources import judge_study
from resnext_search.search.planning.claim_trials import claim_trials, planned_trials
from resnext_search.search.planning.confirmation import enqueue_confirmation, enqueue_to_next_look
from resnext_search.search.planning.plan import summarize
from resnext_search.search.planning.plan_warnings import warnings_of
from resnext_search.search.planning.space_trials import tuned_spaces
from resnext_search.search.planning.tuning_rounds import enqueue_tuning
from resnext_search.search.planning.workload import loads
from resnext_search.spaces import Study
from resnext_search.spaces.claim.populations import populations, space_of
from resnext_search.spaces.claim.seeds import network_seed, tuning_seed

from tests.support.claims import GOOD_RATES, end_confirmation, end_tuning, rate_of
from tests.support.helpers import TINY_SPACES, tiny_study
from tests.support.journals import new_folder


@pytest.fixture
def study() -> Study:
    return tiny_study(*TINY_SPACES)


@pytest.fixture
def journal(study: Study, tmp_path: Path) -> Iterator[Journal]:
    _, journal = new_folder(tmp_path / "study", study)
    with journal:
        yield journal


def tuned(study: Study, journal: Journal) -> None:
    enqueue_tuning(study, journal)
    end_tuning(journal, GOOD_RATES)
    assert enqueue_tuning(study, journal) == 0, "there is one round"


def test_the_networks_that_tune_are_tried_at_every_rate_those_of_one_number_on_one_seed(
    study: Study, journal: Journal
) -> None:
    assert enqueue_tuning(study, journal) == 2 * 3 * 3
    trials = journal.trials(phase="tune")
    assert [trial.arm for trial in trials[:3]] == ["one group/t0", "more groups/t0", "one group/t1"]
    assert {rate_of(trial) for trial in trials} == {0.01, 0.1, 1.0}
    assert {(str(trial.arm)[-1], trial.seed) for trial in trials} == {
        (str(number), tuning_seed(study, number)) for number in range(3)
    }
    assert enqueue_tuning(study, journal) == 0, "they wait: nothing more is needed yet"
    assert enqueue_confirmation(study, journal) == 0


def test_every_network_is_trained_once_on_its_own_seed_at_the_rate_of_the_fit(study: Study, journal: Journal) -> None:
    tuned(study, journal)
    assert enqueue_confirmation(study, journal) == 20
    trials = {str(trial.arm): trial for trial in journal.trials(phase="confirm")}
    for of in populations(study):
        for number, (name, architecture) in enumerate(of.compared.items()):
            assert trials[name].configuration.architecture == architecture
            assert trials[name].seed == network_seed(study, of.name, number)
            assert rate_of(trials[name]) == pytest.approx(0.1, rel=0.01)  # all networks have one curve here
    assert enqueue_confirmation(study, journal) == 0


def test_networks_that_were_trained_keep_their_rates_when_more_are_asked_for(study: Study, journal: Journal) -> None:
    tuned(study, journal)
    enqueue_confirmation(study, journal)
    end_confirmation(journal)
    more = tiny_study(*TINY_SPACES, "claim.seeds=15")
    assert enqueue_confirmation(more, journal) == 10
    assert len({trial.arm for trial in journal.trials(phase="confirm")}) == 30


def test_an_optimum_at_the_edge_widens_the_rates_for_all_and_stays_without_a_confirmation(
    study: Study, journal: Journal
) -> None:
    enqueue_tuning(study, journal)
    for wider in (2, 2, 0):
        waiting = journal.trials(phase="tune", states=["queued"])
        end_tuning(journal, {rate_of(trial): 10 - math.log10(rate_of(trial)) for trial in waiting})
        assert enqueue_tuning(study, journal) == 6 * wider
    assert tuned_spaces(study, journal) is None
    assert enqueue_confirmation(study, journal) == 0
    assert planned_trials(study, journal) == {"tune": 6 * 7, "search": 4, "confirm": 0}
    verdict = judge_study(journal, trials_table(journal))
    assert verdict is not None
    assert verdict.verdict == "invalid"
    assert "The best learning rate of more groups, 10000, is the highest of 7 tried" in " ".join(verdict.reasons)


def test_what_it_takes_is_known_beforehand(study: Study, journal: Journal) -> None:
    assert claim_trials(study) == (18, 20, 0, 0)
    planned = planned_trials(study, journal)
    assert planned == {"tune": 18, "search": 4, "confirm": 20}
    assert [(load.phase, load.trials) for load in loads(study)[1:3]] == [("tune", 18), ("confirm", 20)]
    tuned(study, journal)
    enqueue_confirmation(study, journal)
    assert planned_trials(study, journal) == planned


def test_the_plan_says_what_the_spaces_are_and_what_they_cost(study: Study) -> None:
    claim = summarize(study, study.feasible_set())["claim"]
    one, more = claim["spaces"]
    assert (one["space"], more["space"]) == ("one group", "more groups")
    assert one["networks"] + more["networks"] == len(study.feasible_set())
    costs = [arm["multiply_adds"] for arm in claim["arms"] if arm["arm"].startswith("one group/0")]
    assert one["multiply_adds"] == round(sum(costs) / 10)
    assert claim["tuning"] == {"rates": 3, "second_rates": 0, "second_seeds": 0, "networks": 3}


def test_narrow_networks_are_counted_and_spaces_of_unlike_cost_are_warned_of(study: Study) -> None:
    found = warnings_of(study)
    assert found[0].startswith("7 of the networks of more groups with d below 4 in the first stage")
    assert not any("on average" in warning for warning in found)
    strict = warnings_of(tiny_study(*TINY_SPACES, "claim.tolerance=0.5%"))
    assert "one group costs 0.9 % more than more groups on average, and the verdict allows 0.5 %" in strict[1]


def test_a_study_of_two_spaces_is_judged_at_its_end_and_more_networks_are_a_look_without_a_plan(
    study: Study, journal: Journal
) -> None:
    def error_of(trial: Trial) -> float:
        gain = 8.0 if space_of(str(trial.arm)) == "more groups" else 0.0
        return 20 - gain + int(str(trial.arm)[-1]) / 10

    tuned(study, journal)
    enqueue_to_next_look(study, journal)
    end_confirmation(journal, error_of)
    assert enqueue_to_next_look(study, journal) == 0
    [look] = journal.looks()
    assert (look.seeds, look.word, look.planned) == (10, "supported", True)
