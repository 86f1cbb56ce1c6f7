"""The loop keeps the contract of loops, and that of methods."""

from invcore.testing import PluginSuite


class TestClosedLoop(PluginSuite):
    kind, name = "loop", "closed-loop"
    settings = {"calls": 12}


class TestClosedLoopMethod(PluginSuite):
    kind, name = "method", "closed-loop"
    settings = {"calls": 12}
