"""The one fixed list of checks for each kind."""

from invcore.base.component_kinds import Kind
from invcore.testing.check import Check, checks_of
from invcore.testing.checks import configs, executors, metrics, samplers, tasks
from invcore.testing.checks import method_calls as calls
from invcore.testing.checks import method_density as density
from invcore.testing.checks import method_honesty as honesty
from invcore.testing.checks import method_independence as independence
from invcore.testing.checks import method_predictions as predictions
from invcore.testing.checks import method_repeats as repeats
from invcore.testing.checks import method_validity as validity

CHECKS: dict[Kind, tuple[Check, ...]] = {
    "task": checks_of(configs, tasks),
    "method": checks_of(
        configs, validity, repeats, independence, predictions, density, honesty, calls
    ),
    "sampler": checks_of(configs, samplers),
    "metric": checks_of(configs, metrics),
    "executor": checks_of(configs, executors),
}
"""By kind, in the order in which they run."""
