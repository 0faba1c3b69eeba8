"""Which networks stand for two spaces: all of the band, drawn once and for all."""

from __future__ import annotations

import pytest
from resnext_search.spaces import Study
from resnext_search.spaces.claim.arms import claim_arms
from resnext_search.spaces.claim.populations import is_tuned, populations, space_of
from resnext_search.spaces.claim.seeds import network_seed, tuning_seed
from resnext_search.spaces.errors import EmptyFeasibleSet
from resnext_search.spaces.folds import fold_of

from tests.support.helpers import TINY_SPACES, tiny_study


@pytest.fixture
def study() -> Study:
    return tiny_study(*TINY_SPACES)


def test_every_network_lies_in_the_band_and_in_its_space(study: Study) -> None:
    feasible = study.feasible_set()
    one, more = populations(study)
    assert (one.name, more.name) == ("one group", "more groups")
    assert one.size + more.size == len(feasible)
    assert all(each in feasible for of in (one, more) for each in (of.tuned | of.compared).values())
    assert {each.cardinality for each in (one.tuned | one.compared).values()} == {1}
    assert {each.cardinality for each in (more.tuned | more.compared).values()} == {2, 4}


def test_no_network_is_drawn_twice_and_none_that_tunes_is_compared(study: Study) -> None:
    for of in populations(study):
        assert (len(of.tuned), len(of.compared)) == (3, 10)
        assert len({*of.tuned.values(), *of.compared.values()}) == 13


def test_every_network_is_an_arm_with_a_name_that_says_its_space(study: Study) -> None:
    names = [arm.name for arm in claim_arms(study)]
    assert names[:4] == ["one group/t0", "one group/t1", "one group/t2", "one group/000"]
    assert names[-1] == "more groups/009"
    assert {space_of(name) for name in names} == {"one group", "more groups"}
    assert sum(map(is_tuned, names)) == 6
    assert {arm.budget for arm in claim_arms(study)} == {study.band().target}


def test_the_draw_is_frozen_by_the_studys_seed_and_more_networks_leave_the_first_ones(study: Study) -> None:
    more = tiny_study(*TINY_SPACES, "claim.seeds=15")
    for few, many in zip(populations(study), populations(more), strict=True):
        assert few.tuned == many.tuned
        assert list(many.compared.items())[:10] == list(few.compared.items())
    assert populations(tiny_study(*TINY_SPACES, "seed=1")) != populations(study)


def test_spaces_are_named_by_any_axis() -> None:
    spaces = "claim.spaces=[{name: some, blocks: [1, [1, 2, 1], [1, 1, 2]]}, {name: deep, blocks: {min: 2, max: 4}}]"
    some, deep = populations(tiny_study(*TINY_SPACES, spaces, "claim.seeds=5"))
    assert {each.blocks for each in some.compared.values()} <= {(1, 1, 1), (1, 2, 1), (1, 1, 2)}
    assert all(min(each.blocks) >= 2 for each in deep.compared.values())
    narrow, wide = populations(
        tiny_study(*TINY_SPACES, "claim.spaces=[{name: narrow, width: 2}, {name: wide, width: {min: 8, max: 64}}]")
    )
    assert {each.width for each in narrow.compared.values()} == {2}
    assert min(each.width for each in wide.compared.values()) >= 8


def test_a_space_with_too_few_networks_and_spaces_that_overlap_are_refused() -> None:
    spaces = "claim.spaces=[{name: one, cardinality: 1}, {name: some, cardinality: [1, 2]}]"
    with pytest.raises(EmptyFeasibleSet) as error:
        populations(tiny_study(*TINY_SPACES, spaces, "claim.seeds=100"))
    lines = str(error.value).splitlines()
    assert lines[0].startswith("claim.spaces: one has ")
    assert "allowed: at least 103, 3 to tune and 100 to compare" in lines[0]
    assert "claim.spaces: one and some share" in str(error.value)


def test_every_network_has_a_seed_of_its_own_in_the_fold_of_its_number(study: Study) -> None:
    seeds = [network_seed(study, of.name, number) for of in populations(study) for number in range(10)]
    assert len({*seeds, tuning_seed(study, 0)}) == 21
    assert [fold_of(seed) for seed in seeds] == [0, 1, 2, 3, 4] * 4


def test_without_such_a_claim_there_are_no_populations() -> None:
    assert populations(tiny_study()) == ()
    assert space_of("width@4") is None
    assert not is_tuned("width")
