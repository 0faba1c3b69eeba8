"""What the command line adds to a study file, and what a study that goes on has from the one that was begun."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from resnext_search.spaces import Study, load_study
from resnext_search.spaces.errors import StudyError
from resnext_search.spaces.study.checks import problems_of_asking
from resnext_search.spaces.study.file import parse_study
from resnext_search.spaces.study.sections import Recipe, Resources
from resnext_search.spaces.study.yaml_reader import read_yaml

SOUND = (Path(__file__).parent / "golden" / "sound_study.yaml").read_text(encoding="utf-8")


def complaint(text: str, *overrides: str) -> StudyError:
    with pytest.raises(StudyError) as caught:
        parse_study(text, "s.yaml", overrides)
    return caught.value


def test_overrides_replace_and_add_in_their_order() -> None:
    overrides = ["search.trials=80", "axes.width={min: 2, max: 4}", "trainer.learning_rate=1e-3", "search.trials=81"]
    found = parse_study(SOUND, "s.yaml", [*overrides, " axes.blocks = [[1, 2, 1]]", "objectives=[validation_error]"])
    assert (found.search.trials, found.axes.width, found.trainer.learning_rate) == (81, (2, 3, 4), 0.001)
    assert found.architecture_axes().blocks == ((1, 2, 1),)


def test_an_override_mends_a_broken_file() -> None:
    broken = SOUND.replace("epochs: 12", "epochs: 0")
    assert parse_study(broken, "s.yaml", ["trainer.epochs=3"]).trainer.epochs == 3
    assert parse_study(broken, "s.yaml", ["trainer={epochs: 4}"]).trainer.epochs == 4


@pytest.mark.parametrize(
    ("override", "message", "hint"),
    [
        (
            "search.trials",
            'command line: "search.trials" is not of the form key=value',
            "For example search.trials=80.",
        ),
        ("", 'command line: "" is not of the form key=value', "For example search.trials=80."),
        ("=3", 'command line: "=3" is not of the form key=value', "For example search.trials=80."),
        (
            "search..trials=3",
            'command line: "search..trials=3" is not of the form key=value',
            "For example search.trials=80.",
        ),
        (
            "search.trials={a",
            'command line: "search.trials={a": value:1:3: not readable as YAML: while parsing a flow mapping, '
            "expected ',' or '}', but got '<stream end>'",
            "Check indentation, quotes and brackets.",
        ),
        (
            "search=[&a 1, *a]",
            'command line: "search=[&a 1, *a]": value:1:8: not readable as YAML: aliases (*name) are not allowed',
            "Write out what *a stands for.",
        ),
        ("search={trials: 3, trials: 4}", 'command line: "search={trials: 3, trials: 4}": trials is given twice', ""),
        (
            "trainer.epochs.first=3",
            'command line: "trainer.epochs.first=3": trainer.epochs holds 12, not keys',
            "Give all of it: trainer.epochs=...",
        ),
        (
            "axes.cardinality.0=3",
            'command line: "axes.cardinality.0=3": axes.cardinality holds [1, 2, 4], not keys',
            "Give all of it: axes.cardinality=...",
        ),
    ],
)
def test_an_override_of_another_form_is_refused(override: str, message: str, hint: str) -> None:
    error = complaint(SOUND, override)
    assert str(error) == message
    assert error.hint == hint


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("search.trials=0", "command line: search.trials: found 0; allowed: at least 1."),
        ("search.trials=", "command line: search.trials: found nothing; allowed: a whole number."),
        (
            "search.trial=3",
            "command line: search.trial: found an unknown key; allowed: trials, parallel, optimizer, early_stopping, "
            "audit. Did you mean search.trials?",
        ),
        ("trainer={epochs: 0}", "command line: trainer.epochs: found 0; allowed: at least 1."),
        (
            "trainer.warmup_epochs=12",
            "command line: trainer.warmup_epochs: found 12; allowed: below trainer.epochs (12). Set "
            "trainer.warmup_epochs to a smaller number, such as 0.",
        ),
        (
            "data.validation_images=1,200",
            'command line: data.validation_images: found "1,200"; allowed: a whole number. Write 1200.',
        ),
        (
            "resources.gpu=2",
            "command line: resources.gpu: found 2; allowed: at most 1. The trainer that is built in uses one GPU: give "
            "1, or less, such as 0.5 for two trials on each.",
        ),
        (
            "claim={kind: trade}",
            "command line: claim.base: found nothing; allowed: an architecture, with kind: trade. Give base: "
            "{cardinality: 1, width: 16, blocks: [1, 1, 1]}.",
        ),
        (
            "claim.kind=trade",
            "command line: claim.base: found nothing; allowed: an architecture, with kind: trade. Give base: "
            "{cardinality: 1, width: 16, blocks: [1, 1, 1]}.",
        ),
    ],
)
def test_a_problem_that_an_override_brings_names_the_command_line(override: str, message: str) -> None:
    assert str(complaint(SOUND, override)) == message


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        *(
            ("Search.trials=3", "search.trials=3"),
            ("SEARCH.TRIALS=3", "search.trials=3"),
            ("trials=3", "search.trials=3"),
        ),
        *(
            ("serach.trails=3", "search.trials=3"),
            ("search.epochs=3", "trainer.epochs=3"),
            ("epoch=3", "trainer.epochs=3"),
            ("colour=3", ""),
        ),
        *(("learning_rate=0.3", "trainer.learning_rate=0.3"), ("axes.seed=3", "seed=3")),
        ("learning_rate={min: 0.1, max: 1}", "axes.learning_rate={min: 0.1, max: 1}"),
        ("axis.learning_rate.max=0.5", "axes.learning_rate.max=0.5"),
        ("claims.base.widht=8", "claim.base.width=8"),
        *((f"{key}=3", "search.trials=3") for key in ("search/trials", "search:trials", "searchtrials")),
        *(
            ("Search-Trails=3", "search.trials=3"),
            ("claim/base/width=8", "claim.base.width=8"),
            ("tol=2%", "budget.tolerance=2%"),
        ),
        *(("trainer.lr=0.1", "trainer.learning_rate=0.1"), ("lr=0.1", "trainer.learning_rate=0.1")),
        *(("budget.flops=8M", "budget.multiply_adds=8M"), ("limits.flops=1e15", "limits.training_flops=1e15")),
    ],
)
def test_a_key_that_was_typed_wrongly_is_named_with_the_one_that_was_meant(override: str, meant: str) -> None:
    """And that one works when it is typed."""
    typed, _, value = override.partition("=")
    lines = str(complaint(SOUND, override)).splitlines()
    assert lines[0].startswith(f"command line: {typed}: found an unknown key; allowed: ")
    guess = re.search(r"Did you mean (.*)\?$", lines[0])
    assert (f"{guess[1]}={value}" if guess else "") == meant
    assert all(line.startswith("command line: ") for line in lines)
    if meant and not meant.startswith("claim."):  # which needs more than one key
        parse_study(SOUND, "s.yaml", [meant])


@pytest.mark.parametrize("epochs", [1, 2, 5, 9])
def test_a_training_of_any_length_needs_no_word_on_its_warm_up(epochs: int) -> None:
    found = parse_study(SOUND, "s.yaml", [f"trainer.epochs={epochs}"]).trainer
    assert (found.epochs, found.warmup_epochs) == (epochs, epochs / 10)
    assert parse_study(SOUND, "s.yaml", ["trainer.epochs=10"]).trainer.warmup_epochs == 1
    assert parse_study(SOUND, "s.yaml", ["trainer.epochs=300"]).trainer.warmup_epochs == 1


# ------------------------------------------------------------------ a study that was begun before


@pytest.mark.parametrize(("written", "begun", "rules"), [("", 1, 1), ("", None, 2), ("rules: 2\n", 1, 2)])
def test_a_study_that_was_begun_keeps_its_rules_unless_its_file_names_some(
    written: str, begun: int | None, rules: int
) -> None:
    asked: list[str] = []

    def begun_before(name: str) -> Study | None:
        asked.append(name)
        return None if begun is None else parse_study(SOUND, "journal.sqlite", [f"rules={begun}"])

    assert parse_study(SOUND + written, "s.yaml", (), begun_before).rules == rules
    assert asked == ["example"]
    assert parse_study(SOUND + written, "s.yaml", ["rules=1"], begun_before).rules == 1


def test_nobody_is_asked_for_the_study_before_one_without_a_name() -> None:
    with pytest.raises(StudyError, match="name: found 12"):
        parse_study(SOUND.replace("name: example", "name: 12"), "s.yaml", (), lambda name: load_study(name))


@pytest.mark.parametrize(
    ("before", "written", "now"),
    [
        ("{epochs: 5, warmup_epochs: 1}", "{epochs: 5}", 1.0),  # the default of every study of older journals
        ("{epochs: 5, warmup_epochs: 1}", "{epochs: 5, warmup_epochs: 0.5}", 0.5),
        ("{epochs: 5, warmup_epochs: 0}", "{epochs: 5}", 0.5),
        ("{epochs: 5, warmup_epochs: 1}", "{epochs: 1}", 0.1),
        ("{epochs: 5, warmup_epochs: 1}", "{epochs: 5, recipe: short}", 1.5),
    ],
)
def test_a_study_that_goes_on_has_the_warm_up_it_was_begun_with_unless_its_file_says_one(
    before: str, written: str, now: float
) -> None:
    begun = parse_study(SOUND, "journal.sqlite", [f"trainer={before}"])
    assert parse_study(SOUND, "s.yaml", [f"trainer={written}"], lambda _: begun).trainer.warmup_epochs == now


def test_a_study_that_was_begun_with_absurd_learning_rates_goes_on() -> None:
    text = SOUND.replace("max: 1,", "max: 1000,")
    begun = Study.model_validate(read_yaml(text, "journal.sqlite").value)
    assert parse_study(text, "s.yaml", (), lambda _: begun) == begun
    complaint(text)


# ------------------------------------------------------------------ what a journal may hold, and nobody may ask for


@pytest.mark.parametrize(
    ("plugin", "gpu", "words"),
    [
        *(
            (None, "auto", []),
            (None, 1.0, []),
            (None, 0.25, []),
            ("mine", 1.0, []),
            ("mine", 0.5, []),
            ("mine", 4.0, []),
        ),
        *((None, gpu, [f"found {gpu:g}; allowed: at most 1"]) for gpu in (1.5, 2.0, 1.0000001, 64.0)),
        ("mine", 1.5, ["found 1.5; allowed: at most 1, or a whole number. Give 1 or 2"]),
        ("mine", 3.999, ["found 3.999; allowed: at most 1, or a whole number. Give 3 or 4"]),
    ],
)
def test_a_trial_gets_the_gpus_that_its_trainer_can_use(plugin: str | None, gpu: float, words: list[str]) -> None:
    asked = {"trainer": Recipe().model_copy(update={"plugin": plugin}), "resources": Resources(gpu=gpu)}
    problems = problems_of_asking(asked, begun=False)
    assert [problem.words()[: len(expected)] for problem, expected in zip(problems, words, strict=True)] == words


def test_a_journal_with_more_gpus_a_trial_is_read_and_goes_on_with_one() -> None:
    raw = {**read_yaml(SOUND, "s.yaml").value, "resources": {"gpu": 2}}
    begun = Study.model_validate(raw)
    text = begun.model_dump_json()
    with pytest.raises(StudyError, match=r"^journal.sqlite:1: resources.gpu: found 2; allowed: at most 1\."):
        parse_study(text, "journal.sqlite", (), lambda _: begun)
    assert parse_study(text, "journal.sqlite", ["resources.gpu=1"], lambda _: begun).resources.gpu == 1
