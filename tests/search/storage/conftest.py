"""An object store on this machine, which speaks S3, and a folder that is shared."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from resnext_search.search.storage.place import Place

SECRET = {"AWS_ACCESS_KEY_ID": "me", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """Address of a store that has the bucket `studies`."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for every request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/studies", method="PUT")).close()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(store: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """URI of a folder of the test's own in the store, which the environment knows."""
    for name, value in {**SECRET, "AWS_ENDPOINT_URL": store, "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    return f"s3://studies/{request.node.name.partition('[')[0]}"


@pytest.fixture
def shared(tmp_path: Path) -> str:
    """URI of a folder."""
    (tmp_path / "shared").mkdir()
    return (tmp_path / "shared").as_uri()


@pytest.fixture(params=["bucket", "shared"])
def place(request: pytest.FixtureRequest) -> Place:
    """One of either kind."""
    return Place(request.getfixturevalue(request.param), "--mirror")
