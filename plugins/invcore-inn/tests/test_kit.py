"""The invertible network keeps the contract of methods."""

from invcore.testing import PluginSuite


class TestINN(PluginSuite):
    kind, name = "method", "inn"
    strict = (
        False  # after the 30 epochs of `quick` it misses narrow intervals; after 80 it does not
    )
