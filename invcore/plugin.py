"""What plugins import: the contracts, what these speak of, and the hooks' marker.

Networks are in `invcore.learning`, searches on them in `invcore.search`, small numerics in
`invcore.numerics`, stored runs and statistics in `invcore.results`, and what commands print with
in `invcore.cli.kit`. ``hookimpl`` and ``Component`` are in `invcore` too, which imports no torch.

The names are imported on first use: what reads tables and settings needs no torch.
"""

from typing import TYPE_CHECKING

from invcore.base.lazy_names import lazy_names

if TYPE_CHECKING:
    from invcore.base.device import resolve_device as resolve_device
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
    from invcore.base.errors import close_names as close_names
    from invcore.base.process.alarm import time_limit as time_limit
    from invcore.base.process.children import end_marked as end_marked
    from invcore.base.process.children import marked as marked
    from invcore.base.process.children import marked_environment as marked_environment
    from invcore.base.process.signs import sign as sign
    from invcore.base.process.signs import signs_to as signs_to
    from invcore.base.process.streams import streams_kept as streams_kept
    from invcore.base.progress import Progress as Progress
    from invcore.base.progress import Stage as Stage
    from invcore.base.seeding import generator as generator
    from invcore.base.seeding import isolated as isolated
    from invcore.base.text import drawn as drawn
    from invcore.base.text import harmless as harmless
    from invcore.base.text import one_line as one_line
    from invcore.base.text import printable as printable
    from invcore.base.text import quoted as quoted
    from invcore.base.text import shown as shown
    from invcore.base.types import Context as Context
    from invcore.base.types import Files as Files
    from invcore.configs.config import Config as Config
    from invcore.configs.config import Field as Field
    from invcore.configs.documents import parse_document as parse_document
    from invcore.configs.documents import read_document as read_document
    from invcore.configs.documents import read_text as read_text
    from invcore.configs.files import read_config as read_config
    from invcore.configs.limits import Limits as Limits
    from invcore.configs.settings import component_settings as component_settings
    from invcore.contracts.candidates import Candidates as Candidates
    from invcore.contracts.environment import SILENT as SILENT
    from invcore.contracts.environment import FitEnvironment as FitEnvironment
    from invcore.contracts.events import Event as Event
    from invcore.contracts.executor import Executor as Executor
    from invcore.contracts.executor import Job as Job
    from invcore.contracts.executor import JobPool as JobPool
    from invcore.contracts.executor import PooledExecutor as PooledExecutor
    from invcore.contracts.executor import Record as Record
    from invcore.contracts.executor import WorkerState as WorkerState
    from invcore.contracts.judge import FittedJudge as FittedJudge
    from invcore.contracts.judge import Judge as Judge
    from invcore.contracts.judge import Verdict as Verdict
    from invcore.contracts.loop import Loop as Loop
    from invcore.contracts.loop import Requests as Requests
    from invcore.contracts.loop import Results as Results
    from invcore.contracts.loop import StartedLoop as StartedLoop
    from invcore.contracts.method import Answers as Answers
    from invcore.contracts.method import InverseMethod as InverseMethod
    from invcore.contracts.method import InverseModel as InverseModel
    from invcore.contracts.method import Needs as Needs
    from invcore.contracts.metric import Estimate as Estimate
    from invcore.contracts.metric import Evaluation as Evaluation
    from invcore.contracts.metric import Metric as Metric
    from invcore.contracts.problem import GOALS as GOALS
    from invcore.contracts.problem import Problem as Problem
    from invcore.contracts.problem import Targets as Targets
    from invcore.contracts.sampler import Sampler as Sampler
    from invcore.contracts.simulation.call_record import History as History
    from invcore.contracts.simulation.simulator import Simulator as Simulator
    from invcore.contracts.surrogate import FittedSurrogate as FittedSurrogate
    from invcore.contracts.surrogate import Prediction as Prediction
    from invcore.contracts.surrogate import SurrogateModel as SurrogateModel
    from invcore.contracts.task import Modes as Modes
    from invcore.contracts.task import Task as Task
    from invcore.data.pairs import Pairs as Pairs
    from invcore.data.pairs import Splits as Splits
    from invcore.data.tables.arrays import real_array as real_array
    from invcore.data.tables.correlations import tolerance_texts as tolerance_texts
    from invcore.data.tables.read import read_table as read_table
    from invcore.data.tables.table import Table as Table
    from invcore.data.tables.write import Column as Column
    from invcore.data.tables.write import check_output as check_output
    from invcore.data.tables.write import write_table as write_table
    from invcore.expressions.names import resolved as resolved
    from invcore.expressions.names import written as written
    from invcore.registry.api_version import API_VERSION as API_VERSION
    from invcore.registry.component import Component as Component
    from invcore.registry.hookspecs import hookimpl as hookimpl
    from invcore.registry.loader import Plugins as Plugins
    from invcore.registry.loader import installed as installed
    from invcore.runs.derived_task import with_responses as with_responses
    from invcore.spaces.constraints.kinds import Among as Among
    from invcore.spaces.constraints.kinds import AnyOf as AnyOf
    from invcore.spaces.constraints.kinds import Cardinality as Cardinality
    from invcore.spaces.constraints.kinds import Constraint as Constraint
    from invcore.spaces.constraints.kinds import Fixed as Fixed
    from invcore.spaces.constraints.kinds import Interval as Interval
    from invcore.spaces.constraints.kinds import Levels as Levels
    from invcore.spaces.constraints.kinds import LinearEquality as LinearEquality
    from invcore.spaces.constraints.kinds import LinearInequality as LinearInequality
    from invcore.spaces.constraints.kinds import Nonlinear as Nonlinear
    from invcore.spaces.constraints.kinds import Periodic as Periodic
    from invcore.spaces.constraints.kinds import Values as Values
    from invcore.spaces.constraints.language import constraint_text as constraint_text
    from invcore.spaces.constraints.language import parse_constraint as parse_constraint
    from invcore.spaces.coverage import strata_kept as strata_kept
    from invcore.spaces.derived import DerivedResponse as DerivedResponse
    from invcore.spaces.derived import derived_responses as derived_responses
    from invcore.spaces.derived import with_derived as with_derived
    from invcore.spaces.made_designs import MadeDesigns as MadeDesigns
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
    from invcore.spaces.tolerances import Correlation as Correlation
    from invcore.spaces.tolerances import Tolerance as Tolerance
    from invcore.spaces.tolerances import Tolerances as Tolerances
    from invcore.spaces.tolerances import parse_tolerance as parse_tolerance
    from invcore.spaces.wishes import Wish as Wish
    from invcore.spaces.wishes import WishedSpecification as WishedSpecification
    from invcore.spaces.wishes import parse_wish as parse_wish
    from invcore.spaces.wishes import specification_of as specification_of
    from invcore.spaces.wishes.files import read_specifications as read_specifications
    from invcore.storage.atomic import replace_file as replace_file
    from invcore.storage.atomic import whole_folder as whole_folder
    from invcore.storage.cache import Cache as Cache
    from invcore.storage.locks import claimed as claimed
    from invcore.storage.seal import read_sealed_text as read_sealed_text
    from invcore.storage.seal import sealed as sealed
    from invcore.storage.sealed_tensors import read_sealed as read_sealed
    from invcore.storage.sealed_tensors import sealed_tensors as sealed_tensors

__getattr__, _NAMES = lazy_names(__name__, {
    "base.device": "resolve_device",
    "base.errors": (
        "BudgetError ConfigError DataError DeviceError DivergedError InvcoreError "
        "PluginError ShapeError SimulatorError StoreError UnfitError UnknownNameError "
        "close_names"
    ),
    "base.progress": "Progress Stage",
    "base.process.alarm": "time_limit",
    "base.process.children": "end_marked marked marked_environment",
    "base.process.signs": "sign signs_to",
    "base.process.streams": "streams_kept",
    "base.seeding": "generator isolated",
    "base.text": "drawn harmless one_line printable quoted shown",
    "base.types": "Context Files",
    "configs.config": "Config Field",
    "configs.documents": "parse_document read_document read_text",
    "configs.files": "read_config",
    "configs.settings": "component_settings",
    "contracts.candidates": "Candidates",
    "contracts.environment": "FitEnvironment SILENT",
    "contracts.events": "Event",
    "contracts.executor": "Executor Job JobPool PooledExecutor Record WorkerState",
    "configs.limits": "Limits",
    "contracts.judge": "FittedJudge Judge Verdict",
    "contracts.loop": "Loop Requests Results StartedLoop",
    "contracts.method": "Answers InverseMethod InverseModel Needs",
    "contracts.metric": "Estimate Evaluation Metric",
    "contracts.problem": "GOALS POINT Problem Targets",
    "contracts.sampler": "Sampler",
    "contracts.simulation.call_record": "History",
    "contracts.simulation.simulator": "Simulator",
    "contracts.surrogate": "FittedSurrogate Prediction SurrogateModel",
    "contracts.task": "Modes Task",
    "data.pairs": "Pairs Splits",
    "data.tables.arrays": "real_array",
    "data.tables.correlations": "tolerance_texts",
    "data.tables.read": "read_table",
    "data.tables.table": "Table",
    "data.tables.write": "Column check_output write_table",
    "expressions.names": "resolved written",
    "registry.api_version": "API_VERSION",
    "registry.component": "Component",
    "registry.hookspecs": "hookimpl",
    "registry.loader": "Plugins installed",
    "runs.derived_task": "with_responses",
    "spaces.coverage": "strata_kept",
    "spaces.derived": "DerivedResponse derived_responses with_derived",
    "spaces.constraints.kinds": (
        "Among AnyOf Cardinality Constraint Fixed Interval Levels LinearEquality LinearInequality "
        "Nonlinear Periodic Values"
    ),
    "spaces.constraints.language": "constraint_text parse_constraint",
    "spaces.made_designs": "MadeDesigns",
    "spaces.priors": (
        "Categorical ClippedNormal Integers LogNormal LogUniform Normal Poisson "
        "TruncatedNormal Uniform"
    ),
    "spaces.space": "Grid Space Variable",
    "spaces.specification": "Requirement Specification",
    "spaces.wishes": "Wish WishedSpecification parse_wish specification_of",
    "spaces.wishes.files": "read_specifications",
    "spaces.tolerances": "Correlation Tolerance Tolerances parse_tolerance",
    "storage.atomic": "replace_file whole_folder",
    "storage.cache": "Cache",
    "storage.locks": "claimed",
    "storage.seal": "read_sealed_text sealed",
    "storage.sealed_tensors": "read_sealed sealed_tensors",
}, within="invcore")  # fmt: skip

__all__ = [*_NAMES]
