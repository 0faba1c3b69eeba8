"""A file is the old one or the new one, whoever looks and whatever goes wrong."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from resnext_search.spaces.whole_file import whole_file, write_whole

from tests.support.limits import files_end_at


def test_a_reader_of_a_file_that_is_replaced_sees_all_of_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_whole(path, "old\n")
    with path.open() as reader:
        write_whole(path, "new\r\né")
        assert reader.read() == "old\n"
    assert path.read_bytes() == b"new\r\n\xc3\xa9"
    write_whole(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_raises_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_whole(path, "old")

    def broken_off() -> None:
        with whole_file(path) as draft:
            draft.write_text("half")
            raise ValueError("it computes something else")

    with pytest.raises(ValueError, match="something else"):
        broken_off()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_writes_nothing_is_an_error_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    write_whole(path, "old")
    with pytest.raises(FileNotFoundError), whole_file(path):
        pass
    assert path.read_text() == "old"


def test_content_reaches_the_disk_before_the_name_and_the_name_before_it_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, synced, fsync = tmp_path / "plan.json", [], os.fsync

    def noted(descriptor: int) -> None:
        synced.append((str(Path(f"/proc/self/fd/{descriptor}").readlink()), path.exists()))
        fsync(descriptor)

    monkeypatch.setattr("os.fsync", noted)
    write_whole(path, "new")
    (draft, named_before), (folder, named_after) = synced
    assert draft.startswith(f"{path}.")
    assert draft.endswith(".part")
    assert (folder, named_before, named_after) == (str(tmp_path), False, True)


def test_two_that_write_the_same_file_do_not_write_into_each_other(tmp_path: Path) -> None:
    path = tmp_path / "trials.csv"
    texts = [letter * 100_000 for letter in "ab"]
    writers = [threading.Thread(target=lambda t=t: [write_whole(path, t) for _ in range(50)]) for t in texts]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert path.read_text() in texts
    assert list(tmp_path.iterdir()) == [path]


def test_on_a_full_disk_the_old_file_stays_and_the_error_names_it(tmp_path: Path) -> None:
    path = tmp_path / "trials.csv"
    write_whole(path, "old")
    with files_end_at(4_096), pytest.raises(OSError, match="File too large") as caught:
        write_whole(path, "new" * 10_000)
    assert caught.value.filename == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
