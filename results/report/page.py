"""How does a report become HTML? Jinja templates, everything escaped, and all scripts and styles inside the page.

The only file that imports jinja2. No request leaves the page: its content security policy allows none, and lets no
script run but those that are in it, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from resnext_search.results.figures.chart import Cell
from resnext_search.results.figures.draw_plotly import plotly_figure
from resnext_search.results.report.facts import Facts, charts_of
from resnext_search.results.report.headline import failures, headline, to_take
from resnext_search.results.tables import columns as dictionary
from resnext_search.results.verdict.text import verdict_tables

TEMPLATES = Path(__file__).parent / "templates"
# Sections of the page, in its order, with their headings.
SECTIONS = {
    "top": "",
    "front": "What the search found",
    "surface": "The surface of equal FLOPs",
    "effects": "What cardinality, depth and width do there",
    "arms": "The arms of the claim",
    "tuning": "Learning rates",
    "progress": "The search, trial by trial",
    "costs": "What it cost",
    "failures": "Failures",
    "dictionary": "Data dictionary",
    "provenance": "Where this comes from",
}
# Columns of the table of trials, with their headings.
TRIAL_COLUMNS = {
    **{name: name for name in ("trial", "phase", "arm", "state", "architecture", "blocks")},
    "learning_rate": "learning rate",
    "activations": "activations",
    "validation_error": "validation error, %",
    "test_error": "test error, %",
    **{name: name for name in ("epochs", "seconds", "seed")},
}
LIBRARIES = ("torch", "torchvision", "ax-platform", "botorch", "ray", "numpy", "scipy", "pandas")


def parts(facts: Facts) -> dict[str, Any]:
    """The pieces of the page, ready for JSON: `sections`, inner HTML by id, and `figures` for plotly.js by name."""
    charts = charts_of(facts)
    context = {
        "facts": facts,
        "study": facts.study,
        "charts": charts,
        "headline": headline(facts),
        "to_take": to_take(facts),
        "verdict_tables": "" if facts.verdict is None else verdict_tables(facts.verdict),
        "failures": failures(facts.journal),
        "configurations": _configurations(facts),
        "resolved": yaml.safe_dump(facts.study.model_dump(mode="json"), sort_keys=False, allow_unicode=True),
        "dictionary": dictionary,
        "columns": TRIAL_COLUMNS,
        "sections": SECTIONS,
        "versions": _versions(),
        "hardware": list(dict.fromkeys((trial.device, trial.host) for trial in facts.journal if trial.device)),
    }
    templates = _environment()
    return {
        "sections": {name: templates.get_template(f"{name}.html").render(context) for name in SECTIONS},
        "figures": {name: plotly_figure(chart) for name, chart in charts.items()},
    }


def page(facts: Facts, *, live: bool = False) -> str:
    """The whole page.

    Args:
        facts: What it shows.
        live: As served by a run: its script may ask where the page came from for newer parts.
    """
    made, plotly = parts(facts), _plotly()
    scripts = [plotly, _text("page.js"), *([_text("live.js")] if live else [])]
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {hashes}"
    template = _environment().get_template("page.html")
    return template.render(
        title=facts.study.name,
        made=made,
        figures=Markup(_json(made["figures"])),
        headings=SECTIONS,
        style=Markup(_text("page.css")),
        scripts=[Markup(script) for script in scripts],
        policy=policy + ("; connect-src 'self'" if live else ""),
        live=live,
    )


def _configurations(facts: Facts) -> list[int]:
    """For every trial a number that it shares with the other trials of its configuration."""
    known: dict[str, int] = {}
    return [known.setdefault(trial.configuration.to_json(), len(known)) for trial in facts.journal]


def _versions() -> dict[str, str]:
    found = {}
    for name in ("resnext-search", *LIBRARIES):
        with suppress(PackageNotFoundError):  # a report needs only some of them
            found[name] = version(name)
    return found


@cache
def _environment() -> Environment:
    loader, undefined = FileSystemLoader(TEMPLATES), StrictUndefined
    environment = Environment(loader=loader, autoescape=True, undefined=undefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"cell": cell, "code": code}
    return environment


def cell(value: Cell) -> str:
    """A cell of a table for people.

    >>> [cell(value) for value in (None, "2x4d-8", 12345, 12.5, 0.0301, 1234567.8)]
    ['', '2x4d-8', '12,345', '12.5', '0.0301', '1,234,568']
    """
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int) or abs(value) >= 1e4:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def code(text: str) -> Markup:
    """Words between backticks as code.

    >>> str(code("`a` < b"))
    '<code>a</code> &lt; b'
    """
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _json(value: Any) -> str:
    """JSON that can stand in a script element: nothing in it ends one."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _plotly() -> str:
    return files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")


def _text(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")
