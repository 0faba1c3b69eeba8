"""What may be tried: study files, architectures, their exact complexity, and the feasible set.

Imports no other room, and nothing heavy: numpy, pydantic and a YAML reader.
"""

from resnext_search.spaces.architecture.architecture import Architecture, Template
from resnext_search.spaces.search_space.axes import Band
from resnext_search.spaces.search_space.feasible import FeasibleSet, enumerate_feasible
from resnext_search.spaces.study.configuration import Configuration
from resnext_search.spaces.study.file import load_study
from resnext_search.spaces.study.study import Study

__all__ = [
    "Architecture",
    "Band",
    "Configuration",
    "FeasibleSet",
    "Study",
    "Template",
    "enumerate_feasible",
    "load_study",
]
