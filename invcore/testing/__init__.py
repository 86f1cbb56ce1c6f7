"""The conformance kit: one fixed list of checks for each kind of component.

A plugin's test has two lines:

    class TestNeuralAdjoint(PluginSuite):
        kind, name = "method", "na"

and ``invcore check-plugin`` runs the same checks on what is installed. Only ``PluginSuite`` needs
pytest (the extra ``invcore[testing]``).
"""

from typing import TYPE_CHECKING

from invcore.base.lazy_names import lazy_names

if TYPE_CHECKING:
    from invcore.testing.bytes_of_runs import stored_bytes as stored_bytes
    from invcore.testing.cases.component_under_test import MethodSubject as MethodSubject
    from invcore.testing.cases.component_under_test import Subject as Subject
    from invcore.testing.cases.evaluations import Example as Example
    from invcore.testing.cases.evaluations import evaluation as evaluation
    from invcore.testing.catalogue import CHECKS as CHECKS
    from invcore.testing.check import Check as Check
    from invcore.testing.check import CheckFailed as CheckFailed
    from invcore.testing.check import NotApplicable as NotApplicable
    from invcore.testing.check import Outcome as Outcome
    from invcore.testing.check import run_checks as run_checks
    from invcore.testing.report import Report as Report
    from invcore.testing.report import check_plugin as check_plugin
    from invcore.testing.suite import PluginSuite as PluginSuite

# On first use: the processes in which executors' checks work need neither torch nor pytest.
__getattr__, _NAMES = lazy_names(__name__, {
    "catalogue": "CHECKS",
    "check": "Check CheckFailed NotApplicable Outcome run_checks",
    "cases.evaluations": "Example evaluation",
    "cases.component_under_test": "MethodSubject Subject",
    "report": "Report check_plugin",
    "bytes_of_runs": "stored_bytes",
    "suite": "PluginSuite",
})  # fmt: skip

__all__ = [*_NAMES]
