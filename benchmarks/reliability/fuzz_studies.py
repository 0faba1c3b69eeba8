"""Does any study file whatever end in a traceback, a hang, or a machine without memory?

Makes study files that are broken in every way that was thought of, and some that nobody thought of: shipped ones with
words exchanged, lines moved and characters dropped; trees of hostile values; YAML's own traps; bytes. Every file is
read and its feasible set enumerated, as `plan` does. It must be a study, or be refused with exit code 2 or 3 and a
message.

    python -m benchmarks.reliability.fuzz_studies --files 100000

The n-th file is always the same. A file that is not treated so is kept in `--keep`.
"""

from __future__ import annotations

import copy
import json
import random
import re
import string
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from resnext_search.spaces import Study, load_study
from resnext_search.spaces.errors import ResnextSearchError

from benchmarks.reliability.fuzzing import try_files

SHIPPED = [
    path.read_text(encoding="utf-8")
    for path in sorted(map(Path, map(str, files("resnext_search.spaces").iterdir())))
    if path.suffix == ".yaml"
]
PARSED: list[dict[str, Any]] = [yaml.safe_load(text) for text in SHIPPED]
KEYS = sorted({word for text in SHIPPED for word in re.findall(r"[a-z_]+(?=:)", text)} | set(Study.model_fields))
WORDS = [
    *("0", "-1", "1", "2", "3", "64", "1000000", "9" * 18, "9" * 40, "9" * 400, "1e9", "1e400", "-1e-400", "1e-9"),
    *(
        ".nan",
        ".inf",
        "-.inf",
        "true",
        "no",
        "~",
        "",
        "''",
        "2%",
        "1e9%",
        "-5%",
        "8.0M",
        "1e30M",
        "0x10",
        "1_000",
        "1:30",
    ),
    *("auto", "paper", "matched", "imagenet", "cifar", "none", "ax", "digits", "image_folder", "validation_error"),
    *("[]", "{}", "[1]", "[[1, 1, 1]]", "[[1], 1]", "[1, 1, 1, 1, 1, 1, 1, 1, 1]", "[1000000000, 1, 1]"),
    *("{min: 1}", "{min: 1, max: 3}", "{min: 3, max: 1}", "{min: 1, max: 100000000}", "{min: 1.0e-300, max: 1.0e+300}"),
    *("{listed: [1, 2]}", "{listed: 1}", "{min: 1, max: 64, uniform: true}", "{min: 0.1, max: 1, scale: log}"),
    *("&a 1", "*a", "!!int x", "!!python/object/apply:os.system [touch]", "<<", "{a: {b: [c]}}", "? x", "| x", "> x"),
    *(
        "../../etc/passwd",
        "/",
        "a/b",
        "..",
        "con",
        "\\0",
        "x" * 5_000,
        "\t",
        "é",
        "\u202e",
        "🦆",
        "'\\ud800'",
        '"\\ud800"',
    ),
]
LONGEST_MESSAGE_BYTES = 20_000


def mutated(chance: random.Random) -> str:
    """A shipped study file after one to eight accidents."""
    text = chance.choice(SHIPPED)
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        lines = text.splitlines() or [""]
        at = chance.randrange(len(lines))
        kind = chance.randrange(9)
        if kind == 0:
            lines[at] = re.sub(r":.*", lambda _: f": {chance.choice(WORDS)}", lines[at], count=1)
        elif kind == 1:
            words = re.findall(r"[\w.%]+", lines[at]) or [""]
            lines[at] = lines[at].replace(chance.choice(words), chance.choice(WORDS + KEYS), 1)
        elif kind == 2:
            numbers = re.findall(r"\d+", lines[at]) or ["0"]
            lines[at] = lines[at].replace(chance.choice(numbers), str(int(10 ** chance.uniform(-1, 12))), 1)
        elif kind == 3:
            lines[at] = " " * chance.randrange(6) + lines[at].lstrip()
        elif kind == 4:
            lines.insert(chance.randrange(len(lines)), lines[at])
        elif kind == 5:
            del lines[at]
        elif kind == 6:
            lines.insert(at, f"{' ' * chance.choice([0, 2])}{chance.choice(KEYS)}: {chance.choice(WORDS)}")
        elif kind == 7:
            other = chance.choice(SHIPPED).splitlines()
            lines[at] = chance.choice(other)
        else:
            place = chance.randrange(len(lines[at]) + 1)
            character = chance.choice("{}[]:,-#&*!|>'\"%@`\\\x00\x85\u2028\ufeffé\r\t")
            lines[at] = lines[at][:place] + character + lines[at][place + chance.randrange(2) :]
        text = "\n".join(lines) + "\n"
    return text


def value(chance: random.Random, depth: int = 0) -> Any:
    """A tree of anything."""
    kind = chance.randrange(9 if depth < 4 else 7)
    if kind == 0:
        return chance.choice([None, True, False, "", 0, -1, 1, 0.0, -0.0, float("nan"), float("inf")])
    if kind == 1:
        return chance.randrange(-(2 ** chance.randrange(1, 200)), 2 ** chance.randrange(1, 200))
    if kind == 2:
        return chance.choice([-1, 1]) * 10.0 ** chance.uniform(-320, 308)
    if kind == 3:
        return chance.choice(WORDS)
    if kind == 4:
        return chance.randrange(1, 20)
    if kind == 5:
        return chance.choice(KEYS)
    if kind == 6:
        return "".join(chance.choice(string.printable) for _ in range(chance.randrange(12)))
    if kind == 7:
        return [value(chance, depth + 1) for _ in range(chance.choice((0, 1, 2, 3, 3, 4, 30)))]
    return {chance.choice([*KEYS, "x", ""]): value(chance, depth + 1) for _ in range(chance.randrange(6))}


def hostile(chance: random.Random) -> str:
    """A sound study with values of any kind in some of its places."""
    raw = copy.deepcopy(chance.choice(PARSED))
    for _ in range(chance.choice((1, 1, 2, 3))):
        section = chance.choice(sorted(Study.model_fields))
        inner = raw.get(section)
        if isinstance(inner, dict) and inner and chance.random() < 0.8:
            inner[chance.choice([*inner, *KEYS])] = value(chance, 1)
        else:
            raw[section] = value(chance)
    return json.dumps(raw) if chance.random() < 0.5 else str(yaml.safe_dump(raw, allow_unicode=True))


def plausible(chance: random.Random) -> str:
    """A study of a size that nobody has thought of: many are sound, and their feasible sets large, small or empty."""

    def size(most: float) -> int:
        return max(1, int(10 ** chance.uniform(0, most)))

    stages = chance.randrange(1, 7)
    raw: dict[str, Any] = {
        "name": "plausible",
        "data": {"name": chance.choice(["digits", "cifar10", "cifar100"])},
        "template": {"stem": "cifar", "stride": chance.choice([1, 2]), "planes": 4 * size(2.5), "stages": stages},
        "budget": {"tolerance": f"{chance.choice([0.1, 1, 2, 5, 20, 50])}%"},
        "axes": {
            "cardinality": sorted({size(2.5) for _ in range(chance.randrange(1, 20))}),
            "width": {"min": 1, "max": size(4)},
            "blocks": {"min": 1, "max": size(1.5), "uniform": chance.random() < 0.3},
            "learning_rate": {"min": 0.001, "max": 10 ** chance.uniform(-2.9, 2), "scale": "log"},
        },
        "search": {"trials": size(5)},
    }
    if chance.random() < 0.7:
        like = {"cardinality": size(1.5), "width": size(2), "blocks": [size(1) for _ in range(stages)]}
        raw["budget"]["like"] = like
    else:
        raw["budget"]["multiply_adds"] = size(13)
    if chance.random() < 0.3:
        raw["template"]["width_rule"] = chance.choice(["paper", "matched"])
    if chance.random() < 0.3:
        base = {"cardinality": 1, "width": size(2), "blocks": [size(1) for _ in range(stages)]}
        raw["claim"] = {"kind": chance.choice(["spend", "trade"]), "base": base, "seeds": 5 * size(2)}
    return str(yaml.safe_dump(raw))


def trap(chance: random.Random) -> str:
    """What a parser may fall into: depth, aliases, endless lines, very many keys."""
    size = chance.choice((10, 100, 1_000, 10_000, 60_000))
    return chance.choice(
        [
            "[" * size,
            "{a: " * (size // 4),
            "- " * (size // 2),
            "a:\n" + "".join(f"{' ' * depth}b:\n" for depth in range(min(size, 400))),
            "a: &a [x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(min(size, 2_000))),
            "<<: {a: 1}\n" * min(size, 3_000),
            "".join(f"k{n}: {n}\n" for n in range(min(size, 6_000))),
            "name: " + "x" * size,
            "axes: {cardinality: [" + ", ".join(map(str, range(1, min(size, 9_000)))) + "]}",
            SHIPPED[0] + "# " + "é" * size,
            SHIPPED[0].replace("\n", "\r\n" if size > 100 else "\r"),
            "---\n" + SHIPPED[0] + "---\n" + SHIPPED[0],
            "%YAML 1.1\n---\n" + SHIPPED[0],
            "? [a, b]\n: c\n" * min(size, 1_000),
            "'" * size,
            '"' + "\\" * size,
            "a: |\n" + " x\n" * min(size, 20_000),
            "seed: " + "9" * size,
        ]
    )


def study_file(number: int) -> bytes:
    """The n-th file."""
    chance = random.Random(f"study {number}")
    kind = chance.random()
    if kind < 0.5:
        content = mutated(chance).encode("utf-8", "surrogatepass")
    elif kind < 0.8:
        content = hostile(chance).encode("utf-8", "surrogatepass")
    elif kind < 0.9:
        content = plausible(chance).encode()
    elif kind < 0.95:
        content = trap(chance).encode()
    else:
        content = bytearray(mutated(chance).encode())
        for _ in range(chance.randrange(1, 20)):
            content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content)


def outcome(path: Path) -> str:
    """What becomes of a file: `study`, or the exit code of its refusal."""
    try:
        study = load_study(path)
        assert len(study.feasible_set()) > 0
        return "study"
    except ResnextSearchError as error:
        refusal = error
    message = f"{refusal}\n{refusal.hint}"
    if refusal.exit_code not in (2, 3) or not str(refusal).strip() or len(message.encode()) > LONGEST_MESSAGE_BYTES:
        raise RuntimeError(f"exit code {refusal.exit_code}, {len(message):,} characters: {message[:200]}")
    return f"exit {refusal.exit_code}"


def main() -> None:
    """Try files; prints what became of them, the slowest, and the most memory that there was in use."""

    def tried(number: int, path: Path) -> str:
        path.write_bytes(study_file(number))
        return outcome(path)

    try_files(study_file, tried, suffix=".yaml", words=__doc__.splitlines()[0] if __doc__ else "")


if __name__ == "__main__":
    main()
