"""Generated tables of runs, for `fuzz_tables.py`: a clean one, the same in another form, and one of other runs."""

from __future__ import annotations

import random
from collections.abc import Callable

Row = dict[str, str]

ARMS = (
    ["cardinality", "width", "depth"],
    ["cardinality", "width", "depth", "base"],
    ["1x64d-50", "2x40d-50", "32x4d-50"],
    ["1x64d", "32x4d"],
    ["None", "NA", "nan"],
    ["007", "1e3", "True"],
    ["größe", "tiefe"],
    ["wide net", "deep net", "null"],
    ["a, b", "c; d"],
)
FURTHER = ("notes", "Name", "Runtime", "host", "gpu_hours", "commit", "user", "_timestamp", "step", "Tags")
STATES = {
    "completed": ("completed", "COMPLETE", "finished", "Finished", "TrialState.COMPLETE", ""),
    "failed": ("failed", "FAIL", "crashed", "Failed", "TrialState.FAIL"),
}


def clean_rows(chance: random.Random) -> tuple[list[Row], str]:
    """Runs that have a clear word, mostly few: what would settle an open one takes long to find."""
    arms = chance.choice(ARMS)
    seeds = chance.choice((10, 10, 10, 11, 12, 15, 20)) if chance.random() < 0.995 else chance.choice((50, 200))
    level = chance.choice((3.0, 5.0, 8.0, 20.0, 40.0))
    gain = level * chance.choice((0.15, 0.2, 0.3))
    images = chance.choice((0, 0, 10_000, 50_000))
    digits = chance.choice((4, 6)) if not images else 2
    spread = gain * chance.choice((0.05, 0.08))
    shares = chance.random() < 0.5
    first = chance.choice((0, 1, 1_000, 2**40))
    rows: list[Row] = []
    failing = chance.randrange(seeds) if chance.random() < 0.1 and seeds > 10 else None
    counts = chance.random() < 0.5
    for place, arm in enumerate(arms):
        middle = level if place == 0 else level + gain * (1 + 0.2 * place)
        for seed in range(seeds):
            error = chance.gauss(middle, spread)
            error = round(error * images / 100) * 100 / images if images else error
            failed = failing == seed and place == 1
            row = {"arm": arm, "seed": str(first + seed), "test_error": "" if failed else f"{error:.{digits}f}"}
            if shares:
                row |= {"seconds": f"{chance.uniform(100, 900):.3f}", "epochs": "16", "data": "cifar10"}
                row |= {"state": "failed" if failed else "completed"}
            if counts:
                row |= {"multiply_adds": str((4_100_000 if arm != "base" else 2_000_000) + place)}
            rows.append(row)
    return rows, arms[0]


def as_csv(rows: list[Row], separator: str = ",", quote: Callable[[str], bool] = lambda _: False) -> str:
    """As the csv module writes it."""

    def cell(text: str) -> str:
        needs = quote(text) or any(char in text for char in (separator, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if needs or text.startswith("#") else text

    lines = [separator.join(map(cell, rows[0]))]
    lines += [separator.join(cell(text) for text in row.values()) for row in rows]
    return "\n".join(lines) + "\n"


def other_form(chance: random.Random, rows: list[Row]) -> tuple[str, bytes]:
    """The same runs, written by someone else."""
    rows = [dict(row) for row in rows]
    done = set(chance.sample(range(12), chance.choice((1, 1, 2, 2, 3, 5))))
    arms_with_commas = any("," in row["arm"] or ";" in row["arm"] for row in rows)
    separator = chance.choice((";", "\t", "|")) if 0 in done else ","
    if 1 in done:
        chance.shuffle(rows)
    if 2 in done:
        for name in chance.sample(FURTHER, chance.randrange(1, 4)):
            for row in rows:
                row[name] = chance.choice(("", "-", "ok", "3.5", "a b", "é", "nan"))
    if 3 in done:
        names = list(rows[0])
        chance.shuffle(names)
        rows = [{name: row[name] for name in names} for row in rows]
    if 4 in done:
        rows = [_decimal_commas(row) for row in rows]
    if 5 in done:
        for row in rows:
            row["state"] = chance.choice(STATES[row.get("state") or ("completed" if row["test_error"] else "failed")])
    if 6 in done and "multiply_adds" in rows[0]:
        point = "," if 4 in done else "."
        for row in rows:
            count = int(row["multiply_adds"])
            row["multiply_adds"] = chance.choice((f"{count / 1e6:.6f}M".replace(".", point), f"{count}", f" {count} "))
    if 7 in done:
        style = chance.choice((str.upper, str.title, lambda name: f" {name} ", lambda name: name.replace("_", " ")))
        names = [style(name) for name in rows[0]]
        rows = [dict(zip(names, row.values(), strict=True)) for row in rows]
    quoted = chance.random() if 8 in done else 0.0
    lines = as_csv(rows, separator, lambda _: chance.random() < quoted).splitlines()
    lines = _between(chance, lines, separator, done)
    end = chance.choice(("\n", "\r\n", "\r"))
    text = end.join(lines) + (end if chance.random() < 0.8 else "")
    encodings = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
    encoding = chance.choice(encodings) if 11 in done else "utf-8"
    return f"form {sorted(done)} {separator!r} {encoding} commas {arms_with_commas}", text.encode(encoding)


def _decimal_commas(row: Row) -> Row:
    return {name: text.replace(".", ",") if name in ("test_error", "seconds") else text for name, text in row.items()}


def _between(chance: random.Random, lines: list[str], separator: str, done: set[int]) -> list[str]:
    """Lines and cells that say nothing."""
    columns = lines[0].count(separator) + 1
    if 9 in done:
        if chance.random() < 0.3:
            lines = [line + separator for line in lines]
        else:
            lines = lines[:1] + [line + separator * chance.choice((1, 2)) for line in lines[1:]]
    if 10 in done:
        for _ in range(chance.randrange(1, 5)):
            nothing = chance.choice(("", separator * (columns - 1), "  ", "# a comment, with commas; and more", "#"))
            lines.insert(chance.randrange(1, len(lines) + 1), nothing)
        if chance.random() < 0.3:
            lines.insert(chance.randrange(1, len(lines) + 1), lines[0])  # two files were joined
        before = [chance.choice(("# results", "#", "", "# made by sweep 3, do not edit", "Results of sweep 3"))]
        lines = before * chance.randrange(3) + lines
        if chance.random() < 0.3:
            lines.insert(0, f"sep={separator}")
    return lines


def other_runs(chance: random.Random, rows: list[Row]) -> tuple[str, bytes]:
    """Runs that are not those of the clean table, and look as if they were."""
    rows = [dict(row) for row in rows]
    arms = list(dict.fromkeys(row["arm"] for row in rows))
    finished = [row for row in rows if row["test_error"]]
    what = chance.choice(sorted(OTHERS))
    return what, OTHERS[what](chance, rows, arms, finished)


def _scaled(rows: list[Row], which: Callable[[Row], bool]) -> bytes:
    for row in rows:
        if row["test_error"] and which(row):
            row["test_error"] = f"{float(row['test_error']) / 100:.6g}"
    return as_csv(rows).encode()


def _rows_in_shares(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    del arms
    some = {id(row) for row in chance.sample(finished, chance.randrange(1, len(finished)))}
    return _scaled(rows, lambda row: id(row) in some)


def _accuracies(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    del chance, arms
    if max(float(row["test_error"]) for row in finished) >= 50:
        return _scaled(rows, lambda _: True)
    for row in finished:
        row["test_error"] = f"{100 - float(row['test_error']):.6g}"
    return as_csv(rows).encode()


def _column_twice(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    del arms, finished
    name = chance.choice(list(rows[0]))
    spelled = chance.choice((name, f" {name}", name.upper()))
    return as_csv([row | {f"{spelled}\0": row[name]} for row in rows]).replace("\0", "").encode()


def _copied(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    del chance, arms, finished
    shift = 10_000_000
    return as_csv(rows + [row | {"seed": str(int(row["seed"]) + shift)} for row in rows]).encode()


def _no_effect(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    several = chance.sample(arms, chance.randrange(1, len(arms) + 1))
    for arm in several:
        of_arm = [row for row in finished if row["arm"] == arm]
        for row in of_arm:
            row["test_error"] = of_arm[0]["test_error"]
    return as_csv(rows).encode()


def _data_sets(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    del arms, finished
    name = chance.choice(("dataset", "Dataset", "task", "data_set", "benchmark", "split", "test_set", "data"))
    names = chance.choice((("cifar10", "cifar100"), ("mnist", "svhn", "digits"), ("val", "test")))
    return as_csv([row | {name: names[place % len(names)]} for place, row in enumerate(rows)]).encode()


def _cut(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    """Not inside the last cell of a row, whose rest is a number too, nor behind the last run of a seed."""
    del finished
    lines = as_csv(sorted(rows, key=lambda row: int(row["seed"]))).splitlines()
    kept = chance.randrange(2 * len(arms) + 1, len(lines) - 1)
    if chance.random() < 0.5:
        kept -= (kept - 1) % len(arms) == 0
        return "\n".join(lines[:kept]).encode()
    line = lines[kept]
    return "\n".join([*lines[:kept], line[: chance.randrange(1, line.rindex(","))]]).encode()


def _spellings(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    del finished
    arm = chance.choice([arm for arm in arms if arm.swapcase() != arm] or [""])
    change = chance.choice((str.swapcase, str.upper, lambda text: text[:1] + " " + text[1:]))
    for row in [row for row in rows if row["arm"] == arm or not arm][::3]:
        row["arm"] = (change if change(row["arm"]) != row["arm"] else str.swapcase)(row["arm"])
    if not arm:
        for row in rows[::3]:
            row["arm"] = row["arm"][:1] + " " + row["arm"][1:]
    return as_csv(rows).encode()


def _all_in_shares(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    del chance, arms, finished
    return _scaled(rows, lambda _: True)


def _an_arm_in_shares(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    del finished
    arm = chance.choice(arms)
    return _scaled(rows, lambda row: row["arm"] == arm)


def _rows_twice(chance: random.Random, rows: list[Row], arms: list[str], finished: list[Row]) -> bytes:
    del arms, finished
    return as_csv(rows + chance.sample(rows, chance.randrange(1, len(rows)))).encode()


OTHERS: dict[str, Callable[[random.Random, list[Row], list[str], list[Row]], bytes]] = {
    "all in shares": _all_in_shares,
    "an arm in shares": _an_arm_in_shares,
    "rows in shares": _rows_in_shares,
    "accuracies": _accuracies,
    "a column twice": _column_twice,
    "rows twice": _rows_twice,
    "copied under other seeds": _copied,
    "seeds without effect": _no_effect,
    "several data sets": _data_sets,
    "cut": _cut,
    "spellings": _spellings,
}
