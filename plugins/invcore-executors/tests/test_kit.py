"""Both executors keep the contract."""

from invcore.testing import PluginSuite


class TestSerial(PluginSuite):
    kind, name = "executor", "serial"


class TestProcesses(PluginSuite):
    kind, name = "executor", "processes"
