"""Files by name, in an object store and in a folder that machines share."""

from __future__ import annotations

from pathlib import Path

import pytest
from resnext_search.search.storage.place import Place
from resnext_search.spaces.errors import UsageError


def test_what_is_written_is_read_replaced_and_deleted(place: Place) -> None:
    assert (place.read("a/trial-00007.pt"), place.has("a/trial-00007.pt")) == (None, False)
    for content in (b"first", memoryview(b"second"), b""):
        place.write("a/trial-00007.pt", content)
        assert place.read("a/trial-00007.pt") == bytes(content)
    assert place.has("a/trial-00007.pt")
    place.write("a/other", b"x")
    place.delete("a/trial-00007.pt")
    place.delete("a/trial-00007.pt")
    assert (place.read("a/trial-00007.pt"), place.read("a/other")) == (None, b"x")
    place.delete_below("a")
    place.delete_below("a")
    assert place.read("a/other") is None


def test_a_large_file_is_whole(place: Place) -> None:
    content = bytes(range(256)) * 2**16  # 16 MiB: an object of several parts
    place.write("state", content)
    assert place.read("state") == content


def test_in_a_folder_no_draft_is_left(shared: str) -> None:
    Place(shared, "--mirror").write("a/b", b"x")
    assert [path.name for path in Path(shared.removeprefix("file://")).rglob("*")] == ["a", "b"]


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    uri = (tmp_path / "none").as_uri()
    with pytest.raises(UsageError) as error:
        Place(uri, "resources.checkpoints")
    words = f"resources.checkpoints: found {uri}, and there is no folder {tmp_path}/none on this machine"
    assert str(error.value) == words
    assert not (tmp_path / "none").exists()


def test_a_place_that_cannot_be_used_is_said_before_anything_is_trained(bucket: str) -> None:
    nowhere = Place("s3://nobody/x", "resources.checkpoints")
    with pytest.raises(UsageError) as error, nowhere.expected():
        nowhere.write("proof", b"x")
    assert str(error.value).startswith("resources.checkpoints: s3://nobody/x cannot be used: ")
    assert "bucket does not exist" in str(error.value)
    assert error.value.hint.endswith("Credentials come from the environment.")


def test_no_credentials_are_taken_or_repeated(bucket: str) -> None:
    with pytest.raises(UsageError) as error:
        Place("s3://me:sesame@studies/x", "--mirror")
    assert "sesame" not in f"{error.value} {error.value.hint}"
    assert str(error.value).startswith('--mirror: found "s3://...@studies/x", with credentials; allowed: s3://')


def test_an_endpoint_may_stand_in_the_uri(bucket: str, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    address = store.removeprefix("http://")
    place = Place(f"{bucket}?endpoint_override={address}&scheme=http&region=us-east-1", "--mirror")
    place.write("x", b"here")
    monkeypatch.setenv("AWS_ENDPOINT_URL", store)
    assert Place(bucket, "--mirror").read("x") == b"here"
