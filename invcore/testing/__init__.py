"""The conformance kit: one fixed list of checks for each kind of component.

A plugin's test has two lines:

    class TestNeuralAdjoint(PluginSuite):
        kind, name = "method", "na"

and ``invcore check-plugin`` runs the same checks on what is installed. Only ``PluginSuite`` needs
pytest (the extra ``invcore[testing]``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from invcore.testing.catalogue import CHECKS
from invcore.testing.checks import Check, CheckFailed, NotApplicable, Outcome, run_checks
from invcore.testing.evaluations import Example, evaluation
from invcore.testing.report import Report, check_plugin
from invcore.testing.subjects import MethodSubject, Subject

if TYPE_CHECKING:
    from invcore.testing.suite import PluginSuite

__all__ = [
    "CHECKS",
    "Check",
    "CheckFailed",
    "Example",
    "MethodSubject",
    "NotApplicable",
    "Outcome",
    "PluginSuite",
    "Report",
    "Subject",
    "check_plugin",
    "evaluation",
    "run_checks",
]


def __getattr__(name: str) -> Any:
    if name == "PluginSuite":  # imports pytest
        from invcore.testing.suite import PluginSuite

        return PluginSuite
    raise AttributeError(f"module 'invcore.testing' has no attribute {name!r}")
