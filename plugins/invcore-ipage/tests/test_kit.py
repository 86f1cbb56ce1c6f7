"""iPage keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestIPage(PluginSuite):
    kind, name = "method", "ipage"
