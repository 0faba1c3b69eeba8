"""What did "equal complexity" mean in the paper: its tables' figures, as printed, beside exact counts of the same arms.

The published figures are data of this file; everything else is counted. Imports nothing but the counter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from resnext_search.spaces.architecture.architecture import Template
from resnext_search.spaces.architecture.complexity import Complexity, bottleneck_parameters, complexity
from resnext_search.spaces.architecture.names import parse_name

IMAGENET = Template(stem="imagenet", stages=4, resolution=224, classes=1000)
CIFAR = Template()  # CIFAR-10, the layout of the paper's appendix A

# Table 2 looks at one block of the stage conv2: 256 channels in and out, on a map of this side.
CONV2_SIDE = 56
CONV2_CHANNELS = 256


class PaperRow(NamedTuple):
    """One arm of a table.

    Args:
        table: Where it is printed, and where a table holds several comparisons, which of them.
        arm: The arm's name in the table.
        reference: The arm that it is compared with: the first of its comparison.
        published_parameters: To the digits printed; None where the table prints none.
        published_multiply_adds: The paper's FLOPs, to the digits printed; None where the table prints none.
        published_error: Top-1 test error in percent: of ImageNet-1K, or of CIFAR-10 in Table 7. None where the table
            prints none.
        parameters: Counted; for Table 2 the weights of one block, without norms, as there. None if the arm is no
            network of this family.
        multiply_adds: Counted, for one image.
        activations: Counted: outputs of the convolutions, of the stem's max-pool and of the classifier.
        mismatch_percent: Multiply-adds more than the reference's, in percent.
    """

    table: str
    arm: str
    reference: str
    published_parameters: str | None
    published_multiply_adds: str | None
    published_error: float | None
    parameters: int | None
    multiply_adds: int | None
    activations: int | None
    mismatch_percent: float | None


class _Printed(NamedTuple):
    """An arm as it is printed; fields as in `PaperRow`, and the name by which it is counted, if it can be."""

    arm: str
    name: str | None = None
    parameters: str | None = None
    multiply_adds: str | None = None
    error: float | None = None


# Cardinality and bottleneck width of the blocks of Table 2; its caption prints one complexity for all of them.
_TABLE_2 = ((1, 64), (2, 40), (4, 24), (8, 14), (32, 4))
# Each comparison: its arms in the order of the table, the reference first; Table 7's are networks for CIFAR.
# Source: Xie et al. 2017, arXiv:1611.05431, Tables 1, 3, 4 and 7; the complexity of Table 3's arms is in its caption.
_COMPARISONS = {
    "Table 1": (
        _Printed("ResNet-50", "1x64d-50", "25.5 M", "4.1 G"),
        _Printed("ResNeXt-50 (32x4d)", "32x4d-50", "25.0 M", "4.2 G"),
    ),
    "Table 2": tuple(_Printed(f"{groups}x{width}d", None, "~70 k", "~0.22 G") for groups, width in _TABLE_2),
    "Table 3, 50 layers": (
        _Printed("1x64d", "1x64d-50", multiply_adds="~4.1 G", error=23.9),
        _Printed("2x40d", "2x40d-50", multiply_adds="~4.1 G", error=23.0),
        _Printed("4x24d", "4x24d-50", multiply_adds="~4.1 G", error=22.6),
        _Printed("8x14d", "8x14d-50", multiply_adds="~4.1 G", error=22.3),
        _Printed("32x4d", "32x4d-50", multiply_adds="~4.1 G", error=22.2),
    ),
    "Table 3, 101 layers": (
        _Printed("1x64d", "1x64d-101", multiply_adds="~7.8 G", error=22.0),
        _Printed("2x40d", "2x40d-101", multiply_adds="~7.8 G", error=21.7),
        _Printed("4x24d", "4x24d-101", multiply_adds="~7.8 G", error=21.4),
        _Printed("8x14d", "8x14d-101", multiply_adds="~7.8 G", error=21.3),
        _Printed("32x4d", "32x4d-101", multiply_adds="~7.8 G", error=21.2),
    ),
    "Table 4, 1x": (
        _Printed("ResNet-101 (1x64d)", "1x64d-101", multiply_adds="1x", error=22.0),
        _Printed("ResNeXt-101 (32x4d)", "32x4d-101", multiply_adds="1x", error=21.2),
    ),
    "Table 4, 2x": (
        _Printed("ResNet-200 (1x64d)", "1x64d-200", multiply_adds="2x", error=21.7),
        _Printed("ResNet-101 (1x100d)", "1x100d-101", multiply_adds="2x", error=21.3),
        _Printed("ResNeXt-101 (2x64d)", "2x64d-101", multiply_adds="2x", error=20.7),
        _Printed("ResNeXt-101 (64x4d)", "64x4d-101", multiply_adds="2x", error=20.4),
    ),
    "Table 7": (
        _Printed("ResNeXt-29 (8x64d)", "8x64d-29", parameters="34.4 M", error=3.65),
        _Printed("ResNeXt-29 (16x64d)", "16x64d-29", parameters="68.1 M", error=3.58),
        _Printed("Wide ResNet", parameters="36.5 M", error=4.17),
    ),
    "Table 4, half the complexity": (
        _Printed("ResNet-200 (1x64d)", "1x64d-200", multiply_adds="2x", error=21.7),
        _Printed("ResNeXt-101 (32x4d)", "32x4d-101", multiply_adds="1x", error=21.2),
    ),
}


def paper_rows() -> list[PaperRow]:
    """Every arm of the paper's Tables 1, 2, 3, 4 and 7, in their order; a comparison's arms stand together.

    The last comparison is the paper's remark that ResNeXt-101 errs less than ResNet-200 at half the complexity.

    >>> [(row.arm, round(row.mismatch_percent, 1)) for row in paper_rows() if row.table == "Table 3, 50 layers"]
    [('1x64d', 0.0), ('2x40d', 0.9), ('4x24d', 1.7), ('8x14d', 4.4), ('32x4d', 3.5)]
    """
    return [row for table, arms in _COMPARISONS.items() for row in _rows(table, arms)]


def _counted(table: str, arms: Sequence[_Printed]) -> list[Complexity | None]:
    if table == "Table 2":
        return [_block(groups, width) for groups, width in _TABLE_2]
    template = CIFAR if table == "Table 7" else IMAGENET
    return [complexity(template, parse_name(arm.name, template)) if arm.name else None for arm in arms]


def _block(cardinality: int, width: int) -> Complexity:
    """One bottleneck block of the stage conv2, counted as in Table 2: without norms."""
    weights = bottleneck_parameters(cardinality, width, CONV2_CHANNELS)
    outputs = 2 * cardinality * width + CONV2_CHANNELS
    return Complexity(weights * CONV2_SIDE**2, weights, outputs * CONV2_SIDE**2)


def _rows(table: str, arms: Sequence[_Printed]) -> Iterator[PaperRow]:
    counts = _counted(table, arms)
    for arm, counted in zip(arms, counts, strict=True):
        multiply_adds, parameters, activations = (int(count) for count in counted) if counted else (None, None, None)
        mismatch = None
        if multiply_adds is not None and counts[0] is not None:
            mismatch = 100 * (multiply_adds / int(counts[0].multiply_adds) - 1)
        yield PaperRow(
            table=table,
            arm=arm.arm,
            reference=arms[0].arm,
            published_parameters=arm.parameters,
            published_multiply_adds=arm.multiply_adds,
            published_error=arm.error,
            parameters=parameters,
            multiply_adds=multiply_adds,
            activations=activations,
            mismatch_percent=mismatch,
        )
