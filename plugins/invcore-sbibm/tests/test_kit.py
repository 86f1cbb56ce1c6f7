"""Every task and the metric of this package keep their contracts."""

from invcore.testing import PluginSuite


class TestTwoMoons(PluginSuite):
    kind, name = "task", "two-moons"


class TestGaussianLinear(PluginSuite):
    kind, name = "task", "gaussian-linear"


class TestGaussianLinearUniform(PluginSuite):
    kind, name = "task", "gaussian-linear-uniform"


class TestGaussianMixture(PluginSuite):
    kind, name = "task", "gaussian-mixture"


class TestSlcp(PluginSuite):
    kind, name = "task", "slcp"


class TestSlcpDistractors(PluginSuite):
    kind, name = "task", "slcp-distractors"


class TestBernoulliGlm(PluginSuite):
    kind, name = "task", "bernoulli-glm"


class TestSir(PluginSuite):
    kind, name = "task", "sir"


class TestLotkaVolterra(PluginSuite):
    kind, name = "task", "lotka-volterra"


class TestC2stReference(PluginSuite):
    kind, name = "metric", "c2st-reference"
