"""What do the rows of a table say against each other?"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import pandas as pd
from resnext_search.results.inference.sample import Run
from resnext_search.results.runs.columns import COUNTS, words_of
from resnext_search.results.runs.complaints import Complaint
from resnext_search.spaces.claim.populations import space_of, spaces_of
from resnext_search.spaces.errors import shortened

# By how many points a test error may differ from the recognised images: tables are rounded to a tenth.
MOST_ROUNDING = 0.1
# As in a study. More names than these are those of runs, and what would settle so many arms takes minutes to find.
MOST_ARMS = 32
# More runs would take gigabytes to draw anew.
MOST_RUNS = 10_000

# A column whose name has one of the first words, and otherwise only the second ones, says of which data a run is.
_OF_DATA = frozenset((
    "ds", "data", "dataset", "datasets", "set", "sets", "corpus",
    "benchmark", "domain", "task", "tasks", "problem", "split", "subset", "partition",
))  # fmt: skip
_BESIDE = frozenset((
    "config", "cfg", "param", "params", "args", "hparams", "hp", "user", "attrs", "test", "eval",
    "evaluation", "val", "validation", "train", "training", "image", "images", "name", "names", "id",
    "used", "dir", "path", "root", "folder",
))  # fmt: skip
# `testset`
_JOINED = re.compile(r"(?:test|eval|evaluation|val|validation|train|training|image)(?=(?:ds|data|datasets?|sets?)$)")
_OF_PLACES = frozenset(("dir", "path", "root", "folder"))


def several_data_sets(table: pd.DataFrame) -> Iterator[Complaint]:
    """Columns that this package does not read, by which the rows are of several data sets, or of several splits.

    A number of its own for every run, or every seed, is no data set: so a scheduler counts its tasks.
    """
    for name in table.columns:
        words = {_JOINED.sub("", word) for word in words_of(name)}
        if name == "data" or not words & _OF_DATA or not words <= _OF_DATA | _BESIDE:
            continue
        written = ["" if cell is None or cell is pd.NA or cell != cell else str(cell).strip() for cell in table[name]]
        if words & _OF_PLACES:  # /scratch/17/cifar10
            written = [re.split(r"[/\\]", text.rstrip("/\\"))[-1] for text in written]
        kinds = {text.casefold(): text for text in reversed(written) if text}
        if len(kinds) > 1 and not _counts_runs(kinds, written, [str(seed) for seed in table["seed"]]):
            first = [repr(shortened(text)) for text in sorted(kinds.values())[:3]]
            more = f" and {len(kinds) - 3:,} more" if len(kinds) > 3 else ""
            yield Complaint(shortened(name), f"{', '.join(first)}{more}", "one data set: judge the rows of each alone")


def _counts_runs(kinds: Iterable[str], written: Sequence[str], seeds: Sequence[str]) -> bool:
    if not all(kind.isdecimal() for kind in kinds):
        return False
    seeds_of = defaultdict(set)
    for kind, seed in zip(written, seeds, strict=True):
        seeds_of[kind].add(seed)
    return max(map(len, seeds_of.values())) == 1


def contradictions(runs: Sequence[Run]) -> list[Complaint]:
    """All of them; of the runs that are evidence, and of the names of all."""
    confirmed = [run for run in runs if run.phase == "confirm"]
    found = [*_sizes(runs), *_look_alikes(runs), *_repeats(runs, confirmed), *_networks(confirmed)]
    return [*found, *_folds(confirmed), *_answers(confirmed)]


def too_many(arms: Collection[str]) -> Iterator[Complaint]:
    """Arms that are to be compared, or spaces."""
    if len(arms) > MOST_ARMS:
        yield Complaint("arm", f"{len(arms):,} names", f"up to {MOST_ARMS} arms, each with several runs")


def _sizes(runs: Sequence[Run]) -> Iterator[Complaint]:
    names = {run.arm for run in runs}
    yield from too_many(spaces_of(names) or names)
    if len(runs) > MOST_RUNS:
        yield Complaint("rows", f"{len(runs):,}", f"up to {MOST_RUNS:,}")


def _look_alikes(runs: Iterable[Run]) -> Iterator[Complaint]:
    """Names of arms, or of their spaces, that a reader would not take for different ones: they were meant to be one."""
    rows = Counter(run.arm for run in runs)
    if spaces_of(rows):
        rows = Counter(space_of(run.arm) or run.arm for run in runs)
    alike: dict[str, list[str]] = defaultdict(list)
    drawn = Counter(unicodedata.normalize("NFC", arm) for arm in rows)
    for arm in sorted(rows):
        alike[_as_seen(arm)].append(arm)
    for names in alike.values():
        if len(names) > 1:
            found = " and ".join(f"{_quoted(name, drawn)} ({rows[name]} rows)" for name in names[:4])
            yield Complaint("arm", found, "names that differ by more than case and spaces")


def _as_seen(name: str) -> str:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return "".join(char for char in folded if not char.isspace() and unicodedata.category(char) != "Cf")


def _quoted(name: str, drawn: Mapping[str, int]) -> str:
    """So that spaces which nobody sees, or takes for others, are seen, and letters of which two kinds look the same."""
    is_plain = name.replace(" ", "").isprintable() and drawn[unicodedata.normalize("NFC", name)] == 1
    return repr(shortened(name)) if is_plain else ascii(name[:60])


def _repeats(runs: Iterable[Run], confirmed: Iterable[Run]) -> Iterator[Complaint]:
    for (arm, seed), times in sorted(Counter((run.arm, run.seed) for run in confirmed).items()):
        if times > 1:
            yield Complaint("seed", f"{times} runs of arm {shortened(arm)} have seed {seed}", "one each")
    tuned = Counter((run.arm, run.seed, run.learning_rate) for run in runs if run.phase == "tune" and run.learning_rate)
    for (arm, seed, rate), times in sorted(tuned.items()):
        if times > 1:
            found = f"{times} tuning trials of arm {shortened(arm)} have rate {rate:g} and seed {seed}"
            yield Complaint("learning_rate", found, "one each")


def _networks(confirmed: Sequence[Run]) -> Iterator[Complaint]:
    """An arm is one network with one learning rate."""
    by_arm: dict[str, list[Run]] = defaultdict(list)
    for run in confirmed:
        by_arm[run.arm].append(run)
    for arm, of in sorted(by_arm.items()):
        rates = {run.learning_rate for run in of if run.learning_rate is not None}
        if len(rates) > 1:
            found = f"{_listed(f'{rate:g}' for rate in sorted(rates))} in the runs of arm {shortened(arm)} that confirm"
            yield Complaint("learning_rate", found, "one an arm")
        for column in (*COUNTS, "architecture"):
            values = sorted({getattr(run, column) for run in of} - {None})
            if len(values) > 1:
                words = _listed(f"{value:,.0f}" if column in COUNTS else shortened(value) for value in values)
                yield Complaint(column, f"{words} in arm {shortened(arm)}", "one value an arm, which is one network")


def _folds(runs: Sequence[Run]) -> Iterator[Complaint]:
    """Runs of one fold have the same test images, and the runs of one seed the same fold, but those of networks."""
    folds = {run.fold for run in runs}
    without = sum(run.fold is None for run in runs)
    if None in folds and len(folds) > 1:
        yield Complaint(
            "fold", f"empty in {without} of {len(runs)} runs", "a fold for every run that confirms, or for none"
        )
    # where a network has one run, no run has a partner
    names = Counter(run.arm for run in runs)
    of_networks = bool(spaces_of(names)) and max(names.values()) == 1
    of_seeds: dict[int, set[int]] = defaultdict(set)
    sizes: dict[int | None, set[int]] = defaultdict(set)
    for run in runs:
        if run.fold is not None and not of_networks:
            of_seeds[run.seed].add(run.fold)
        if run.correct is not None:
            sizes[run.fold].add(len(run.correct))
    for seed, of in sorted(of_seeds.items()):
        if len(of) > 1:
            yield Complaint("fold", f"{_listed(map(str, sorted(of)))} for seed {seed}", "one fold a seed, in all arms")
    for fold, images in sorted(sizes.items(), key=lambda item: -1 if item[0] is None else item[0]):
        if len(images) > 1:
            whose = "all runs" if fold is None else f"all runs of fold {fold}"
            yield Complaint("correct", f"{_listed(map(str, sorted(images)))} images", f"the same for {whose}")


def _answers(runs: Iterable[Run]) -> Iterator[Complaint]:
    for run in runs:
        if run.correct is None or run.test_error is None:
            continue
        counted = 100 * (1 - float(run.correct.mean())) if len(run.correct) else math.nan
        if not abs(counted - run.test_error) <= MOST_ROUNDING:
            yield Complaint(
                "correct",
                f"{counted:.2f} % wrong in the run of arm {shortened(run.arm)} with seed {run.seed}, "
                f"whose test_error is {run.test_error:g}",
            )


def _listed(words: Iterable[str]) -> str:
    listed = list(words)
    return ", ".join(listed[:4]) + (f" and {len(listed) - 4:,} more" if len(listed) > 4 else "")
