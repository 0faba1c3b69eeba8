"""How the tool, a verdict and the data are cited: what the citation file and the pages name is there, and stays."""

from __future__ import annotations

import hashlib
import json
import tomllib
from typing import Any

import pytest
import yaml
from resnext_search.search.planning.plan import freeze
from resnext_search.spaces.datasets import DATASETS, SOURCES

from docs.make_reference import pages
from tests.docs.commands import ROOT
from tests.support.helpers import TINY_CLAIM, tiny_study
from tests.support.journals import completed, new_folder, point
from tests.support.shell import Shell

# Of the Citation File Format 1.2.0, https://github.com/citation-file-format: at the top, and of these the needed ones.
KEYS = {
    *("abstract", "authors", "cff-version", "commit", "contact", "date-released", "doi", "identifiers", "keywords"),
    *("license", "license-url", "message", "preferred-citation", "references", "repository", "repository-artifact"),
    *("repository-code", "title", "type", "url", "version"),
}
NEEDED = {"authors", "cff-version", "message", "title"}


@pytest.fixture(scope="module")
def citation() -> dict[str, Any]:
    """The citation file."""
    read: dict[str, Any] = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    return read


def test_the_citation_file_has_the_keys_of_its_format(citation: dict[str, Any]) -> None:
    assert NEEDED <= set(citation) <= KEYS
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] in ("software", "dataset")
    assert [set(author) for author in citation["authors"]] == [{"name"}]
    assert len(set(citation["keywords"])) == len(citation["keywords"])
    for reference in citation["references"]:
        assert {"authors", "title", "type"} <= set(reference)
        assert isinstance(reference["year"], int)
        assert reference["doi"].startswith("10.")


def test_it_says_what_the_project_file_and_the_licence_say(citation: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (citation["title"], citation["version"], citation["license"]) == (
        project["name"],
        project["version"],
        project["license"],
    )
    assert f"Copyright (c) 2026 {citation['authors'][0]['name']}" in (ROOT / "LICENSE").read_text(encoding="utf-8")


def test_what_identifies_a_verdict_is_in_the_folder_and_outlasts_whoever_reads_it(shell: Shell) -> None:
    """As docs/how-to/cite.md has it: rules and scale, the study's hash, and the journal's."""
    study = tiny_study(TINY_CLAIM)
    folder, journal = new_folder(shell.folder / "study", study)
    with journal:
        completed(journal, point(0), 12.5)
    freeze(study, study.feasible_set(), None, folder)
    before = hashlib.sha256(folder.journal.read_bytes()).hexdigest()
    for command in ("status", "best", "export", "report", "verdict"):
        shell.done(command, "study")
    assert hashlib.sha256(folder.journal.read_bytes()).hexdigest() == before
    assert len(json.loads(folder.plan.read_text(encoding="utf-8"))["hash"]) == 64
    verdict = shell.facts("verdict", "study")
    assert verdict["rules"] == 2
    assert {"data", "epochs"} <= set(verdict["scale"])


def test_every_data_set_that_is_built_in_has_its_source_and_its_licence() -> None:
    assert set(SOURCES) == set(DATASETS)
    assert all(all(source) for source in SOURCES.values())
    page = pages()["datasets.md"]
    for line in (
        "- Licence: CC BY 4.0; scikit-learn, which carries this copy, is under BSD-3-Clause",
        "- Size: 8x8, channels: 1, classes: 10; 1,797 images, without a published test split",
        "- Licence: MIT, copyright 2017 Zalando SE",
        "- Size: 32x32, channels: 3, classes: 100; 50,000 images to train and validate on, 10,000 to test",
        "- Files: `train/<class>/*` and `test/<class>/*` below `data.root`",
    ):
        assert line in page.splitlines()
