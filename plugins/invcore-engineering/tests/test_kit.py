"""Every task of this package keeps the contract of tasks."""

from invcore.testing import PluginSuite


class TestWeldedBeam(PluginSuite):
    kind, name = "task", "welded-beam"


class TestPressureVessel(PluginSuite):
    kind, name = "task", "pressure-vessel"


class TestSpeedReducer(PluginSuite):
    kind, name = "task", "speed-reducer"


class TestConcreteMixture(PluginSuite):
    kind, name = "task", "concrete-mixture"


class TestOpticalCoating(PluginSuite):
    kind, name = "task", "optical-coating"
