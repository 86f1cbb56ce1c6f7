"""Promises that a component says it does not keep, with the reason: ``expected_failures``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from invcore.base.errors import PluginError, close_names
from invcore.testing.check import Check

ATTRIBUTE = "expected_failures"


def expected_failures(
    component: type[Any], checks: Sequence[Check], more: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The checks that a component is expected to fail, with reasons.

    Args:
        component: a class, which may have ``expected_failures``: reasons by names of checks.
        checks: of its kind.
        more: further reasons, of its tests.

    Raises:
        PluginError: a name that is no check, one that cannot be excused, or a missing reason.

    Example:
        >>> from invcore.testing import CHECKS
        >>> class Slow:
        ...     expected_failures = {"batch-size": "the library pads batches"}
        >>> expected_failures(Slow, CHECKS["method"])
        {'batch-size': 'the library pads batches'}
    """
    declared = getattr(component, ATTRIBUTE, {})
    where = f"{component.__name__}.{ATTRIBUTE}"
    if not isinstance(declared, Mapping):
        raise PluginError(f"{where}: expected reasons by names of checks, got {declared!r:.60}")
    reasons = {**declared, **(more or {})}
    by_name = {check.name: check for check in checks}
    for name, reason in reasons.items():
        if name not in by_name:
            raise PluginError(f"{where}: no check {name!r}. {close_names(str(name), by_name)}")
        if not by_name[name].excusable:
            raise PluginError(
                f"{where}: {name!r} cannot be excused: without it no result of the component, nor "
                "any comparison with it, means what it says"
            )
        if not (isinstance(reason, str) and reason.strip()):
            raise PluginError(f"{where}: {name!r} has no reason")
    return reasons
