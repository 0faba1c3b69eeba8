"""How people write numbers in a table: `3.19`, `3,19`, `3.19 %`, `748,000,000`, `4.2G`."""

from __future__ import annotations

import math
import re
from typing import Any

from resnext_search.spaces.study.units import parse_count

_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?\s*%?\s*")
_GROUP_MARKS = ",\u00a0\u202f '’"
# 748,000,000 and 1,234.5; where a comma is decimal, 748.000.000 and 1.234,5
_GROUPED = re.compile(rf"[+-]?[0-9]{{1,3}}(?:[{_GROUP_MARKS}][0-9]{{3}})+(?:\.[0-9]*)?")
_GROUPED_BY_DOTS = re.compile(r"[+-]?[0-9]{1,3}(?:(?:\.[0-9]{3})+,[0-9]+|(?:\.[0-9]{3}){2,})")
# Below it a count is a whole number, unless it was meant in millions.
LEAST_ROUNDED_COUNT = 1e6


def has_decimal_comma(percent: Any) -> bool:
    """Whether a cell in percent has one; in it a comma cannot group thousands.

    >>> has_decimal_comma("3,193"), has_decimal_comma("3.193"), has_decimal_comma(3.193)
    (True, False, False)
    """
    return isinstance(percent, str) and _DECIMAL_COMMA.fullmatch(percent) is not None


def plain(value: Any, *, decimal_comma: bool = False) -> Any:
    """A number's text as Python reads it; what is no text is returned as it came.

    Args:
        value: A cell.
        decimal_comma: Whether the table has decimal commas; a point may then group thousands alone.

    Raises:
        ValueError: There are points and commas, and it is not clear which of them are decimal.

    >>> plain(" 748,000,000 "), plain("1 234.5")
    ('748000000', '1234.5')
    >>> plain("3,19", decimal_comma=True), plain("1.234,5", decimal_comma=True)
    ('3.19', '1234.5')
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not decimal_comma:
        return re.sub(f"[{_GROUP_MARKS}]", "", text) if _GROUPED.fullmatch(text) else text
    if "." in text and not _GROUPED_BY_DOTS.fullmatch(text):
        raise ValueError(text)
    return text.replace(".", "").replace(",", ".")


def whole(value: Any, *, decimal_comma: bool = False) -> int:
    """A whole number as number or text; not by way of a float, which has too few digits for a study's seeds.

    Raises:
        ValueError, TypeError, OverflowError: It is none.

    >>> whole("9007199254740993"), whole("3.0"), whole("3,0", decimal_comma=True)
    (9007199254740993, 3, 3)
    """
    value = plain(value, decimal_comma=decimal_comma)
    try:
        number = int(value)
    except ValueError:  # "3.0"
        number = int(float(value))
    if not isinstance(value, int) and float(value) != float(number):
        raise ValueError(value)
    return number


def count(value: Any, *, decimal_comma: bool = False) -> float:
    """Multiply-adds, parameters or activations, with or without a suffix k, M, G, T, P or E.

    Raises:
        ValueError, TypeError, OverflowError: It is no count: below 1, or so small that it is no whole number.

    >>> count("4.2G"), count("748,000,000"), count(4e6)
    (4200000000.0, 748000000.0, 4000000.0)
    """
    number = float(parse_count(plain(value, decimal_comma=decimal_comma)))
    if not 1 <= number < math.inf or (number < LEAST_ROUNDED_COUNT and not number.is_integer()):
        raise ValueError(value)
    return number
