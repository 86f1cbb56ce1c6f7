"""The invertible network keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestINN(PluginSuite):
    kind, name = "method", "inn"
    settings = {"training": {"epochs": 80}}  # the 30 of `quick` are too few to follow what is asked
