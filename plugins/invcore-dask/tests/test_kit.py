"""The executor keeps the contract."""

import pytest

from invcore.testing import PluginSuite


class TestDask(PluginSuite):
    kind, name = "executor", "dask"

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def at_scheduler(cls, cluster):
        cls.settings = {"scheduler": cluster.scheduler_address}
