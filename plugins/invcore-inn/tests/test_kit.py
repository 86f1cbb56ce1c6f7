"""The invertible network keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestINN(PluginSuite):
    kind, name = "method", "inn"
