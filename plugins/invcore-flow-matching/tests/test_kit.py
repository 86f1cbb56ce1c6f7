"""Flow matching keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestFlowMatching(PluginSuite):
    kind, name = "method", "flow-matching"
