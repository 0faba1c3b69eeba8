"""A point of the search space: an architecture and values for the searched knobs."""

from __future__ import annotations

import json
from dataclasses import dataclass

from resnext_search.spaces.architecture.architecture import Architecture, dashed
from resnext_search.spaces.search_space.knobs import KNOBS
from resnext_search.spaces.study.sections import Recipe


@dataclass(frozen=True)
class Configuration:
    """An architecture, and the knobs that the study searches.

    Args:
        architecture: The network.
        knobs: Name and value of every searched knob, in the order of `KNOBS`.
    """

    architecture: Architecture
    knobs: tuple[tuple[str, float], ...] = ()

    def recipe(self, base: Recipe) -> Recipe:
        """The study's recipe with this point's knobs in it."""
        values = {name: round(value) if KNOBS[name].integer else value for name, value in self.knobs}
        return Recipe.model_validate({**base.model_dump(), **values})

    def to_json(self) -> str:
        """One line of JSON from which `from_json` makes an equal configuration, to the last bit."""
        network = self.architecture
        shape = {"cardinality": network.cardinality, "group_widths": network.group_widths, "blocks": network.blocks}
        return json.dumps({**shape, "knobs": dict(self.knobs)})

    @classmethod
    def from_json(cls, text: str) -> Configuration:
        """Inverse of `to_json`.

        >>> point = Configuration(Architecture.paper(2, 4, (1, 1)), (("learning_rate", 0.1),))
        >>> Configuration.from_json(point.to_json()) == point
        True
        """
        raw = json.loads(text)
        architecture = Architecture(raw["cardinality"], tuple(raw["group_widths"]), tuple(raw["blocks"]))
        return cls(architecture, tuple(raw["knobs"].items()))


def describe(trial_id: int, configuration: Configuration) -> str:
    """Name of a trial for people: number, architecture, blocks and knobs."""
    blocks = dashed(configuration.architecture.blocks)
    knobs = "".join(f" {KNOBS[name].short}={value:.3g}" for name, value in configuration.knobs)
    return f"trial {trial_id:04d} {configuration.architecture.name} ({blocks}){knobs}"
