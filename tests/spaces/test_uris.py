"""Which places may be named."""

from __future__ import annotations

import pytest
from resnext_search.spaces.uris import ALLOWED, uri_problem


@pytest.mark.parametrize(
    "uri",
    [
        "s3://bucket/a/b",
        "gs://bucket/a",
        "file:///shared/studies",
        "s3://bucket/a?endpoint_override=minio.example:9000&scheme=https&region=eu-central-1",
        "gs://bucket/a?project_id=p",
    ],
)
def test_stores_and_absolute_folders_may_be_named(uri: str) -> None:
    assert uri_problem(uri) is None


@pytest.mark.parametrize(
    ("uri", "found", "allowed"),
    [
        ("http://host/x", '"http://host/x"', ALLOWED),
        ("hdfs://host/x", '"hdfs://host/x"', ALLOWED),
        ("/shared", '"/shared"', ALLOWED),
        ("s3://bucket", '"s3://bucket"', "s3:// with a bucket, and a path in it"),
        ("s3:///x", '"s3:///x"', "s3:// with a bucket, and a path in it"),
        ("gs://bucket/../x", '"gs://bucket/../x"', "gs:// with a bucket, and a path in it"),
        ("file://host/x", '"file://host/x"', "file:// with an absolute path, as in file:///folder"),
        ("file:///a/../x", '"file:///a/../x"', "file:// with an absolute path, as in file:///folder"),
        ("s3://bucket/a b", '"s3://bucket/a b"', ALLOWED),
        ("s3://[bucket/a", "what is no URI", ALLOWED),
        ("s3://me:sesame@bucket/a", '"s3://...@bucket/a", with credentials', ALLOWED),
        ("s3://me@bucket/a?x=sesame", '"s3://...@bucket/a", with credentials', ALLOWED),
        (
            "s3://bucket/a?access_key=sesame",
            '"s3://bucket/a" with "access_key"',
            "after a question mark endpoint_override, region, scheme",
        ),
        ("file:///a?x=1", '"file:///a" with "x"', "after a question mark nothing"),
    ],
)
def test_others_are_refused_and_no_secret_is_repeated(uri: str, found: str, allowed: str) -> None:
    problem = uri_problem(uri)
    assert problem is not None
    assert (problem.found, problem.allowed) == (found, allowed)
    assert "sesame" not in " ".join(problem)
    assert not ("with" in found and "credentials" in found) or problem.fix.startswith("Credentials come from")
