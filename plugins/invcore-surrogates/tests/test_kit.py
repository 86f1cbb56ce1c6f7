"""Every surrogate of this package keeps the contract of surrogates."""

from invcore_surrogates import RegressorSurrogate
from sklearn.svm import SVR

from invcore.testing import PluginSuite


class TestGaussianProcess(PluginSuite):
    kind, name = "surrogate", "gaussian-process"


class TestExtraTrees(PluginSuite):
    kind, name = "surrogate", "extra-trees"


class TestBoostedTrees(PluginSuite):
    kind, name = "surrogate", "boosted-trees"


class TestLinear(PluginSuite):
    kind, name = "surrogate", "linear"


class TestPls(PluginSuite):
    kind, name = "surrogate", "pls"


class TestNetwork(PluginSuite):
    kind, name = "surrogate", "network"


class Supported(RegressorSurrogate):
    def __init__(self, config=None):
        super().__init__(SVR(C=100.0, epsilon=0.01), config)


class TestRegressor(PluginSuite):
    kind, name, component = "surrogate", "supported", Supported
