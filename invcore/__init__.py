"""invcore: give me designs whose response is this one.

What users call; plugins import from `invcore.plugin`. The names are imported on first use, so that
``import invcore`` needs no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore.base.lazy_names import lazy_names as lazy_names

if TYPE_CHECKING:
    from invcore.base.errors import BudgetError as BudgetError
    from invcore.base.errors import ConfigError as ConfigError
    from invcore.base.errors import DataError as DataError
    from invcore.base.errors import DeviceError as DeviceError
    from invcore.base.errors import DivergedError as DivergedError
    from invcore.base.errors import InvcoreError as InvcoreError
    from invcore.base.errors import PluginError as PluginError
    from invcore.base.errors import ShapeError as ShapeError
    from invcore.base.errors import SimulatorError as SimulatorError
    from invcore.base.errors import StoreError as StoreError
    from invcore.base.errors import UnfitError as UnfitError
    from invcore.base.errors import UnknownNameError as UnknownNameError
    from invcore.base.progress import terminal_progress as terminal_progress
    from invcore.configs.limits import Limits as Limits
    from invcore.configs.run_config import RunConfig as RunConfig
    from invcore.registry.component import Component as Component
    from invcore.registry.hookspecs import hookimpl as hookimpl
    from invcore.runs.job import do_runs as do_runs
    from invcore.runs.runner import run as run
    from invcore.spaces.constraints.kinds import Among as Among
    from invcore.spaces.constraints.kinds import AnyOf as AnyOf
    from invcore.spaces.constraints.kinds import Cardinality as Cardinality
    from invcore.spaces.constraints.kinds import Fixed as Fixed
    from invcore.spaces.constraints.kinds import Interval as Interval
    from invcore.spaces.constraints.kinds import Levels as Levels
    from invcore.spaces.constraints.kinds import LinearEquality as LinearEquality
    from invcore.spaces.constraints.kinds import LinearInequality as LinearInequality
    from invcore.spaces.constraints.kinds import Nonlinear as Nonlinear
    from invcore.spaces.constraints.kinds import Periodic as Periodic
    from invcore.spaces.constraints.kinds import Values as Values
    from invcore.spaces.priors import Categorical as Categorical
    from invcore.spaces.priors import ClippedNormal as ClippedNormal
    from invcore.spaces.priors import Integers as Integers
    from invcore.spaces.priors import LogNormal as LogNormal
    from invcore.spaces.priors import LogUniform as LogUniform
    from invcore.spaces.priors import Normal as Normal
    from invcore.spaces.priors import Poisson as Poisson
    from invcore.spaces.priors import TruncatedNormal as TruncatedNormal
    from invcore.spaces.priors import Uniform as Uniform
    from invcore.spaces.space import Grid as Grid
    from invcore.spaces.space import Space as Space
    from invcore.spaces.space import Variable as Variable
    from invcore.spaces.specification import Requirement as Requirement
    from invcore.spaces.specification import Specification as Specification
    from invcore.storage.run_record import RunRecord as RunRecord
    from invcore.storage.store import Store as Store

__version__ = "0.1.0"

__getattr__, _NAMES = lazy_names(__name__, {
    "base.errors": (
        "BudgetError ConfigError DataError DeviceError DivergedError InvcoreError "
        "PluginError ShapeError SimulatorError StoreError UnfitError UnknownNameError"
    ),
    "base.progress": "terminal_progress",
    "configs.run_config": "RunConfig",
    "registry.component": "Component",
    "registry.hookspecs": "hookimpl",
    "configs.limits": "Limits",
    "runs.job": "do_runs",
    "runs.runner": "run",
    "spaces.constraints.kinds": (
        "Among AnyOf Cardinality Fixed Interval Levels LinearEquality LinearInequality Nonlinear "
        "Periodic Values"
    ),
    "spaces.priors": (
        "Categorical ClippedNormal Integers LogNormal LogUniform Normal Poisson TruncatedNormal "
        "Uniform"
    ),
    "spaces.space": "Grid Space Variable",
    "spaces.specification": "Requirement Specification",
    "storage.run_record": "RunRecord",
    "storage.store": "Store",
})  # fmt: skip

__all__ = ["__version__", "lazy_names", *_NAMES]


def __dir__() -> list[str]:
    return sorted([*globals(), *_NAMES])
