"""Every surrogate of this package keeps the contract of surrogates."""

from invcore.testing import PluginSuite


class TestGaussianProcess(PluginSuite):
    kind, name = "surrogate", "gaussian-process"


class TestNetwork(PluginSuite):
    kind, name = "surrogate", "network"
