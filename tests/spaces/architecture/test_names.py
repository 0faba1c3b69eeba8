"""Names of architectures: the paper's, those of other libraries, and hints that work when they are typed."""

from __future__ import annotations

import re

import pytest
from resnext_search.spaces import Architecture, Template
from resnext_search.spaces.architecture.names import parse_name
from resnext_search.spaces.errors import UsageError, shortened

IMAGENET = Template(stem="imagenet", stages=4, resolution=224, classes=1000)
CIFAR = Template()
TEMPLATES = {"imagenet": IMAGENET, "cifar10": CIFAR}


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


@pytest.mark.parametrize(
    "name", ["32\u00d74d-50", "32X4D-50", " 32x4d-50 ", "32x4d\u201350", "ResNeXt-50 (32\u00d74d)"]
)
def test_a_name_is_understood_as_it_is_typeset(name: str) -> None:
    assert parse_name(name, IMAGENET).name == "32x4d-50"


def test_the_depth_step_follows_the_number_of_stages() -> None:
    assert parse_name("2x8d-14", Template(stages=2)).blocks == (2, 2)


def test_given_blocks_replace_the_literature_s() -> None:
    assert parse_name("2x8d-23", CIFAR, blocks=(2, 3, 2)).blocks == (2, 3, 2)
    assert parse_name("2x8d-50", IMAGENET, blocks=(4, 4, 4, 4)).blocks == (4, 4, 4, 4)


@pytest.mark.parametrize(
    "name",
    [
        *("", "32x4d", "32x4-50", "x4d-50", "32 x4d-50", "32x4.5d-50", "32 4 50", "32x4d-50-2"),
        *("0x4d-50", "32x0d-50", "32x4d-0", "-1x4d-50", "1x01d-29"),
        *("²x4d-50", "３２x4d-50", "9" * 5000 + "x4d-50", "32x4d-1234567890"),
    ],
)
def test_a_name_of_another_form_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_name(name, IMAGENET)
    assert str(caught.value) == f"architecture name {shortened(name)!r}: not of the form <cardinality>x<width>d-<depth>"
    assert caught.value.hint == "Try 32x4d-50."


@pytest.mark.parametrize(
    ("name", "template", "message", "hint"),
    [
        (
            "32x4d-51",
            IMAGENET,
            "depth 51 does not say how many blocks each stage has; known depths: 50, 101, 152, 200",
            "Name it 32x4d-50.",
        ),
        (
            "8x64d-30",
            CIFAR,
            "depth 30 does not say how many blocks each stage has; known depths: 9n + 2; nearest 29 and 38",
            "Name it 8x64d-29.",
        ),
        (
            "8x64d-3",
            CIFAR,
            "depth 3 does not say how many blocks each stage has; known depths: 9n + 2; nearest 11 and 20",
            "Name it 8x64d-11.",
        ),
        (
            "32x4d-50",
            Template(stem="imagenet", stages=3),
            "depth 50 does not say how many blocks each stage has; known depths: none",
            "Give the blocks of the 3 stages: --blocks 6,5,5.",
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
    assert caught.value.hint == "Name it 2x8d-20; or give the blocks of the 3 stages: --blocks 3,3,3."


# ------------------------------------------------------------------ names that others gave


@pytest.mark.parametrize(
    ("published", "name"),
    [
        *(("resnext50_32x4d", "32x4d-50"), ("resnext101_32x8d", "32x8d-101"), ("resnext101_64x4d", "64x4d-101")),
        *(("resnet50", "1x64d-50"), ("resnet152", "1x64d-152"), ("wide_resnet50_2", "1x128d-50")),
        *(("tv_resnext50_32x4d", "32x4d-50"), ("gluon_resnext101_64x4d", "64x4d-101"), ("X-101-64x4d", "64x4d-101")),
        *(("resnext101_32x8d_wsl", "32x8d-101"), ("resnext50-32x4d_8xb32_in1k", "32x4d-50")),
        ("timm/resnext101_32x16d.fb_wsl_ig1b_ft_in1k", "32x16d-101"),
        *(("ResNeXt-50 (32x4d)", "32x4d-50"), ("ResNeXt-101, 64x4d", "64x4d-101"), ("ResNeXt101-32x4d", "32x4d-101")),
    ],
)
def test_published_names_of_networks_of_this_family_are_understood(published: str, name: str) -> None:
    assert parse_name(published, IMAGENET) == parse_name(name, IMAGENET)


@pytest.mark.parametrize(
    ("name", "reason", "hint"),
    [
        (
            "resnext26ts",
            "of another family: 'ts' stands for layers that are not counted here",
            "32x4d-26 --blocks 2,2,2,2",
        ),
        ("resnext50d_32x4d", "of another family: 'd' stands for layers that are not counted here", "32x4d-50"),
        ("seresnext50_32x4d", "of another family: 'se' stands for layers that are not counted here", "32x4d-50"),
        (
            "seresnextaa101d_32x8d.sw_in12k",
            "of another family: 'se', 'aa', 'd' stand for layers that are not counted here",
            "32x8d-101",
        ),
        ("skresnext50_32x4d", "of another family: 'sk' stands for layers that are not counted here", "32x4d-50"),
        ("resnext50", "does not say its cardinality and width", "32x4d-50"),
        ("resnet18", "not made of bottleneck blocks, as all networks here are", "1x64d-50"),
    ],
)
def test_a_network_of_another_family_is_told_apart_from_the_plain_one(name: str, reason: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_name(name, IMAGENET)
    assert str(caught.value) == f"architecture name {name!r}: {reason}"
    assert caught.value.hint == f"Try {hint}."


# ------------------------------------------------------------------ hints


def hint_for(name: str, template: Template, blocks: tuple[int, ...] | None) -> str:
    """The hint to a name that is refused; empty if it is not."""
    try:
        parse_name(name, template, blocks)
    except UsageError as error:
        return error.hint
    return ""


def typed(hint: str, name: str, template: Template, blocks: tuple[int, ...] | None) -> list[Architecture]:
    """What a user gets who types, in turn, each of the ways that a hint names."""
    ways = re.split("; or ", hint.rstrip("."))
    made = []
    for way in ways:
        named = re.search(r"(?:Name it|Try) (\S+)", way)
        given = re.search(r"--blocks (\S+)", way)
        other = re.search(r"--template (\S+)", way)
        made.append(
            parse_name(
                named[1] if named else name,
                TEMPLATES[other[1]] if other else template,
                tuple(map(int, given[1].split(","))) if given else blocks,
            )
        )
    return made


@pytest.mark.parametrize("template", [IMAGENET, CIFAR, Template(stages=2), Template(stem="imagenet", stages=3)])
@pytest.mark.parametrize("blocks", [None, (2, 2, 2), (3, 4, 6, 3), (1, 1), (3, 3, 3), (5, 5, 5, 2, 1)])
def test_every_hint_works_when_it_is_typed(template: Template, blocks: tuple[int, ...] | None) -> None:
    names = [f"8x64d-{depth}" for depth in (1, 2, 3, 5, 8, 11, 14, 20, 26, 29, 30, 50, 51, 101, 153, 164, 1_000_001)]
    names += [
        "resnext50_32x4d",
        "resnext26ts",
        "seresnext26d_32x4d",
        "resnet18",
        "wide_resnet101_2",
        "32x4d",
        "resnext",
    ]
    hints = {name: hint for name in names if (hint := hint_for(name, template, blocks))}
    assert len(hints) >= 5
    for name, hint in hints.items():
        assert typed(hint, name, template, blocks), name


@pytest.mark.parametrize(
    ("name", "template", "blocks", "hint"),
    [
        (
            "32x4d-50",
            CIFAR,
            (3, 4, 6, 3),
            "Give the blocks of the 3 stages: --blocks 6,5,5; or count it with --template imagenet.",
        ),
        (
            "8x64d-29",
            IMAGENET,
            None,
            "Give the blocks of the 4 stages: --blocks 3,2,2,2; or count it with --template cifar10.",
        ),
        ("32x4d-50", IMAGENET, (3, 4, 6), "Give the blocks of the 4 stages: --blocks 3,4,6,3."),
        ("32x4d-51", IMAGENET, (3, 4, 6), "Name it 32x4d-50 --blocks 3,4,6,3."),
        ("resnext", CIFAR, (2, 2, 2), "Try 8x64d-20."),
    ],
)
def test_a_hint_names_blocks_or_a_template_that_fit(
    name: str, template: Template, blocks: tuple[int, ...] | None, hint: str
) -> None:
    with pytest.raises(UsageError) as caught:
        parse_name(name, template, blocks)
    assert caught.value.hint == hint
