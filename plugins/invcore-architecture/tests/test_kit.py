"""The task keeps the contract of tasks, at 8 × 8 pixels: the kit moves one pixel at a time."""

from invcore.testing import PluginSuite


class TestArchitecture(PluginSuite):
    kind, name = "task", "architecture"
    settings = {"side": 8}


class TestLogarithmAlongY(PluginSuite):
    kind, name = "task", "architecture"
    settings = {"side": 8, "response": "log10", "direction": "y"}


class TestBinary(PluginSuite):
    kind, name = "task", "architecture"
    settings = {"side": 8, "binary": True}
