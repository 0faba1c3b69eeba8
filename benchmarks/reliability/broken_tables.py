"""Tables of runs that are broken at random, for `fuzz_tables.py`."""

from __future__ import annotations

import random
import string

from benchmarks.reliability.tables import Row, as_csv


def broken(chance: random.Random, rows: list[Row], clean: bytes) -> bytes:
    """Bytes, cells and lines that are anything."""
    kind = chance.randrange(4)
    content = bytearray(clean)
    if kind == 0:
        for _ in range(chance.choice((1, 2, 5, 50))):
            place = chance.randrange(len(content))
            content[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        return bytes(content)
    if kind == 1:
        for _ in range(chance.choice((1, 3, 30, 300))):
            row = chance.choice(rows)
            row[chance.choice(list(rows[0]))] = _anything(chance)
        names, body = as_csv(rows).split("\n", 1)
        if chance.random() < 0.3:
            names = names.replace(chance.choice(list(rows[0])), _anything(chance))
        return f"{names}\n{body}".encode("utf-8", "replace")
    lines = clean.decode().splitlines()
    if kind == 2:
        for _ in range(chance.choice((1, 2, 5, 20))):
            place = chance.randrange(len(lines))
            change = chance.randrange(5)
            if change == 0:
                lines.insert(place, chance.choice(lines))
            elif change == 1 and len(lines) > 1:
                del lines[place]
            elif change == 2:
                lines[place] = lines[place][: chance.randrange(len(lines[place]) + 1)]
            elif change == 3:
                lines[place] += chance.choice(("'", '"', ",", ";", "\t", "#", "\0", "\ufeff", "\u2028", "\\"))
            else:
                cells = lines[place].split(",")
                chance.shuffle(cells)
                lines[place] = ",".join(cells)
        return "\n".join(lines).encode()
    size = chance.choice((0, 1, 10, 1_000, 20_000))
    return chance.choice(
        (
            chance.randbytes(size),
            b'"' * size,
            b"arm,seed,test_error\n" + b"a,0,1\n" * size,
            b"arm,seed,test_error\n" + b"".join(b"a%d,0,x\n" % n for n in range(size)),
            b"arm,seed,test_error\n" + b"".join(b"a%d,0,5\n" % n for n in range(size)),
            b"," * size + b"\n" + clean,
            clean + b'"' + clean,
            clean.replace(b"\n", b"\n\n" * (1 + size // 1_000)),
            "".join(chance.choice(string.printable) for _ in range(size)).encode(),
            b"PK\x03\x04" + chance.randbytes(size),
            clean.decode().encode("utf-16")[:-1],
            b"arm,seed,test_error,correct\n" + b"a,0,5,8:" + b"A" * size + b"\n",
        )
    )


def _anything(chance: random.Random) -> str:
    return chance.choice(
        (
            *(
                "",
                " ",
                "nan",
                "inf",
                "-1",
                "0",
                "1e400",
                "9" * 400,
                "9" * 5_000,
                "0x10",
                "1,5",
                "1.234,5",
                "3.1%",
                "1_0",
            ),
            *("8:gA==", "8:", "-3:AAAA", "search", "tune", "confirm", "COMPLETE", "done", "\0", "\ud800", "\u202e"),
            *("a", "cardinality", "x" * 3_000, "é", "\n", '"', "=1+1", "#", "1" * 20, "12M", "0.5G", "true", "None"),
        )
    )
