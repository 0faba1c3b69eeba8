"""How people write numbers in a table: `3.19`, `3,19`, `3.19 %`, `748,000,000`, `4.2G`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from resnext_search.spaces.study.units import parse_count

_DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?\s*%?\s*")
_GROUP_MARKS = ",\u00a0\u202f '’"
# 748,000,000 and 1,234.5; where a comma is decimal, 748.000.000, 748 000 000 and 1.234,5. No group begins with 0.
_GROUPED = re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:[{_GROUP_MARKS}][0-9]{{3}})+(?:\.[0-9]*)?")
_GROUPED_BY_DOTS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:(?:\.[0-9]{3})+,[0-9]+|(?:\.[0-9]{3}){2,})")
_GROUPED_BY_OTHERS = re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:[{_GROUP_MARKS[1:]}][0-9]{{3}})+(?:,[0-9]*)?")
# 4,100 is 4.1 or 4100; 0,100 and 4,1 are decimal
_ONE_GROUP = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+(?:[eE][+-]?[0-9]+)?\s*[a-zA-Z]?")
_POINT = re.compile(r"[+-]?[0-9]*\.[0-9]+(?:[eE][+-]?[0-9]+)?\s*[%a-zA-Z]?")
# Below it a count is a whole number, unless it was meant in millions.
LEAST_ROUNDED_COUNT = 1e6


def has_decimal_comma(percent: Any) -> bool:
    """Whether a cell in percent has one; in it a comma cannot group thousands.

    >>> has_decimal_comma("3,193"), has_decimal_comma("3.193"), has_decimal_comma(3.193)
    (True, False, False)
    """
    return isinstance(percent, str) and _DECIMAL_COMMA.fullmatch(percent) is not None


def comma_of(percent: Iterable[Any], others: Iterable[Any]) -> bool | None:
    """Whether the commas of a table are decimal; None where it has some that nothing decides.

    Args:
        percent: Its errors, in which a comma cannot group thousands. They decide, if they have commas or points.
        others: Its other numbers, of which only some prove what they are.

    >>> comma_of(["3,193"], []), comma_of(["3.193"], ["4,100"]), comma_of(["3"], ["4,100"])
    (True, False, None)
    >>> comma_of(["3"], ["4,100", "0,125"]), comma_of(["3"], ["4,100", "1,234,567"])
    (True, False)
    """
    percents = list(percent)
    if any(map(has_decimal_comma, percents)):
        return True
    cells = [cell.strip() if isinstance(cell, str) else cell for cell in others]
    if any(map(_has_point, percents)) or any(map(_has_point, cells)):
        return False
    texts = [cell for cell in cells if isinstance(cell, str)]
    unclear = {text for text in texts if _ONE_GROUP.fullmatch(text)}
    if any((_COMMA.fullmatch(text) and text not in unclear) or _GROUPED_BY_DOTS.fullmatch(text) for text in texts):
        return True
    is_grouped = any("," in text and _GROUPED.fullmatch(text) and not _ONE_GROUP.fullmatch(text) for text in texts)
    return None if unclear and not is_grouped else False


def _has_point(cell: Any) -> bool:
    """Whether a number has a decimal point, or was read by something that knew how it is written."""
    return (
        _POINT.fullmatch(cell.strip()) is not None
        if isinstance(cell, str)
        else isinstance(cell, float) and cell == cell
    )


def plain(value: Any, *, decimal_comma: bool | None = False) -> Any:
    """A number's text as Python reads it; what is no text is returned as it came.

    Args:
        value: A cell.
        decimal_comma: Whether the table has decimal commas; a point may then group thousands alone. None if nothing
            says it.

    Raises:
        ValueError: It is not clear which of its points and commas are decimal.

    >>> plain(" 748,000,000 "), plain("1 234.5")
    ('748000000', '1234.5')
    >>> plain("3,19", decimal_comma=True), plain("1.234,5", decimal_comma=True), plain("748 000", decimal_comma=True)
    ('3.19', '1234.5', '748000')
    """
    if not isinstance(value, str):
        return value
    text = value.strip()
    if decimal_comma is None and _ONE_GROUP.fullmatch(text):
        raise ValueError(text)
    if not decimal_comma:
        return re.sub(f"[{_GROUP_MARKS}]", "", text) if _GROUPED.fullmatch(text) else text
    if _GROUPED_BY_OTHERS.fullmatch(text):
        text = re.sub(f"[{_GROUP_MARKS[1:]}]", "", text)
    if "." in text and not _GROUPED_BY_DOTS.fullmatch(text):
        raise ValueError(text)
    return text.replace(".", "").replace(",", ".")


def whole(value: Any, *, decimal_comma: bool | None = False) -> int:
    """A whole number as number or text; not by way of a float, which has too few digits for a study's seeds.

    Raises:
        ValueError, TypeError, OverflowError: It is none.

    >>> whole("9007199254740993"), whole("3.0"), whole("3,0", decimal_comma=True)
    (9007199254740993, 3, 3)
    """
    value = plain(value, decimal_comma=bool(decimal_comma))
    try:
        number = int(value)
    except ValueError:  # "3.0"
        number = int(float(value))
    if not isinstance(value, int) and float(value) != float(number):
        raise ValueError(value)
    return number


def count(value: Any, *, decimal_comma: bool | None = False) -> float:
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
