"""The conditional invertible network keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestConditionalINN(PluginSuite):
    kind, name = "method", "cinn"
