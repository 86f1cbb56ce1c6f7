"""The one fixed list of checks for each kind."""

from invcore.base.component_kinds import Kind
from invcore.testing.check import Check, checks_of
from invcore.testing.checks import (
    configs,
    executors,
    judges,
    loops,
    metrics,
    samplers,
    surrogates,
    tasks,
)
from invcore.testing.checks import method_honesty as honesty
from invcore.testing.checks import method_repeats as repeats
from invcore.testing.checks import method_validity as validity

CHECKS: dict[Kind, tuple[Check, ...]] = {
    "task": checks_of(configs, tasks),
    "method": checks_of(configs, validity, repeats, honesty),
    "loop": checks_of(configs, loops),
    "surrogate": checks_of(configs, surrogates),
    "judge": checks_of(configs, judges),
    "sampler": checks_of(configs, samplers),
    "metric": checks_of(configs, metrics),
    "executor": checks_of(configs, executors),
}
"""By kind, in the order in which they run."""
