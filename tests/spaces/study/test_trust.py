"""A study file may come from anyone: where it would send what is trained is asked about, once."""

from __future__ import annotations

import pytest
from resnext_search.spaces.errors import StudyError
from resnext_search.spaces.study.file import parse_study

from tests.support.helpers import TINY_STUDY, tiny_study

CLUSTER = 'resources: {cluster: "head:6379"}\n'
BUCKET = "resources:\n  cpu: 1\n  checkpoints: s3://bucket/x\n"


def refusal(text: str, *overrides: str) -> str:
    with pytest.raises(StudyError) as error:
        parse_study(TINY_STUDY + text, "s.yaml", overrides, trust=False)
    return str(error.value)


def test_a_cluster_in_a_study_file_needs_trust() -> None:
    assert refusal(CLUSTER) == (
        's.yaml:13: resources.cluster: found "head:6379" in a study file; '
        "allowed: auto or local; anything with --trust. "
        "Give resources.cluster on the command line, or --trust if you trust whoever wrote this file."
    )
    assert parse_study(TINY_STUDY + CLUSTER, "s.yaml", trust=True).resources.cluster == "head:6379"


def test_so_does_a_uri_for_checkpoints_and_all_is_said_at_once() -> None:
    said = refusal(BUCKET + "  cluster: head:6379\n", "search.trials=0").splitlines()
    assert [line.split(": found")[0] for line in said] == ["command line: search.trials"]
    said = refusal(BUCKET + "  cluster: head:6379\n").splitlines()
    assert [line.split(" in a study file")[0] for line in said] == [
        's.yaml:16: resources.cluster: found "head:6379"',
        's.yaml:15: resources.checkpoints: found "s3://bucket/x"',
    ]


@pytest.mark.parametrize("harmless", ["resources: {cluster: auto}", "resources: {cluster: local, checkpoints: driver}"])
def test_what_stays_on_this_machine_or_its_cluster_needs_none(harmless: str) -> None:
    parse_study(f"{TINY_STUDY}{harmless}\n", "s.yaml", trust=False)


@pytest.mark.parametrize("override", ["resources.checkpoints=s3://mine/x", "resources={checkpoints: 's3://mine/x'}"])
def test_nor_does_what_the_command_line_says(override: str) -> None:
    study = parse_study(TINY_STUDY + BUCKET, "s.yaml", [override], trust=False)
    assert study.resources.checkpoints == "s3://mine/x"


def test_what_was_allowed_when_the_study_was_begun_is_not_asked_again_and_anything_else_is() -> None:
    begun = tiny_study("resources.checkpoints=s3://bucket/x")
    study = parse_study(TINY_STUDY + BUCKET, "s.yaml", begun=lambda _: begun, trust=False)
    assert study.resources.checkpoints == "s3://bucket/x"
    with pytest.raises(StudyError, match=r"s3://bucket/y"):
        parse_study(TINY_STUDY + BUCKET.replace("/x", "/y"), "s.yaml", begun=lambda _: begun, trust=False)
