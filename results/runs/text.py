"""Text from a file whose encoding nobody knows: spreadsheets write UTF-16 and the code page of their country, too."""

from __future__ import annotations

import codecs
from pathlib import Path

from resnext_search.spaces.errors import UsageError

# Room for thousands of runs with the answers to 50,000 test images each.
LARGEST_BYTES = 2**26
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as that of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_FILES = (
    (b"PK\x03\x04", "an Excel workbook or another zip"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (b"\x1f\x8b", "compressed (gzip)"),
    (b"PAR1", "a parquet file"),
    (b"SQLite format 3", "an SQLite file"),
)
_TEXT_HINT = "Save it as CSV (UTF-8), with the columns arm, seed and test_error; or name a study folder."


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        UsageError: It cannot be read, or is no text.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise _unreadable(path, str(reason)) from error
    if len(content) > LARGEST_BYTES:
        raise _unreadable(path, f"larger than {LARGEST_BYTES / 2**20:.0f} MiB")
    for beginning, kind in _OTHER_FILES:
        if content.startswith(beginning):
            raise _unreadable(path, f"this is {kind}")
    try:
        text = decoded(content)
    except UnicodeError as error:
        raise _unreadable(path, "broken in the middle of a character; was it cut off?") from error
    if not text.strip():
        raise _unreadable(path, "it is empty")
    if "\0" in text:
        raise _unreadable(path, "this is no text")
    return text


def decoded(content: bytes) -> str:
    """Text by its byte order mark; without one UTF-8, UTF-16, or else the code page of Western Europe.

    Raises:
        UnicodeError: It is cut in the middle of a character.

    >>> [decoded("größe".encode(encoding)) for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252")]
    ['größe', 'größe', 'größe', 'größe', 'größe']
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content.decode(encoding)
    start = content[:200]
    zeros = [start[offset::2].count(0) > len(start) // 4 for offset in (0, 1)]
    if any(zeros):
        return content.decode("utf-16-be" if zeros[0] else "utf-16-le")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252" if not {0x81, 0x8D, 0x8F, 0x90, 0x9D} & set(content) else "latin-1")


def _unreadable(path: Path, why: str) -> UsageError:
    return UsageError(f"{path}: not readable as a table of runs: {why}", hint=_TEXT_HINT)
