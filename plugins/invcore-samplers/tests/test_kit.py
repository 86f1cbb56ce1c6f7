"""Every sampler of this package keeps the contract of samplers."""

from invcore.testing import PluginSuite


class TestRandom(PluginSuite):
    kind, name = "sampler", "random"


class TestLHS(PluginSuite):
    kind, name = "sampler", "lhs"


class TestMaximinLHS(PluginSuite):
    kind, name = "sampler", "maximin-lhs"
    settings = {"effort": 0.1}


class TestSobol(PluginSuite):
    kind, name = "sampler", "sobol"


class TestHalton(PluginSuite):
    kind, name = "sampler", "halton"
