"""The paper's tables beside our counts: published oracles, and what the paper's "equal complexity" was."""

from __future__ import annotations

import json

import pytest
from resnext_search.spaces.architecture.paper import PaperRow, paper_rows

ROWS = {(row.table, row.arm): row for row in paper_rows()}


def row(table: str, arm: str) -> PaperRow:
    return ROWS[table, arm]


def test_the_tables_are_these_in_the_order_of_the_paper() -> None:
    arms: dict[str, list[str]] = {}
    for each in paper_rows():
        arms.setdefault(each.table, []).append(each.arm)
    five = ["1x64d", "2x40d", "4x24d", "8x14d", "32x4d"]
    assert arms == {
        "Table 1": ["ResNet-50", "ResNeXt-50 (32x4d)"],
        "Table 2": five,
        "Table 3, 50 layers": five,
        "Table 3, 101 layers": five,
        "Table 4, 1x": ["ResNet-101 (1x64d)", "ResNeXt-101 (32x4d)"],
        "Table 4, 2x": ["ResNet-200 (1x64d)", "ResNet-101 (1x100d)", "ResNeXt-101 (2x64d)", "ResNeXt-101 (64x4d)"],
        "Table 7": ["ResNeXt-29 (8x64d)", "ResNeXt-29 (16x64d)", "Wide ResNet"],
        "Table 4, half the complexity": ["ResNet-200 (1x64d)", "ResNeXt-101 (32x4d)"],
    }
    assert len(ROWS) == len(paper_rows())


@pytest.mark.parametrize(
    ("table", "arm", "parameters", "multiply_adds"),
    [
        ("Table 1", "ResNet-50", 25_557_032, 4_089_185_256),
        ("Table 1", "ResNeXt-50 (32x4d)", 25_028_904, 4_230_480_872),
        ("Table 3, 50 layers", "2x40d", 25_425_000, 4_124_509_160),
        ("Table 3, 50 layers", "4x24d", 25_292_968, 4_159_833_064),
        ("Table 3, 50 layers", "8x14d", 25_603_016, 4_267_410_408),
        ("Table 3, 101 layers", "1x64d", 44_549_160, 7_801_406_440),
        ("Table 3, 101 layers", "8x14d", 45_104_328, 8_076_872_680),
        ("Table 3, 101 layers", "32x4d", 44_177_704, 7_969_997_800),
        ("Table 4, 2x", "ResNeXt-101 (64x4d)", 83_455_272, 15_460_271_080),
        ("Table 7", "ResNeXt-29 (8x64d)", 34_426_698, 5_387_266_058),
        ("Table 7", "ResNeXt-29 (16x64d)", 68_155_210, 10_688_866_314),
    ],
)
def test_the_counts_are_the_known_ones(table: str, arm: str, parameters: int, multiply_adds: int) -> None:
    found = row(table, arm)
    assert (found.parameters, found.multiply_adds) == (parameters, multiply_adds)


@pytest.mark.parametrize(
    ("table", "mismatches"),
    [
        ("Table 1", [0.0, 3.5]),
        ("Table 3, 50 layers", [0.0, 0.9, 1.7, 4.4, 3.5]),
        ("Table 3, 101 layers", [0.0, 0.5, 1.1, 3.5, 2.2]),
        ("Table 4, 1x", [0.0, 2.2]),
        ("Table 4, 2x", [0.0, 1.8, 0.8, 3.0]),
        ("Table 7", [0.0, 98.4, None]),
        ("Table 4, half the complexity", [0.0, -46.9]),
    ],
)
def test_equal_complexity_was_equal_to_so_many_percent(table: str, mismatches: list[float | None]) -> None:
    found = [each.mismatch_percent for each in paper_rows() if each.table == table]
    assert [None if each is None else round(each, 1) for each in found] == mismatches


def test_a_block_of_table_2_by_hand() -> None:
    """C (256 d + 3·3 d d + d 256) weights, each used once for every pixel of a 56x56 map; C d, C d and 256 outputs."""
    block = row("Table 2", "32x4d")
    assert block.parameters == 32 * (256 * 4 + 9 * 16 + 4 * 256) == 70_144
    assert block.multiply_adds == 70_144 * 56 * 56
    assert block.activations == (128 + 128 + 256) * 56 * 56
    blocks = [each for each in paper_rows() if each.table == "Table 2"]
    assert [each.parameters for each in blocks] == [69_632, 69_760, 69_888, 71_456, 70_144]
    assert all(round((each.multiply_adds or 0) / 1e9, 2) == 0.22 for each in blocks)


def test_what_is_counted_is_what_was_printed() -> None:
    """To the digits printed, rounded or cut off: 25,557,032 stands in Table 1 as 25.5."""
    units = {"k": 1e3, "M": 1e6, "G": 1e9}
    compared = 0
    for each in paper_rows():
        for printed, counted in (
            (each.published_parameters, each.parameters),
            (each.published_multiply_adds, each.multiply_adds),
        ):
            if printed is None or counted is None or printed.endswith("x") or printed.startswith("~"):
                continue
            number, unit = printed.split()
            digit = 10 ** -len(number.partition(".")[2])
            assert abs(counted / units[unit] - float(number)) < digit
            compared += 1
    assert compared == 6


def test_the_reference_is_the_first_arm_and_differs_from_itself_by_nothing() -> None:
    firsts = {each.table: each for each in reversed(paper_rows())}
    for each in paper_rows():
        assert each.reference == firsts[each.table].arm
    assert {first.mismatch_percent for first in firsts.values()} == {0.0}


def test_a_network_of_another_family_is_not_counted() -> None:
    assert row("Table 7", "Wide ResNet") == (
        PaperRow("Table 7", "Wide ResNet", "ResNeXt-29 (8x64d)", "36.5 M", None, 4.17, None, None, None, None)
    )


def test_rows_are_plain_values_that_json_can_write() -> None:
    rows = [each._asdict() for each in paper_rows()]
    assert json.loads(json.dumps(rows)) == rows
