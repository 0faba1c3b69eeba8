"""How people write numbers in a study file: `8.0M` multiply-adds, a tolerance of `2%`."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

_SUFFIXES = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def parse_count(value: Any) -> Any:
    """Read a count with an optional suffix k, M, G or T; anything else is returned as it came.

    >>> parse_count("8.0M"), parse_count("1.5 G"), parse_count(12), parse_count("8 apples")
    (8000000, 1500000000, 12, '8 apples')
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kMGT]?)\s*", value) if isinstance(value, str) else None
    return round(float(match[1]) * _SUFFIXES[match[2]]) if match else value


def parse_share(value: Any) -> Any:
    """Read a share written as a percentage, as a fraction; anything else is returned as it came.

    >>> parse_share("2%"), parse_share("0.5 %"), parse_share(0.02), parse_share("two")
    (0.02, 0.005, 0.02, 'two')
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*%\s*", value) if isinstance(value, str) else None
    return float(match[1]) / 100 if match else value


Count = Annotated[
    int,
    BeforeValidator(parse_count),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*[kMGT]?$"}]}
    ),
]
Share = Annotated[
    float,
    BeforeValidator(parse_share),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\d+(\.\d+)?\s*%$"}]}),
]
