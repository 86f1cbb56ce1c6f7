"""Every task of this package keeps the contract of tasks."""

from invcore.testing import PluginSuite


class TestWavePacket(PluginSuite):
    kind, name = "task", "wave-packet"


class TestBilliards(PluginSuite):
    kind, name = "task", "billiards"


class TestKuramotoSivashinsky(PluginSuite):
    kind, name = "task", "kuramoto-sivashinsky"


class TestIncompressibleFlow(PluginSuite):
    kind, name = "task", "incompressible-flow"
