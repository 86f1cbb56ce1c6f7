"""The neural adjoint keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestNeuralAdjoint(PluginSuite):
    kind, name = "method", "na"
