"""The six methods keep the contract of methods."""

from invcore.testing import PluginSuite


class TestBFGS(PluginSuite):
    kind, name = "method", "bfgs"
    settings = {"steps": 20}


class TestLBFGS(PluginSuite):
    kind, name = "method", "lbfgs"
    settings = {"steps": 20}


class TestGradientDescent(PluginSuite):
    kind, name = "method", "gradient-descent"
    settings = {"steps": 20}


class TestAdam(PluginSuite):
    kind, name = "method", "adam"
    settings = {"steps": 30, "rate": 0.1}


class TestRandomSearch(PluginSuite):
    kind, name = "method", "random-search"
    settings = {"tries": 50}


class TestCMAES(PluginSuite):
    kind, name = "method", "cma-es"
    settings = {"generations": 8}
