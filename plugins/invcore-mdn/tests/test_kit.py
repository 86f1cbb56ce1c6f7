"""The mixture density network keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestMixtureDensity(PluginSuite):
    kind, name = "method", "mdn"
