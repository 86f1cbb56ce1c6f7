"""The six methods keep the contract of methods."""

from invcore.testing import PluginSuite


class TestBFGS(PluginSuite):
    kind, name = "method", "bfgs"


class TestLBFGS(PluginSuite):
    kind, name = "method", "lbfgs"


class TestGradientDescent(PluginSuite):
    kind, name = "method", "gradient-descent"


class TestAdam(PluginSuite):
    kind, name = "method", "adam"


class TestRandomSearch(PluginSuite):
    kind, name = "method", "random-search"


class TestCMAES(PluginSuite):
    kind, name = "method", "cma-es"
    settings = {"generations": 25}
