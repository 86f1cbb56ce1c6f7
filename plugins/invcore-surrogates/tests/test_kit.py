"""Every surrogate of this package keeps the contract of surrogates."""

from invcore.testing import PluginSuite


class TestGaussianProcess(PluginSuite):
    kind, name = "surrogate", "gaussian-process"


class TestExtraTrees(PluginSuite):
    kind, name = "surrogate", "extra-trees"


class TestLinear(PluginSuite):
    kind, name = "surrogate", "linear"


class TestPls(PluginSuite):
    kind, name = "surrogate", "pls"


class TestNetwork(PluginSuite):
    kind, name = "surrogate", "network"
