"""Every command of the documentation does what it is there for."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from resnext_search.results import EpochRow, Journal, StudyFolder
from resnext_search.search.cli.main import commands
from resnext_search.search.planning.confirmation import enqueue_confirmation
from resnext_search.search.planning.tuning_rounds import enqueue_tuning
from resnext_search.spaces import load_study
from resnext_search.spaces.correctness import pack_correct

from tests.docs.commands import PAGES, ROOT, commands_of, lines_of
from tests.support.helpers import TINY_CLAIM, finish, tiny_study
from tests.support.journals import completed, epoch_row, new_folder, point
from tests.support.shell import Shell

# What is not ours, or is there to install it.
OTHERS = (
    r"python3 -m venv .venv( && .*)?",
    r"\.venv/bin/(pip|python|ruff) .*",
    r"\. \.venv/bin/activate",
)
TRAINS = {"run", "resume", "refit", "export-model"}
# On machines that a test does not have: their studies are read.
ELSEWHERE = {"spaces/cifar10.yaml", "spaces/imagenet.yaml"}
ALL = [(page, words) for page in PAGES for words in commands_of(page)]


def trains(words: list[str]) -> bool:
    return words[0] in TRAINS or (words[0] == "plan" and "--no-calibrate" not in words)


def name(value: object) -> str:
    return str(value.relative_to(ROOT)) if isinstance(value, Path) else " ".join(value)  # type: ignore[arg-type]


def small_folder(path: Path) -> StudyFolder:
    """A study with a claim that has been run to its end, by hand."""
    folder, journal = new_folder(path, tiny_study(TINY_CLAIM))
    with journal:
        for number in range(4):
            completed(journal, point(2 * number, 0.1), 10.0 + number)
        for enqueue in (enqueue_tuning, enqueue_confirmation):
            while enqueue(journal.study(), journal):
                for trial in journal.trials(states=["queued"]):
                    end(journal, trial.trial_id)
    return folder


def end(journal: Journal, number: int) -> None:
    trial = journal.trial(number)
    journal.start(number, "checkpoints/x.pt")
    about = {"device": "cpu", "host": "here"}
    rate = dict(trial.configuration.knobs)["learning_rate"]
    for epoch in (1, 2):
        if trial.phase == "tune":
            row = epoch_row(epoch, 5.0 if 0.05 < rate < 0.5 else 9.0)
            journal.record_epoch(number, row, final=epoch == 2, **about)
        else:
            row = EpochRow(epoch, 0.1, 1.0, None, None, 0.25)
            right = [place % 10 > number % 3 for place in range(40)]
            last = {"test_error": 100 * right.count(False) / 40, "test_correct": pack_correct(right)}
            journal.record_epoch(number, row, final=epoch == 2, **about, **(last if epoch == 2 else {}))


@pytest.fixture(scope="module")
def study_that_was_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("docs") / "fixed-flops").path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study_that_was_run: Path) -> Path:
    """A folder like the repository's, with a study that was run and two classes of images."""
    from PIL import Image

    shutil.copytree(study_that_was_run, tmp_path / "runs" / "fixed-flops")
    for folder in ("spaces", "results"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    shutil.copy(ROOT / "spaces" / "fixed_flops.yaml", tmp_path / "digits.yaml")
    shutil.copy(ROOT / "spaces" / "fixed_flops.yaml", tmp_path / "study.yaml")
    for split in ("train", "test"):
        for label in ("cat", "dog"):
            images = tmp_path / "photos" / split / label
            images.mkdir(parents=True)
            for number in range(80 if split == "train" else 3):
                Image.new("RGB", (32, 32), (number, 80, 160)).save(images / f"{number}.png")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_line_is_ours_or_installs(page: Path) -> None:
    for line in lines_of(page):
        assert (
            line.startswith("resnext-search ")
            or any(re.fullmatch(other, line) for other in OTHERS)
            or (page.parts[-2] != "docs" and line.startswith(".ci/run"))
        ), line


@pytest.mark.parametrize(("page", "words"), ALL, ids=name)
def test_every_command_is_understood(page: Path, words: list[str]) -> None:
    understood = commands.commands[words[0]].make_context(words[0], words[1:]).params
    if words[0] in {"run", "plan"} and (ROOT / understood["study"]).exists():
        load_study(ROOT / understood["study"], understood["overrides"])


@pytest.mark.parametrize(
    "words",
    {" ".join(words): words for _, words in ALL if not trains(words) and "--serve" not in words}.values(),
    ids=name,
)
def test_a_command_that_trains_nothing_does_its_work(shell: Shell, place: Path, words: list[str]) -> None:
    made = {"init": "digits.yaml photos.yaml study.yaml"}.get(words[0], "")
    for file in made.split():
        (place / file).unlink(missing_ok=True)
    if "photos.yaml" in words and words[0] != "init":
        shell.done("init", "photos.yaml")
    out = shell.done(*words)
    assert out.strip()


def test_the_commands_of_machines_elsewhere_are_few() -> None:
    found = {word for _, words in ALL if words[0] == "run" for word in words if word in ELSEWHERE}
    assert found == ELSEWHERE


SMALL = (
    "search.trials=3",
    "trainer={epochs: 2, batch_size: 64}",
    "data={name: digits, train_images: 256}",
    "axes.learning_rate=[0.01, 0.1, 1.0]",
    "claim={kind: spend, base: {cardinality: 1, width: 12, blocks: [1, 1, 1]}, tuning_trials: 3, seeds: 5}",
    "claim.tuning_seeds=1",
)


@pytest.mark.slow
def test_the_tutorial_arrives_at_the_verdict_on_a_small_scale(place: Path) -> None:
    """Its commands in their order; those that train on other pages are the same ones, and are only read above."""
    shutil.rmtree(place / "runs")
    (place / "digits.yaml").unlink()
    for words in commands_of(ROOT / "docs" / "tutorial.md"):
        ended = finish([*words, *(SMALL if words[0] in {"run", "plan"} else ())], place, seconds=900)
        assert ended.returncode == 0, f"{words}: {ended.stdout}\n{ended.stderr}"
        assert "Traceback" not in ended.stdout + ended.stderr
    folder = StudyFolder(place / "runs" / "fixed-flops")
    assert folder.verdict.exists()
    assert folder.report.exists()
    assert folder.weights.exists()
