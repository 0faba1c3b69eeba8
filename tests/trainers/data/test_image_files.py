"""Listing a tree: as torchvision does, sorted, with what is missing in words."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from resnext_search.spaces.errors import DataError
from resnext_search.spaces.study.sections import DataConfig
from resnext_search.trainers.data.image_files import IMAGE_SUFFIXES, find_files, in_words
from torchvision import datasets


def config(root: Path, classes: int = 2) -> DataConfig:
    return DataConfig(name="image_folder", root=str(root), resolution=8, classes=classes)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Three images to train on and two to test on; names are all that counts."""
    for path in ("train/cat/b.png", "train/cat/a.JPEG", "train/dog/x.webp", "test/cat/c.png", "test/dog/d.bmp"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    return tmp_path


def test_training_images_come_first_then_test_images_each_by_class_and_name(tree: Path) -> None:
    files = find_files(config(tree))
    assert files.paths == (
        "train/cat/a.JPEG",
        "train/cat/b.png",
        "train/dog/x.webp",
        "test/cat/c.png",
        "test/dog/d.bmp",
    )
    assert files.labels == (0, 0, 1, 0, 1)
    assert (files.root, files.published_train) == (str(tree), 3)


def test_a_tree_is_listed_as_torchvision_lists_it(tree: Path) -> None:
    assert IMAGE_SUFFIXES == datasets.folder.IMG_EXTENSIONS
    theirs = datasets.ImageFolder(tree / "train").samples + datasets.ImageFolder(tree / "test").samples
    files = find_files(config(tree))
    assert [(f"{tree}/{path}", label) for path, label in zip(files.paths, files.labels, strict=True)] == theirs


def test_folders_in_a_class_are_searched_and_other_files_passed_over(tree: Path) -> None:
    (tree / "train/cat/more").mkdir()
    (tree / "train/cat/more/c.png").touch()
    (tree / "train/cat/notes.txt").touch()
    (tree / "train/notes.png").touch()  # in no class
    (tree / "train/dog/y.png").symlink_to("nowhere.png")  # a link to nothing is an image that is missing
    assert find_files(config(tree)).paths[:5] == (
        "train/cat/a.JPEG",
        "train/cat/b.png",
        "train/cat/more/c.png",
        "train/dog/x.webp",
        "train/dog/y.png",
    )


def test_images_that_are_left_out_leave_no_gap_in_the_numbers(tree: Path) -> None:
    files = find_files(config(tree)).without({"train/cat/b.png", "test/cat/c.png"})
    assert files.paths == ("train/cat/a.JPEG", "train/dog/x.webp", "test/dog/d.bmp")
    assert (files.labels, files.published_train) == ((0, 1, 1), 2)


def test_another_number_of_classes_is_refused(tree: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_files(config(tree, classes=3))
    assert str(caught.value) == (
        f"data: image_folder: {tree} has 2 classes to train and 2 to test on; data.classes says 3, the same for both"
    )
    assert caught.value.hint == "Correct data.classes, or the folders."


def test_classes_that_one_side_lacks_are_named(tree: Path) -> None:
    (tree / "test/dog").rename(tree / "test/wolf")
    with pytest.raises(DataError, match="has 2 classes to train and 2 to test on") as caught:
        find_files(config(tree))
    assert caught.value.hint == "Missing: test/dog, train/wolf."


def test_a_missing_or_empty_folder_says_how_to_lay_the_images_out(tmp_path: Path) -> None:
    lay_out = f"Lay the images out as {tmp_path}/train/<class>/* and {tmp_path}/test/<class>/*."
    with pytest.raises(DataError) as caught:
        find_files(config(tmp_path))
    assert str(caught.value) == (
        f"data: image_folder: {tmp_path} has no folder train and no folder test; there is no folder at all"
    )
    assert caught.value.hint == lay_out
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
    with pytest.raises(DataError, match=f"{tmp_path}/train has no folders of images: it is empty"):
        find_files(config(tmp_path))
    (tmp_path / "train/flat.png").touch()
    with pytest.raises(DataError, match=f"{tmp_path}/train has no folders of images: 1 other entries"):
        find_files(config(tmp_path))
    with pytest.raises(DataError, match=f"{tmp_path}/nowhere has no folders of images: No such file or directory"):
        find_files(config(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("renamed", "missing", "there", "meant"),
    [
        ({"test": "val"}, "no folder test", "train, val", [("val", "test")]),
        ({"test": "Validation"}, "no folder test", "Validation, train", [("Validation", "test")]),
        ({"train": "Train", "test": "TEST"}, "no folder train and no folder test", "TEST, Train", None),
        ({"train": "training"}, "no folder train", "test, training", [("training", "train")]),
        ({"test": "holdout"}, "no folder test", "holdout, train", []),
    ],
)
def test_folders_that_could_be_meant_are_named_with_the_command_that_renames_them(
    tree: Path, renamed: dict[str, str], missing: str, there: str, meant: list[tuple[str, str]] | None
) -> None:
    for part, name in renamed.items():
        (tree / part).rename(tree / name)
    with pytest.raises(DataError) as caught:
        find_files(config(tree))
    assert str(caught.value) == f"data: image_folder: {tree} has {missing}; there is {there}"
    moves = [("Train", "train"), ("TEST", "test")] if meant is None else meant
    commands = "; ".join(f"mv {tree}/{name} {tree}/{part}" for name, part in moves)
    assert caught.value.hint.startswith(f"If that is meant: {commands}. Lay the images out" if moves else "Lay the")
    if moves:
        subprocess.run(commands, shell=True, check=True)
        assert len(find_files(config(tree)).paths) == 5


def test_of_several_folders_the_one_most_like_it_is_proposed(tree: Path) -> None:
    (tree / "test").rename(tree / "Test")
    (tree / "val").mkdir()
    with pytest.raises(DataError, match="no folder test; there is Test, train, val") as caught:
        find_files(config(tree))
    assert f"mv {tree}/Test {tree}/test." in caught.value.hint


def test_a_tree_that_lies_one_folder_deeper_is_found(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    above = tmp_path_factory.mktemp("above")
    tree.rename(above / "photos")
    with pytest.raises(DataError, match="no folder train and no folder test; there is photos") as caught:
        find_files(config(above))
    assert caught.value.hint.startswith(f"If that is meant: data.root={above}/photos. ")


def test_what_is_hidden_or_left_by_programs_is_passed_over_and_counted(tree: Path) -> None:
    before = find_files(config(tree))
    left = (
        *("train/.ipynb_checkpoints", "train/__MACOSX", "train/cat/.ipynb_checkpoints", "train/cat/@eaDir"),
        *("test/.hidden", "test/dog/.ipynb_checkpoints", "test/dog/more/.ipynb_checkpoints"),
    )
    for folder in left:
        (tree / folder).mkdir(parents=True)
        (tree / folder / "0-checkpoint.png").touch()
    for name in ("train/cat/._a.JPEG", "train/cat/.DS_Store", "train/dog/Thumbs.db", "train/.DS_Store", "Thumbs.db"):
        (tree / name).touch()
    files = find_files(config(tree))
    assert files.paths == before.paths
    assert sorted(files.passed_over) == sorted([*left, "train/cat/._a.JPEG"])  # the others are no images anyway


def test_a_further_split_is_named_as_not_used(tree: Path) -> None:
    (tree / "val/cat").mkdir(parents=True)
    (tree / "labels").mkdir()
    assert find_files(config(tree)).passed_over == ("val",)


def test_names_that_are_no_utf_8_are_listed_and_spelt_out_in_messages(tree: Path) -> None:
    strange = os.fsdecode(b"caf\xe9")
    (tree / "train/cat" / f"{strange}.png").touch()
    assert f"train/cat/{strange}.png" in find_files(config(tree)).paths
    (tree / "train" / strange).mkdir()
    with pytest.raises(DataError) as caught:
        find_files(config(tree))
    assert caught.value.hint == "Missing: test/caf\\udce9."


def test_a_class_without_images_is_refused(tree: Path) -> None:
    (tree / "test/dog/d.bmp").unlink()
    with pytest.raises(DataError, match=rf"{tree}/test/dog has no images \(\.jpg, \.jpeg, "):
        find_files(config(tree))


def test_files_of_other_endings_are_counted_and_those_that_programs_leave_are_not(tree: Path) -> None:
    for name in ("a.heic", "b.HEIC", "more/c.heic", "d.gif", "e", "Thumbs.db", "desktop.ini", ".DS_Store", "Icon\r"):
        (tree / "train/cat" / name).parent.mkdir(exist_ok=True)
        (tree / "train/cat" / name).touch()
    (tree / "train/notes.txt").touch()  # in no class
    files = find_files(config(tree))
    assert files.other_endings == ((".heic", 3), ("", 1), (".gif", 1))
    assert in_words(files.other_endings) == "5 files with other endings (.heic 3, none 1, .gif 1)"
    assert in_words([(f".{number}", 1) for number in range(5)]).endswith("(.0 1, .1 1, .2 1, 2 more endings)")


def test_a_class_whose_files_all_have_other_endings_says_which(tree: Path) -> None:
    (tree / "test/dog/d.bmp").rename(tree / "test/dog/d.heic")
    (tree / "train/cat/z.gif").touch()
    with pytest.raises(DataError, match=r"\.webp\), but 1 file with other endings \(\.heic 1\)$"):
        find_files(config(tree))


def test_a_link_to_itself_is_an_image_that_cannot_be_read(tree: Path) -> None:
    (tree / "train/cat/s.png").symlink_to("s.png")
    (tree / "train/loop").symlink_to("loop")  # beside classes it is no class
    assert find_files(config(tree)).paths[:3] == ("train/cat/a.JPEG", "train/cat/b.png", "train/cat/s.png")


@pytest.mark.parametrize(
    ("link", "target", "place"),
    [
        ("train/cat/loop", "..", "train"),
        ("train/cat/loop", ".", "train/cat"),
        ("train/cat/loop", "../..", "."),
        ("train/elk", "..", "."),
    ],
)
def test_a_link_to_a_folder_that_holds_it_is_named_with_what_to_do(
    tree: Path, link: str, target: str, place: str
) -> None:
    (tree / link).symlink_to(target)
    (tree / "test/elk").mkdir()
    (tree / "train/elk").mkdir(exist_ok=True)
    with pytest.raises(DataError) as caught:
        find_files(config(tree, classes=3))
    assert str(caught.value) == (
        f"data: image_folder: {tree}/{link} is a link to {(tree / place).resolve()}, a folder that holds it"
    )
    assert caught.value.hint == f"Take the link away: rm {tree}/{link}"


def test_links_to_other_folders_are_followed(tree: Path) -> None:
    (tree / "train/cat/more").symlink_to("../../elsewhere")
    (tree / "elsewhere").mkdir()
    (tree / "elsewhere/c.png").touch()
    assert "train/cat/more/c.png" in find_files(config(tree)).paths


def test_folders_that_are_the_same_for_training_and_testing_are_refused(tree: Path) -> None:
    shutil.rmtree(tree / "test/dog")
    (tree / "test/dog").symlink_to("../train/dog")
    with pytest.raises(DataError) as caught:
        find_files(config(tree))
    assert str(caught.value) == f"data: image_folder: {tree}/test/dog and {tree}/train/dog are the same folder"
    assert caught.value.hint.startswith("Give test images of its own")
    shutil.rmtree(tree / "test")
    (tree / "test").symlink_to("train")
    with pytest.raises(DataError, match=f"{tree}/test and {tree}/train are the same folder"):
        find_files(config(tree))


def test_names_that_look_equal_are_spelt_out(tree: Path) -> None:
    (tree / "train/caf\u00e9").mkdir()
    (tree / "test/cafe\u0301").mkdir()
    (tree / "test/fl\u00fcgel").mkdir()
    with pytest.raises(DataError) as caught:
        find_files(config(tree))
    assert caught.value.hint == "Missing: test/caf\\xe9, train/cafe\\u0301, train/fl\u00fcgel."


def test_control_characters_of_a_name_do_not_reach_the_terminal(tree: Path) -> None:
    (tree / "train/a\nb\x1b[31m").mkdir()
    with pytest.raises(DataError) as caught:
        find_files(config(tree))
    assert caught.value.hint == "Missing: test/a\\nb\\x1b[31m."
