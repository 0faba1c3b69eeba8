"""Architectures and templates: widths, sides of maps and outputs, as the literature has them."""

from __future__ import annotations

import pytest
from resnext_search.spaces import Architecture, Template
from resnext_search.spaces.errors import UsageError

IMAGENET = Template(stem="imagenet", stages=4, resolution=224, classes=1000)


@pytest.mark.parametrize(
    ("cardinality", "group_widths", "blocks"), [(0, (1, 2), (1, 1)), (1, (0, 2), (1, 1)), (1, (1, 2), (1, -1))]
)
def test_numbers_below_one_are_refused(
    cardinality: int, group_widths: tuple[int, ...], blocks: tuple[int, ...]
) -> None:
    with pytest.raises(UsageError) as caught:
        Architecture(cardinality, group_widths, blocks)
    assert str(caught.value) == (
        f"architecture: cardinality {cardinality}, group widths {list(group_widths)} and blocks {list(blocks)} have a "
        "number below 1; each starts at 1"
    )


def test_widths_and_blocks_of_unlike_length_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        Architecture(2, (4, 8), (1, 1, 1))
    assert str(caught.value) == "architecture: 2 group widths for 3 stages; one of each a stage is needed"


def test_the_paper_s_widths_double_from_stage_to_stage() -> None:
    architecture = Architecture.paper(2, 40, [3, 4, 6, 3])
    assert architecture.group_widths == (40, 80, 160, 320)
    assert architecture.width == 40


@pytest.mark.parametrize(
    ("template", "sides"),
    [
        (Template(resolution=32), [32, 16, 8]),
        (Template(resolution=28, stride=2), [14, 7, 4]),
        (Template(resolution=28, stride=4), [7, 4, 2]),
        (Template(resolution=8), [8, 4, 2]),
        (Template(resolution=8, stride=4, stages=4), [2, 1, 1, 1]),
        (IMAGENET, [56, 28, 14, 7]),
        (Template(stem="imagenet", resolution=225), [57, 29, 15]),
    ],
)
def test_each_stage_but_the_first_halves_the_map_rounding_up(template: Template, sides: list[int]) -> None:
    assert [template.stage_sides(stage)[1] for stage in range(template.stages)] == sides
    assert [template.stage_sides(stage)[0] for stage in range(template.stages)] == [sides[0], *sides[:-1]]


def test_the_block_outputs_are_those_of_table_1() -> None:
    assert [IMAGENET.output_channels(stage) for stage in range(4)] == [256, 512, 1024, 2048]
