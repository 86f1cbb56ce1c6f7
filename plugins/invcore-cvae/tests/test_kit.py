"""The conditional variational auto-encoder keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestConditionalVAE(PluginSuite):
    kind, name = "method", "cvae"
