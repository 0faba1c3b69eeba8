"""What may be tried: study files, architectures, their exact complexity, and the feasible set.

Imports no other room, and nothing heavy: numpy, pydantic and a YAML reader.
"""

from resnext_search.spaces.architecture import Architecture, Template
from resnext_search.spaces.configuration import Configuration
from resnext_search.spaces.feasible import Band, FeasibleSet, enumerate_feasible
from resnext_search.spaces.study import Study
from resnext_search.spaces.study_file import load_study

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
