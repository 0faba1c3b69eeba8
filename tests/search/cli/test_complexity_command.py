"""`complexity`: what it counts, and what it refuses."""

from __future__ import annotations

import re

import pytest

from tests.support.shell import Shell

# parameters, multiply-adds, activations: published, see tests/spaces/architecture/test_complexity.py; 32x4d-200 was
# counted layer by layer with a program apart from this one, which gives the published numbers of 32x4d-50
COUNTS = {
    ("32x4d-50", "imagenet"): (25_028_904, 4_230_480_872, 14_602_216),
    ("32x4d-101", "imagenet"): (44_177_704, 7_969_997_800, 21_426_152),
    ("32x4d-152", "imagenet"): (59_951_400, 11_709_514_728, 29_855_720),
    ("32x4d-200", "imagenet"): (64_473_384, 15_229_060_072, 42_700_776),
    ("1x64d-29", "cifar10"): (4_914_250, 748_365_834, None),
    ("8x64d-29", "cifar10"): (34_426_698, 5_387_266_058, None),
    ("16x64d-29", "cifar10"): (68_155_210, 10_688_866_314, None),
    ("32x4d-29", "cifar10"): (4_775_754, 774_055_946, None),
    ("8x64d-29", "cifar100"): (34_518_948, None, None),
    ("16x64d-29", "cifar100"): (68_247_460, None, None),
}


@pytest.mark.parametrize(("name", "template"), COUNTS)
def test_complexity_counts_exactly(shell: Shell, name: str, template: str) -> None:
    facts = shell.facts("complexity", name, "--template", template)
    assert (facts["architecture"], facts["template"]) == (name, template)
    for key, count in zip(("parameters", "multiply_adds", "activations"), COUNTS[name, template], strict=True):
        assert count is None or facts[key] == count


def test_complexity_says_which_network_it_counts(shell: Shell) -> None:
    assert shell.done("complexity", "32x4d-50") == (
        "architecture  32x4d-50\n"
        "template      imagenet\n"
        "blocks        [3, 4, 6, 3]\n"
        "group_widths  [4, 8, 16, 32]\n"
        "multiply_adds 4,230,480,872\n"
        "parameters    25,028,904\n"
        "activations   14,602,216\n"
    )


def test_complexity_takes_blocks_and_classes(shell: Shell) -> None:
    facts = shell.facts("complexity", "8x14d-23", "--template", "cifar10", "--blocks", " 2,3, 2", "--classes", "7")
    assert facts["blocks"] == [2, 3, 2]
    ten = shell.facts("complexity", "8x14d-23", "--template", "cifar10", "--blocks", "2,3,2")
    assert ten["parameters"] - facts["parameters"] == 3 * (1024 + 1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["32x4d"], "architecture name '32x4d': not of the form <cardinality>x<width>d-<depth>\nTry 32x4d-50.\n"),
        (["0x4d-50"], "architecture name '0x4d-50': not of the form <cardinality>x<width>d-<depth>\nTry 32x4d-50.\n"),
        (
            ["32x4d-51"],
            "depth 51 does not say how many blocks each stage has; known depths: 50, 101, 152, 200\n"
            "Name it 32x4d-50.\n",
        ),
        (
            ["32x4d-30", "--template", "cifar10"],
            "depth 30 does not say how many blocks each stage has; known depths: 9n + 2; nearest 29 and 38\n"
            "Name it 32x4d-29.\n",
        ),
        (
            ["32x4d-50", "--blocks", "3,4,6"],
            "architecture name '32x4d-50': blocks [3, 4, 6] make 41 layers in 3 stages, not 50 in 4\n"
            "Give the blocks of the 4 stages: --blocks 3,4,6,3.\n",
        ),
        (
            ["32x4d-50", "--blocks", "0,4,6,3"],
            "architecture: cardinality 32, group widths [4, 8, 16, 32] and blocks [0, 4, 6, 3] have a number below 1; "
            "each starts at 1\n",
        ),
        *(
            (
                ["32x4d-50", f"--blocks={text}"],
                f"--blocks {text!r}: not whole numbers with commas between\nFor example --blocks 2,3,2.\n",
            )
            for text in ("", "three", "3,,4", "3,4,6,", "-3,4,6,3", "3.0,4,6,3", "²,4,6,3", "9" * 5_000)
        ),
        (["32x4d-50", "--classes", "0"], "--classes 0: a network tells at least 1 class apart\n"),
        (["32x4d-50", "--classes", "-9"], "--classes -9: a network tells at least 1 class apart\n"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_complexity_says_what_is_wrong(shell: Shell, arguments: list[str], complaint: str) -> None:
    assert shell.refused("complexity", *arguments) == (2, f"resnext-search: {complaint}")


@pytest.mark.parametrize(
    "arguments",
    [
        *("32x4d-50 --blocks 3,4,6,3 --template cifar10", "8x64d-29", "8x64d-29 --blocks 3,3,3", "32x4d-51"),
        *("32x4d-50 --blocks 3,4,6", "32x4d-30 --template cifar10", "resnext26ts", "resnext --blocks 1,1,1,1"),
    ],
)
def test_every_hint_works_when_it_is_typed(shell: Shell, arguments: str) -> None:
    name, *options = arguments.split()
    _, complaint = shell.refused("complexity", name, *options)
    for way in complaint.splitlines()[-1].rstrip(".").split("; or "):
        named = re.fullmatch("(?:Name it|Try) (.*)", way)
        words = (named[1] if named else name + way[way.index(" --") :]).split()
        given = dict(zip(options[::2], options[1::2], strict=True)) | dict(zip(words[1::2], words[2::2], strict=True))
        shell.done("complexity", words[0], *(part for option in given.items() for part in option))
