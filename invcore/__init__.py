"""invcore: give me designs whose response is this one.

The public names. They are imported on first use, so that ``import invcore`` needs no torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invcore.benches import Ablation as Ablation
    from invcore.benches import Bench as Bench
    from invcore.benches import BenchCell as BenchCell
    from invcore.benches import Published as Published
    from invcore.benches import bench_names as bench_names
    from invcore.benches import read_bench as read_bench
    from invcore.cache import Cache as Cache
    from invcore.candidates import Candidates as Candidates
    from invcore.candidates import History as History
    from invcore.chunks import in_chunks as in_chunks
    from invcore.component import Component as Component
    from invcore.config import Config as Config
    from invcore.config import Field as Field
    from invcore.contracts.executor import Executor as Executor
    from invcore.contracts.executor import Job as Job
    from invcore.contracts.executor import Record as Record
    from invcore.contracts.method import InverseMethod as InverseMethod
    from invcore.contracts.method import InverseModel as InverseModel
    from invcore.contracts.method import Needs as Needs
    from invcore.contracts.method import Problem as Problem
    from invcore.contracts.method import Targets as Targets
    from invcore.contracts.metric import Estimate as Estimate
    from invcore.contracts.metric import Evaluation as Evaluation
    from invcore.contracts.metric import Metric as Metric
    from invcore.contracts.sampler import Sampler as Sampler
    from invcore.contracts.task import Modes as Modes
    from invcore.contracts.task import Simulator as Simulator
    from invcore.contracts.task import Task as Task
    from invcore.data import Normaliser as Normaliser
    from invcore.data import Pairs as Pairs
    from invcore.data import Scaling as Scaling
    from invcore.data import Splits as Splits
    from invcore.designer import Designer as Designer
    from invcore.designer import Proposal as Proposal
    from invcore.device import resolve_device as resolve_device
    from invcore.enlarging import EnlargeConfig as EnlargeConfig
    from invcore.enlarging import enlarge as enlarge
    from invcore.enlarging import enlarged as enlarged
    from invcore.errors import BudgetError as BudgetError
    from invcore.errors import ConfigError as ConfigError
    from invcore.errors import DataError as DataError
    from invcore.errors import DeviceError as DeviceError
    from invcore.errors import DivergedError as DivergedError
    from invcore.errors import InvcoreError as InvcoreError
    from invcore.errors import PluginError as PluginError
    from invcore.errors import ShapeError as ShapeError
    from invcore.errors import SimulatorError as SimulatorError
    from invcore.errors import StoreError as StoreError
    from invcore.errors import UnknownNameError as UnknownNameError
    from invcore.events import Event as Event
    from invcore.fitcontext import FitContext as FitContext
    from invcore.folders import replace_folder as replace_folder
    from invcore.hookspecs import hookimpl as hookimpl
    from invcore.images import Border as Border
    from invcore.localisation import LocalisationConfig as LocalisationConfig
    from invcore.localisation import localise as localise
    from invcore.localisation import localised_candidates as localised_candidates
    from invcore.networks import MLP as MLP
    from invcore.networks import Surrogate as Surrogate
    from invcore.networks import SurrogateConfig as SurrogateConfig
    from invcore.networks import fit_surrogate as fit_surrogate
    from invcore.networks import substate as substate
    from invcore.once import differentiable_once as differentiable_once
    from invcore.owndata import OwnData as OwnData
    from invcore.pacing import Pace as Pace
    from invcore.pacing import anytime as anytime
    from invcore.plugins import installed as installed
    from invcore.priors import Categorical as Categorical
    from invcore.priors import ClippedNormal as ClippedNormal
    from invcore.priors import Integers as Integers
    from invcore.priors import Normal as Normal
    from invcore.priors import Poisson as Poisson
    from invcore.priors import TruncatedNormal as TruncatedNormal
    from invcore.priors import Uniform as Uniform
    from invcore.progress import Progress as Progress
    from invcore.progress import terminal_progress as terminal_progress
    from invcore.runconfig import RunConfig as RunConfig
    from invcore.runconfig import component_settings as component_settings
    from invcore.runner import run as run
    from invcore.scatter import point_keys as point_keys
    from invcore.scatter import scattered as scattered
    from invcore.scoring import bootstrap as bootstrap
    from invcore.scoring import expected_best as expected_best
    from invcore.scoring import median as median
    from invcore.seeding import generator as generator
    from invcore.seeding import isolated as isolated
    from invcore.simulators import OwnSimulator as OwnSimulator
    from invcore.simulators import Program as Program
    from invcore.simulators import Solution as Solution
    from invcore.simulators import read_simulator as read_simulator
    from invcore.simulators import solve_with as solve_with
    from invcore.solve import fit as fit
    from invcore.space import Grid as Grid
    from invcore.space import Space as Space
    from invcore.space import Variable as Variable
    from invcore.store import RunRecord as RunRecord
    from invcore.store import Store as Store
    from invcore.tables import Table as Table
    from invcore.tables import read_table as read_table
    from invcore.training import LossBatch as LossBatch
    from invcore.training import train as train
    from invcore.trainingconfig import TrainingConfig as TrainingConfig
    from invcore.trust import Trust as Trust

__version__ = "0.1.0"

_HOME = {
    "benches": ("Ablation", "Bench", "BenchCell", "Published", "bench_names", "read_bench"),
    "cache": ("Cache",),
    "candidates": ("Candidates", "History"),
    "chunks": ("in_chunks",),
    "component": ("Component",),
    "config": ("Config", "Field"),
    "contracts.executor": ("Executor", "Job", "Record"),
    "contracts.method": (
        "InverseMethod",
        "InverseModel",
        "Needs",
        "Problem",
        "Targets",
    ),
    "contracts.metric": ("Estimate", "Evaluation", "Metric"),
    "contracts.sampler": ("Sampler",),
    "contracts.task": ("Modes", "Simulator", "Task"),
    "data": ("Normaliser", "Pairs", "Scaling", "Splits"),
    "device": ("resolve_device",),
    "designer": ("Designer", "Proposal"),
    "enlarging": ("EnlargeConfig", "enlarge", "enlarged"),
    "errors": (
        "BudgetError",
        "ConfigError",
        "DataError",
        "DeviceError",
        "DivergedError",
        "InvcoreError",
        "PluginError",
        "ShapeError",
        "SimulatorError",
        "StoreError",
        "UnknownNameError",
    ),
    "events": ("Event",),
    "fitcontext": ("FitContext",),
    "folders": ("replace_folder",),
    "hookspecs": ("hookimpl",),
    "images": ("Border",),
    "localisation": ("LocalisationConfig", "localise", "localised_candidates"),
    "networks": ("MLP", "Surrogate", "SurrogateConfig", "fit_surrogate", "substate"),
    "owndata": ("OwnData",),
    "pacing": ("Pace", "anytime"),
    "plugins": ("installed",),
    "priors": (
        "Categorical",
        "ClippedNormal",
        "Integers",
        "Normal",
        "Poisson",
        "TruncatedNormal",
        "Uniform",
    ),
    "once": ("differentiable_once",),
    "progress": ("Progress", "terminal_progress"),
    "runconfig": ("RunConfig", "component_settings"),
    "runner": ("run",),
    "scoring": ("bootstrap", "expected_best", "median"),
    "scatter": ("point_keys", "scattered"),
    "seeding": ("generator", "isolated"),
    "simulators": ("OwnSimulator", "Program", "Solution", "read_simulator", "solve_with"),
    "solve": ("fit",),
    "space": ("Grid", "Space", "Variable"),
    "store": ("RunRecord", "Store"),
    "tables": ("Table", "read_table"),
    "training": ("LossBatch", "TrainingConfig", "train"),
    "trust": ("Trust",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = ["__version__", *sorted(_MODULE)]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'invcore' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"invcore.{_MODULE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE])
