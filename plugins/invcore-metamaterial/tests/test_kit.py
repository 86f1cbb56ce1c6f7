"""The task keeps its contract; by its proxy, the solver being slow and tested by itself."""

from invcore.testing import PluginSuite


class TestMetaMaterial(PluginSuite):
    kind, name = "task", "meta-material"
