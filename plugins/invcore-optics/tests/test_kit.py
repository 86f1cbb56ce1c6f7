"""Every task of this package keeps the contract of tasks."""

from invcore.testing import PluginSuite


class TestThinFilm(PluginSuite):
    kind, name = "task", "thin-film"


class TestNanoshell(PluginSuite):
    kind, name = "task", "nanoshell"
