"""The task keeps the contract of tasks."""

import pytest
from invcore_proxy import write_bundle

from invcore.testing import PluginSuite

from .conftest import box, outputs


class TestProxyTask(PluginSuite):
    kind, name = "task", "proxy"

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _bundle(cls, small, tmp_path_factory):
        folder = tmp_path_factory.mktemp("kit") / "waves"
        write_bundle(folder, *small[:2], box("ab"), outputs(2))
        cls.settings = {"bundle": str(folder)}
