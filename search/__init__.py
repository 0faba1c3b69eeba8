"""What is tried next, and where: the optimizer, the runner, the phases of a study and the command line.

Names are imported when they are first used: the command line must start without torch, Ax and Ray.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from resnext_search.search.lifecycle.run import run_study
    from resnext_search.search.optimizer.optimizer import Failure, Optimizer, Proposal
    from resnext_search.search.surrogate.learning_curves import Curve, Stopped

__all__ = ["Curve", "Failure", "Optimizer", "Proposal", "Stopped", "run_study"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    modules = {
        "Curve": "surrogate.learning_curves",
        "Stopped": "surrogate.learning_curves",
        "run_study": "lifecycle.run",
    }
    return getattr(import_module(f"{__name__}.{modules.get(name, 'optimizer.optimizer')}"), name)
