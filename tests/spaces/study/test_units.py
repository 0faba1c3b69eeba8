"""Numbers as people write them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from resnext_search.spaces.study.units import Bytes, Count, Number, Share, Whole, parse_count, parse_share


@pytest.mark.parametrize(
    ("written", "count"),
    [
        ("8.0M", 8_000_000),
        ("8M", 8_000_000),
        (" 4.1 G ", 4_100_000_000),
        ("1.5k", 1500),
        ("2T", 2 * 10**12),
        ("12", 12),
        (12, 12),
        (8e6, 8_000_000),
        ("1.005M", 1_005_000),  # as floats 1004999.9999999999
        ("9007199254740993", 2**53 + 1),  # the first that a float rounds
        ("9007199.254740993G", 9_007_199_254_740_993),
    ],
)
def test_counts_are_read_exactly(written: object, count: int) -> None:
    assert TypeAdapter(Count).validate_python(written) == count


@pytest.mark.parametrize(
    "written", ["8 apples", "-8M", "8m", "8e6M", "0.5", "1.2345k", "", "M", "1,000", "８M", 0.5, True, None, [8], ".5M"]
)
def test_what_is_not_a_whole_number_is_no_count(written: object) -> None:
    assert parse_count(written) == written
    with pytest.raises(ValidationError):
        TypeAdapter(Count).validate_python(written)


@pytest.mark.parametrize(
    ("written", "share"), [("2%", 0.02), (" 0.5 % ", 0.005), ("100%", 1.0), (0.02, 0.02), (0, 0.0), ("7%", 0.07)]
)
def test_percentages_are_shares(written: object, share: float) -> None:
    assert TypeAdapter(Share).validate_python(written) == share


@pytest.mark.parametrize("written", ["two", "%", "2 percent", "-2%", "2%%", "0.02", "1e-2%", True, None])
def test_what_is_no_percentage_is_no_share(written: object) -> None:
    assert parse_share(written) == written
    with pytest.raises(ValidationError):
        TypeAdapter(Share).validate_python(written)


@pytest.mark.parametrize("kind", [Number, Whole, Count, Share])
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), True])
def test_no_type_takes_nan_infinity_or_a_boolean(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(("kind", "value"), [(Number, "3"), (Whole, "3"), (Whole, 3.0), (Share, "3")])
def test_text_is_no_number(kind: Any, value: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(kind).validate_python(value)


@pytest.mark.parametrize(
    ("written", "count"), [("150K", 150_000), ("1 GB", 10**9), ("1.5MB", 1_500_000), ("12 B", 12), ("2G", 2 * 10**9)]
)
def test_bytes_are_read_as_people_write_them(written: object, count: int) -> None:
    assert TypeAdapter(Bytes).validate_python(written) == count


@pytest.mark.parametrize("written", ["1GiB", "B", "1bB", "half a GB", "0.5B", None])
def test_what_is_no_number_of_bytes_is_refused(written: object) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Bytes).validate_python(written)
