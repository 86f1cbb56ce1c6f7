"""The one fixed list of checks for each kind."""

from __future__ import annotations

from invcore.base.kinds import Kind
from invcore.testing.check import Check
from invcore.testing.checks.configs import CONFIG_CHECKS
from invcore.testing.checks.executors import EXECUTOR_CHECKS
from invcore.testing.checks.method_honesty import HONESTY_CHECKS
from invcore.testing.checks.method_repeats import REPEAT_CHECKS
from invcore.testing.checks.method_validity import VALIDITY_CHECKS
from invcore.testing.checks.metrics import METRIC_CHECKS
from invcore.testing.checks.samplers import SAMPLER_CHECKS
from invcore.testing.checks.tasks import TASK_CHECKS

CHECKS: dict[Kind, tuple[Check, ...]] = {
    "task": CONFIG_CHECKS + TASK_CHECKS,
    "method": CONFIG_CHECKS + VALIDITY_CHECKS + REPEAT_CHECKS + HONESTY_CHECKS,
    "sampler": CONFIG_CHECKS + SAMPLER_CHECKS,
    "metric": CONFIG_CHECKS + METRIC_CHECKS,
    "executor": CONFIG_CHECKS + EXECUTOR_CHECKS,
}
"""By kind, in the order in which they run."""
