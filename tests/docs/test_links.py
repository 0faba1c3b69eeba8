"""Links of the pages lead somewhere: to a file, and where they say so to a heading of it. Looks at no network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.commands import PAGES, ROOT

FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
LINKING = [
    *PAGES,
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "results" / "reference").rglob("*.md")),
]


def prose(page: Path) -> str:
    """A page without its blocks of code, in which `#` begins a comment."""
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def links(page: Path) -> list[str]:
    """Targets of links and pictures that lie in the repository."""
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    return [target for target in targets if "://" not in target]


def anchors(page: Path) -> Iterator[str]:
    """The names that a heading is given where Markdown is shown; of equal headings the later ones are numbered."""
    seen: dict[str, int] = {}
    for heading in re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        seen[slug] = seen.get(slug, -1) + 1
        yield f"{slug}-{seen[slug]}" if seen[slug] else slug


@pytest.mark.parametrize("page", LINKING, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in links(page):
        file, _, anchor = target.partition("#")
        linked = (page.parent / file).resolve() if file else page
        assert linked.exists(), target
        assert linked.is_relative_to(ROOT), target
        assert not anchor or anchor in anchors(linked), target


def test_every_page_is_in_the_index_or_the_readme() -> None:
    index = ROOT / "docs" / "README.md"
    found = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in (index, ROOT / "README.md")
        for target in links(page)
    }
    assert [page for page in PAGES if page not in found and page.name != "README.md"] == []


def test_equal_headings_are_told_apart(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# `run` it, twice\n## Again\n```sh\n# no heading\n```\n## Again\n", encoding="utf-8")
    assert list(anchors(page)) == ["run-it-twice", "again", "again-1"]
