"""All keep the contract of methods; the two that are loops keep that of loops too."""

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


class TestRandomSearchLoop(PluginSuite):
    kind, name = "loop", "random-search"
    settings = {"tries": 50}


class TestCMAESLoop(PluginSuite):
    kind, name = "loop", "cma-es"
    settings = {"generations": 8}
