"""Which methods may propose the trials of a search? One row each, for the study file, the search and the figures.

The classes are those of `search/optimizer/`. They are named here, and imported by the search when it proposes: so a
wrong name is found when a study is read, in the line where it stands, and without Ax.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple


class SearchMethod(NamedTuple):
    """A method.

    Args:
        meaning: For the study file.
        label: Of its trials, in figures.
        learns: Whether it needs trials that were told; before, `START` proposes.
        implementation: Its class, `module:name`.
    """

    meaning: str
    label: str
    learns: bool
    implementation: str


START = "sobol"
_HOME = "resnext_search.search.optimizer"

# By the name in `search.optimizer` and in the journal's `proposed_by`.
METHODS = {
    "ax": SearchMethod("Bayesian optimization", "proposed by the model", True, f"{_HOME}.ax_method:AxMethod"),
    START: SearchMethod("space-filling, the baseline", "space-filling start", False, f"{_HOME}.methods:SobolMethod"),
}

if TYPE_CHECKING:
    MethodName = str
else:
    MethodName = Literal[tuple(METHODS)]
