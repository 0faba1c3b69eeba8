"""What is a network of this family, and what does it cost: architectures, exact complexity, the paper's tables."""

from resnext_search.spaces.architecture.architecture import Architecture as Architecture
from resnext_search.spaces.architecture.architecture import Template as Template
