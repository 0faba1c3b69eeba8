"""What does a study file say: its sections, how it is read, and what is wrong with it."""

from resnext_search.spaces.search_space.objectives import Objective
from resnext_search.spaces.study.axes import AxesConfig, BlocksAxis, KnobAxis
from resnext_search.spaces.study.sections import (
    BudgetConfig,
    ClaimConfig,
    DataConfig,
    LikeConfig,
    Limits,
    Recipe,
    Resources,
    SearchConfig,
    Section,
    TemplateConfig,
)
from resnext_search.spaces.study.study import Study, TrackerName

__all__ = [
    "AxesConfig",
    "BlocksAxis",
    "BudgetConfig",
    "ClaimConfig",
    "DataConfig",
    "KnobAxis",
    "LikeConfig",
    "Limits",
    "Objective",
    "Recipe",
    "Resources",
    "SearchConfig",
    "Section",
    "Study",
    "TemplateConfig",
    "TrackerName",
]
