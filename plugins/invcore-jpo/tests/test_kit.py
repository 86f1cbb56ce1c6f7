"""The method keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestJointOptimisation(PluginSuite):
    kind, name = "method", "jpo"
