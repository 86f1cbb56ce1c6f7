"""The one fixed list of checks for each kind."""

from dataclasses import replace
from types import ModuleType

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
from invcore.testing.checks.methods import (
    calls,
    density,
    honesty,
    independence,
    predictions,
    repeats,
    specifications,
    validity,
)

QUALITY: dict[Kind, frozenset[str]] = {
    "method": frozenset(
        {
            "beats-ignoring-the-target",
            "ranking",
            "intervals",
            "one-sided",
            "between-clusters",
            "ignored-response",
            "goals",
        }
    ),
    "loop": frozenset({"as-method"}),
    "surrogate": frozenset({"accuracy", "uncertainty"}),
    "judge": frozenset({"coverage", "probability-orders"}),
}
"""Checks that no contract promises: how good the answers are."""

HONESTY: dict[Kind, frozenset[str]] = {
    "task": frozenset({"counted"}),
    "method": frozenset(
        {
            "calls-recorded",
            "earlier-fits",
            "predicted-misses",
            "restores-elsewhere",
            "simulator-budget",
            "test-split-unopened",
        }
    ),
    "loop": frozenset({"best", "state"}),
    "metric": frozenset({"evaluation-unchanged"}),
    "executor": frozenset({"every-job-once", "records-unchanged", "one-job-at-a-time"}),
}
"""Checks that no reason excuses: without them numbers are not what they seem."""


def _checks(kind: Kind, *modules: ModuleType) -> tuple[Check, ...]:
    """The checks of a kind, each with its category."""
    quality, honest = QUALITY.get(kind, ()), HONESTY.get(kind, ())
    return tuple(
        replace(
            check,
            category="quality" if check.name in quality else "conformance",
            excusable=check.name not in honest,
        )
        for check in checks_of(*modules)
    )


CHECKS: dict[Kind, tuple[Check, ...]] = {
    "task": _checks("task", configs, tasks),
    "method": _checks(
        "method",
        configs,
        validity,
        repeats,
        independence,
        predictions,
        density,
        honesty,
        calls,
        specifications,
    ),
    "loop": _checks("loop", configs, loops),
    "surrogate": _checks("surrogate", configs, surrogates),
    "judge": _checks("judge", configs, judges),
    "sampler": _checks("sampler", configs, samplers),
    "metric": _checks("metric", configs, metrics),
    "executor": _checks("executor", configs, executors),
}
"""By kind, in the order in which they run."""
