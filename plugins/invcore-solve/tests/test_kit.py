"""The judge keeps the contract of judges."""

from invcore.testing import PluginSuite


class TestConformalEnsemble(PluginSuite):
    kind, name = "judge", "conformal-ensemble"
