"""Looking once at every file: all that are damaged are found, and what was found out is kept, or is found out again."""

from __future__ import annotations

import json
import logging
import os
import shutil
from pathlib import Path

import pytest
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data import image_check
from resnext_search.trainers.data.image_check import cache_folder, look_at, of_both
from resnext_search.trainers.data.image_files import Files, find_files

from tests.support.trees import DAMAGED, copy_of, damage, write_digits


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return damage(write_digits(tmp_path / "tree", train=60, test=60))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are decoded from here on."""
    paths: list[str] = []
    decode = image_check.read_picture

    def read_picture(path: Path) -> object:
        paths.append(str(path))
        return decode(path)

    monkeypatch.setattr(image_check, "read_picture", read_picture)
    return paths


def files_of(root: Path) -> Files:
    return find_files(DataConfig(name="image_folder", root=str(root), resolution=8, classes=10))


def test_every_damaged_file_is_found_and_no_other(tree: Path) -> None:
    assert look_at(files_of(tree)).unreadable == DAMAGED


def test_a_tree_that_was_looked_at_is_not_opened_again_nor_is_a_copy_of_it(
    tree: Path, tmp_path: Path, opened: list[str]
) -> None:
    look_at(files_of(tree))
    assert len(opened) == 120 + len(DAMAGED)
    opened.clear()
    assert look_at(files_of(tree)).unreadable == DAMAGED
    assert look_at(files_of(copy_of(tree, tmp_path / "copy"))).unreadable == DAMAGED
    assert opened == []


def test_a_class_with_a_file_that_has_changed_is_looked_at_again_alone(tree: Path, opened: list[str]) -> None:
    look_at(files_of(tree))
    opened.clear()
    mended = tree / "train/3/ac-truncated.png"
    mended.write_bytes((tree / "train/3/0013.png").read_bytes())
    expected = {path: reason for path, reason in DAMAGED.items() if path != "train/3/ac-truncated.png"}
    assert look_at(files_of(tree)).unreadable == expected
    assert {path.rpartition("/")[0] for path in opened} == {f"{tree}/train/3"}
    opened.clear()
    os.utime(mended, ns=(0, 0))  # the same size, but written at another time
    assert look_at(files_of(tree)).unreadable == expected
    assert {path.rpartition("/")[0] for path in opened} == {f"{tree}/train/3"}


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"\xff\x00", b'{"unreadable": []}', b'{"brightest": "white"}', b'{"other": {}}'),
        *(b'{"unreadable": {"train/9/other.png": "empty"}}', b'{"unreadable": {"train/9/0009.png": 3}}'),
    ],
)
def test_what_is_kept_is_ignored_if_it_is_damaged(tree: Path, cache: Path, content: bytes) -> None:
    look_at(files_of(tree))
    for kept in cache.iterdir():
        kept.write_bytes(content)
    assert look_at(files_of(tree)).unreadable == DAMAGED
    kept_again = [json.loads(kept.read_bytes()) for kept in cache.iterdir()]
    assert len([found for found in kept_again if found["unreadable"]]) == 4  # classes with such files


def test_where_nothing_can_be_kept_it_is_said_once_and_the_files_are_found_all_the_same(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert look_at(files_of(tree)).unreadable == DAMAGED
    assert caplog.messages == [
        f"what was found out about the images cannot be kept in {tmp_path}/file/resnext-search/image_folder: "
        "Not a directory; every process has to look for itself"
    ]


def test_a_long_look_is_said_before_it_begins(
    tree: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(image_check, "MANY_FILES", 100)
    with caplog.at_level(logging.WARNING):
        look_at(files_of(tree))
        look_at(files_of(tree))
    [message] = caplog.messages
    assert message.startswith(f"data: image_folder: looking once at 126 images in {tree}, on ")


def test_the_cache_is_where_the_desktop_standard_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for given in ("", "relative/path"):
        monkeypatch.setenv("XDG_CACHE_HOME", given)
        assert cache_folder() == tmp_path / ".cache/resnext-search/image_folder"


def test_what_is_no_regular_file_is_unreadable_and_never_waited_for(tmp_path: Path) -> None:
    tree = write_digits(tmp_path / "tree", train=60, test=60)
    os.mkfifo(tree / "train/3/f.png")
    (tree / "train/3/null.png").symlink_to("/dev/null")
    (tree / "train/3/s.png").symlink_to("s.png")
    assert look_at(files_of(tree)).unreadable == {
        "train/3/f.png": "no regular file",
        "train/3/null.png": "no regular file",
        "train/3/s.png": "Too many levels of symbolic links",
    }


def test_test_images_that_are_copies_of_training_images_are_found(tmp_path: Path) -> None:
    tree = write_digits(tmp_path / "tree", train=60, test=60)
    assert of_both(files_of(tree)) == (60, [])
    shutil.copyfile(tree / "train/3/0013.png", tree / "test/3/0013.png")
    shutil.copyfile(tree / "train/4/0014.png", tree / "test/5/0014.png")  # in another class
    (tree / "test/6/0016.png").write_bytes((tree / "train/6/0016.png").read_bytes()[:-1] + b"x")  # of other bytes
    assert of_both(files_of(tree)) == (63, ["test/3/0013.png"])
    shutil.rmtree(tree / "test")
    shutil.copytree(tree / "train", tree / "test")
    compared, same = of_both(files_of(tree))
    assert (compared, len(same)) == (60, 60)
