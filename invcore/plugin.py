"""What plugins import: the contracts, what these speak of, and the hooks' marker.

Networks are in `invcore.learning`, searches on them in `invcore.search`, small numerics in
`invcore.numerics`, stored runs and statistics in `invcore.results`, and what commands print with
in `invcore.cli.kit`. ``hookimpl`` and ``Component`` are in `invcore` too, which imports no torch.
"""

from invcore.base.device import resolve_device
from invcore.base.errors import (
    BudgetError,
    ConfigError,
    DataError,
    DeviceError,
    DivergedError,
    InvcoreError,
    PluginError,
    ShapeError,
    SimulatorError,
    StoreError,
    UnfitError,
    UnknownNameError,
    close_names,
)
from invcore.base.progress import Progress, Stage
from invcore.base.seeding import generator, isolated
from invcore.base.text import one_line, printable, quoted
from invcore.base.types import Context, Files
from invcore.configs.config import Config, Field
from invcore.configs.files import read_config
from invcore.configs.settings import component_settings
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import SILENT, FitEnvironment
from invcore.contracts.events import Event
from invcore.contracts.executor import Executor, Job, Record
from invcore.contracts.judge import FittedJudge, Judge, Verdict
from invcore.contracts.loop import Loop, Requests, Results, StartedLoop
from invcore.contracts.method import InverseMethod, InverseModel, Needs
from invcore.contracts.metric import Estimate, Evaluation, Metric
from invcore.contracts.problem import GOALS, Problem, Targets
from invcore.contracts.sampler import Sampler
from invcore.contracts.simulation.call_record import History
from invcore.contracts.simulation.simulator import Simulator
from invcore.contracts.surrogate import FittedSurrogate, Prediction, SurrogateModel
from invcore.contracts.task import Modes, Task
from invcore.data.pairs import Pairs, Splits
from invcore.data.tables.arrays import real_array
from invcore.data.tables.read import read_table
from invcore.data.tables.table import Table
from invcore.data.tables.write import Column, check_output, write_table
from invcore.registry.api_version import API_VERSION
from invcore.registry.component import Component
from invcore.registry.hookspecs import hookimpl
from invcore.registry.loader import Plugins, installed
from invcore.spaces.constraints.kinds import (
    Among,
    Constraint,
    Fixed,
    Levels,
    LinearEquality,
    Periodic,
)
from invcore.spaces.priors import (
    Categorical,
    ClippedNormal,
    Integers,
    LogUniform,
    Normal,
    Poisson,
    TruncatedNormal,
    Uniform,
)
from invcore.spaces.space import Grid, Space, Variable
from invcore.spaces.specification import Requirement, Specification
from invcore.storage.atomic import replace_file, whole_folder
from invcore.storage.cache import Cache

__all__ = [
    "API_VERSION", "GOALS", "SILENT", "Among", "BudgetError", "Cache", "Candidates", "Categorical",
    "ClippedNormal", "Column", "Component", "Config", "ConfigError", "Constraint", "Context",
    "DataError", "DeviceError", "DivergedError", "Estimate", "Evaluation", "Event", "Executor",
    "Field", "Files", "FitEnvironment", "FittedJudge", "FittedSurrogate", "Fixed", "Grid",
    "History", "Integers", "InvcoreError", "InverseMethod", "InverseModel", "Job", "Judge",
    "Levels", "LinearEquality", "LogUniform", "Loop", "Metric", "Modes", "Needs", "Normal", "Pairs",
    "Periodic", "PluginError", "Plugins", "Poisson", "Prediction", "Problem", "Progress", "Record",
    "Requests", "Requirement", "Results", "Sampler", "ShapeError", "Simulator", "SimulatorError",
    "Space", "Specification", "Splits", "Stage", "StartedLoop", "StoreError", "SurrogateModel",
    "Table", "Targets", "Task", "TruncatedNormal", "UnfitError", "Uniform", "UnknownNameError",
    "Variable", "Verdict", "check_output", "close_names", "component_settings", "generator",
    "hookimpl", "installed", "isolated", "one_line", "printable", "quoted", "read_config",
    "read_table", "real_array", "replace_file", "resolve_device", "whole_folder", "write_table",
]  # fmt: skip
