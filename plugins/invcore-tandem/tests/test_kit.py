"""Tandem keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestTandem(PluginSuite):
    kind, name = "method", "tandem"
