"""Which test images did a run get right? One bit an image, as text that fits into a table's cell.

Comparing two networks image by image needs all of them: 10,000 images take 1,700 characters.
"""

from __future__ import annotations

import base64
import binascii

import numpy as np
from numpy.typing import NDArray
from resnext_search.spaces.errors import UsageError


def pack_correct(correct: NDArray[np.bool_]) -> str:
    """Put `(images,)`, whether each was recognised, into text: how many, a colon, and the packed bits in base 64.

    >>> pack_correct(np.array([True, False, True]))
    '3:oA=='
    """
    return f"{len(correct)}:{base64.b64encode(np.packbits(correct).tobytes()).decode()}"


def unpack_correct(text: str) -> NDArray[np.bool_]:
    """Inverse of `pack_correct`: `(images,)` array.

    Raises:
        UsageError: The text is not of this form.

    >>> unpack_correct("3:oA==").tolist()
    [True, False, True]
    """
    number, _, bits = text.partition(":")
    try:
        packed = np.frombuffer(base64.b64decode(bits, validate=True), np.uint8)
        count = int(number)
    except (ValueError, binascii.Error):
        packed, count = np.empty(0, np.uint8), -1
    if count < 0 or len(packed) != -(-count // 8):
        raise UsageError(f"correct: {text[:40]!r} is not of the form <images>:<packed bits in base 64>")
    return np.unpackbits(packed, count=count).astype(bool)
