"""What does a study file say: its sections, how it is read, and what is wrong with it."""

from resnext_search.spaces.search_space.objectives import Objective as Objective
from resnext_search.spaces.study.axes import AxesConfig as AxesConfig
from resnext_search.spaces.study.axes import BlocksAxis as BlocksAxis
from resnext_search.spaces.study.axes import KnobAxis as KnobAxis
from resnext_search.spaces.study.claim import ClaimConfig as ClaimConfig
from resnext_search.spaces.study.sections import BudgetConfig as BudgetConfig
from resnext_search.spaces.study.sections import DataConfig as DataConfig
from resnext_search.spaces.study.sections import LikeConfig as LikeConfig
from resnext_search.spaces.study.sections import Limits as Limits
from resnext_search.spaces.study.sections import Recipe as Recipe
from resnext_search.spaces.study.sections import Resources as Resources
from resnext_search.spaces.study.sections import SearchConfig as SearchConfig
from resnext_search.spaces.study.sections import Section as Section
from resnext_search.spaces.study.sections import TemplateConfig as TemplateConfig
from resnext_search.spaces.study.study import Study as Study
from resnext_search.spaces.study.study import TrackerName as TrackerName
