"""Names, depths and blocks of architectures, as the literature has them."""

from __future__ import annotations

import pytest
from resnext_search.spaces import Architecture, Template
from resnext_search.spaces.architecture.architecture import parse_name
from resnext_search.spaces.errors import UsageError

IMAGENET = Template(stem="imagenet", stages=4, resolution=224, classes=1000)
CIFAR = Template()


@pytest.mark.parametrize(
    ("name", "blocks"),
    [
        ("32x4d-50", (3, 4, 6, 3)),
        ("32x4d-101", (3, 4, 23, 3)),
        ("32x4d-152", (3, 8, 36, 3)),
        ("32x4d-200", (3, 24, 36, 3)),
    ],
)
def test_an_imagenet_name_has_the_blocks_of_the_literature(name: str, blocks: tuple[int, ...]) -> None:
    architecture = parse_name(name, IMAGENET)
    assert architecture == Architecture(32, (4, 8, 16, 32), blocks)
    assert architecture.name == name


@pytest.mark.parametrize(("depth", "per_stage"), [(11, 1), (20, 2), (29, 3), (38, 4), (56, 6), (110, 12), (164, 18)])
def test_a_cifar_depth_is_nine_n_plus_two(depth: int, per_stage: int) -> None:
    architecture = parse_name(f"8x64d-{depth}", CIFAR)
    assert architecture.blocks == (per_stage,) * 3
    assert architecture.depth == depth


def test_a_name_round_trips_in_either_case() -> None:
    assert parse_name("8X64D-29", CIFAR).name == "8x64d-29"


def test_the_depth_step_follows_the_number_of_stages() -> None:
    assert parse_name("2x8d-14", Template(stages=2)).blocks == (2, 2)


def test_given_blocks_replace_the_literature_s() -> None:
    assert parse_name("2x8d-23", CIFAR, blocks=(2, 3, 2)).blocks == (2, 3, 2)
    assert parse_name("2x8d-50", IMAGENET, blocks=(4, 4, 4, 4)).blocks == (4, 4, 4, 4)


@pytest.mark.parametrize(
    "name",
    [
        *("", "32x4d", "32x4-50", "x4d-50", "32x4d-50 ", " 32x4d-50", "32x4.5d-50", "32 4 50", "32x4d-50-2"),
        *("0x4d-50", "32x0d-50", "32x4d-0", "-1x4d-50", "1x01d-29"),
        *("²x4d-50", "３２x4d-50", "9" * 5000 + "x4d-50", "32x4d-1234567890"),
    ],
)
def test_a_name_of_another_form_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_name(name, IMAGENET)
    assert str(caught.value) == f"architecture name {name!r}: not of the form <cardinality>x<width>d-<depth>"
    assert caught.value.hint == "Try 32x4d-50."


@pytest.mark.parametrize(
    ("name", "template", "message", "hint"),
    [
        (
            "32x4d-51",
            IMAGENET,
            "depth 51 does not say how many blocks each stage has; known depths: 50, 101, 152, 200",
            "Give the blocks of the 4 stages, e.g. --blocks 2,2,2,2.",
        ),
        (
            "8x64d-30",
            CIFAR,
            "depth 30 does not say how many blocks each stage has; known depths: 9n + 2; nearest 29 and 38",
            "Give the blocks of the 3 stages, e.g. --blocks 2,2,2.",
        ),
        (
            "8x64d-3",
            CIFAR,
            "depth 3 does not say how many blocks each stage has; known depths: 9n + 2; nearest 11 and 20",
            "Give the blocks of the 3 stages, e.g. --blocks 2,2,2.",
        ),
        (
            "32x4d-50",
            Template(stem="imagenet", stages=3),
            "architecture name '32x4d-50': blocks [3, 4, 6, 3] make 50 layers in 4 stages, not 50 in 3",
            "Name it 32x4d-50, or give other --blocks.",
        ),
    ],
)
def test_a_depth_without_known_blocks_is_refused(name: str, template: Template, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_name(name, template)
    assert str(caught.value) == message
    assert caught.value.hint == hint


def test_blocks_that_disagree_with_the_depth_are_refused() -> None:
    with pytest.raises(UsageError) as caught:
        parse_name("2x8d-29", CIFAR, blocks=(1, 2, 3))
    assert str(caught.value) == "architecture name '2x8d-29': blocks [1, 2, 3] make 20 layers in 3 stages, not 29 in 3"
    assert caught.value.hint == "Name it 2x8d-20, or give other --blocks."


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
