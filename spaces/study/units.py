"""How people write numbers in a study file: `8.0M` multiply-adds, a tolerance of `2%`, `2h`, and never `.nan`."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AllowInfNan, BeforeValidator, Strict, WithJsonSchema

_COUNT = re.compile(r"\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*([kMGTPE]?)\s*")
_SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "P": 10**15, "E": 10**18}
# In this order, each at most once.
_UNITS = {"d": 86_400, "h": 3_600, "m(?:in)?": 60, "s": 1}
_TIME = re.compile("".join(rf"(?:([0-9]{{1,9}}(?:\.[0-9]{{1,9}})?)\s*{unit}\s*)?" for unit in _UNITS), re.ASCII)


def parse_count(value: Any) -> Any:
    """Read a count with an optional suffix k, M, G, T, P or E; what is not a whole number is returned as it came.

    >>> parse_count("8.0M"), parse_count("1.5 G"), parse_count(8e6), parse_count(12)
    (8000000, 1500000000, 8000000, 12)
    >>> parse_count("8 apples"), parse_count("0.5"), parse_count("-8M")
    ('8 apples', '0.5', '-8M')
    """
    if isinstance(value, float) and value.is_integer():
        return int(value)
    match = _COUNT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    number = Fraction(match[1]) * _SUFFIXES[match[2]]  # a float would round what is above 2**53
    return int(number) if number.denominator == 1 else value


def parse_bytes(value: Any) -> Any:
    """Read a number of bytes as `parse_count` does, also with a B behind it, and with K for k.

    >>> parse_bytes("1 GB"), parse_bytes("150K"), parse_bytes("2G"), parse_bytes(500), parse_bytes("1GiB")
    (1000000000, 150000, 2000000000, 500, '1GiB')
    """
    if not isinstance(value, str):
        return parse_count(value)
    count = parse_count(value.strip().removesuffix("B").replace("K", "k"))
    return value if isinstance(count, str) else count


def short_count(count: float) -> str:
    """A count of at least 1 in three digits, with a suffix from k to G.

    >>> short_count(4_042_426), short_count(93_838), short_count(950)
    ('4.04M', '93.8k', '950')
    """
    suffix = next((one for one in "GMk" if count >= _SUFFIXES[one]), "")
    return f"{count / _SUFFIXES[suffix]:.3g}{suffix}"


def parse_share(value: Any) -> Any:
    """Read a share written as a percentage, as a fraction; anything else is returned as it came.

    >>> parse_share("2%"), parse_share("0.5 %"), parse_share(0.02), parse_share("two")
    (0.02, 0.005, 0.02, 'two')
    """
    match = re.fullmatch(r"\s*([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*%\s*", value) if isinstance(value, str) else None
    return float(Fraction(match[1]) / 100) if match else value


def parse_seconds(value: Any) -> Any:
    """Read a time written with units as seconds; anything else is returned as it came.

    >>> parse_seconds("2h"), parse_seconds("1 h 30 min"), parse_seconds("1.5d"), parse_seconds("90s"), parse_seconds(90)
    (7200.0, 5400.0, 129600.0, 90.0, 90)
    >>> parse_seconds("soon"), parse_seconds(""), parse_seconds("30m 2h"), parse_seconds("90")
    ('soon', '', '30m 2h', '90')
    """
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        return value
    parts = zip(match.groups(), _UNITS.values(), strict=True)
    return float(sum(Fraction(number) * seconds for number, seconds in parts if number))


# As numbers are written elsewhere: between thousands, and before the decimals.
_THOUSANDS = re.compile(r"([-+]?[1-9][0-9]{0,2})((?:[,'’\s][0-9]{3}){1,6})(\.[0-9]{1,20})?([^0-9]{0,10})")
_WHOLE = re.compile(r"[-+]?[0-9]{1,40}")
_PLAIN = re.compile(r"[-+]?([0-9]{1,40}\.?[0-9]{0,40}|\.[0-9]{1,40})([eE][-+]?[0-9]{1,3})?")
_DECIMAL_COMMA = re.compile(r"([-+]?[0-9]{1,20}),([0-9]{1,20})([^0-9]{0,10})")


def as_number(value: Any, *, whole: bool = False, units: bool = False) -> str | None:
    """How a study file has a number that was written in another way.

    None for what is none, for a part where it has to be `whole`, and for `8.0M` or `2%` where `units` mean nothing.
    Floating-point numbers are known to be numbers, unless one has to be `whole`.

    >>> as_number("1,200"), as_number("12 500"), as_number("0,003"), as_number("12"), as_number("two"), as_number(1.5)
    ('1200', '12500', '0.003', '12', None, None)
    >>> as_number("1,200,000", whole=True), as_number("0,5", whole=True), as_number("8,0M", whole=True, units=True)
    ('1200000', None, '8.0M')
    >>> as_number(400.0, whole=True), as_number("1e3", whole=True), as_number("1.5e0", whole=True)
    ('400', '1000', None)
    """
    text = str(value).strip() if isinstance(value, str) or (whole and isinstance(value, float)) else ""
    if whole and _PLAIN.fullmatch(text) and (number := Fraction(text)).denominator == 1 and abs(number) < 10**15:
        return str(number)
    if found := _THOUSANDS.fullmatch(text):
        text = found[1] + re.sub("[^0-9]", "", found[2]) + (found[3] or "") + found[4]
    elif found := _DECIMAL_COMMA.fullmatch(text):
        text = f"{found[1]}.{found[2]}{found[3]}"
    plain = _WHOLE if whole else _PLAIN
    read = parse_share(parse_seconds(parse_count(text))) if units else text
    return text if plain.fullmatch(text) or not isinstance(read, str) else None


# What the types of pydantic would let through: true as 1, "3" as 3, .nan and .inf.
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), AllowInfNan(False)]


def _number_or_text(number: dict[str, Any], pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [number, {"type": "string", "pattern": pattern}]})


_COUNT_SCHEMA = _number_or_text({"type": "integer", "minimum": 1}, r"^\d+(\.\d+)?\s*[kMGTPE]?$")
_BYTES_SCHEMA = _number_or_text({"type": "integer", "minimum": 1}, r"^\d+(\.\d+)?\s*[kKMGTPE]?B?$")
_SHARE_SCHEMA = _number_or_text({"type": "number", "minimum": 0}, r"^\d+(\.\d+)?\s*%$")
_TIME_SCHEMA = _number_or_text({"type": "number", "exclusiveMinimum": 0}, r"^\s*(\d+(\.\d+)?\s*(d|h|m|min|s)\s*)+$")

Count = Annotated[Whole, BeforeValidator(parse_count), _COUNT_SCHEMA]
Bytes = Annotated[Whole, BeforeValidator(parse_bytes), _BYTES_SCHEMA]
Share = Annotated[Number, BeforeValidator(parse_share), _SHARE_SCHEMA]
Seconds = Annotated[Number, BeforeValidator(parse_seconds), _TIME_SCHEMA]


def in_units(seconds: float) -> str:
    """A time as a study file has it.

    >>> in_units(7200), in_units(5400), in_units(90), in_units(0.5)
    ('2h', '90m', '90s', '0.5s')
    """
    fitting = [(size, unit) for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")) if seconds % size == 0]
    size, unit = next(iter(fitting), (1, "s"))
    return f"{seconds / size:g}{unit}"


def span(low: float, high: float) -> str:
    """Two times as an interval."""
    return f"{duration(low)} to {duration(high)}"


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(42), duration(190), duration(7300)
    ('42 s', '3 min 10 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    if whole < 6000:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
