"""Every task of this package keeps the contract of tasks."""

from invcore.testing import PluginSuite


class TestSineWave(PluginSuite):
    kind, name = "task", "sine-wave"


class TestRoboticArm(PluginSuite):
    kind, name = "task", "robotic-arm"


class TestRoboticArmObstacles(PluginSuite):
    kind, name = "task", "robotic-arm-obstacles"


class TestBallistics(PluginSuite):
    kind, name = "task", "ballistics"
