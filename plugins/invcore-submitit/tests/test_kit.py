"""The executor keeps the contract."""

import pytest

from invcore.testing import PluginSuite


# submitit waits for no process of this machine.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class TestSubmitit(PluginSuite):
    kind, name = "executor", "submitit"

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def in_folder(cls, tmp_path_factory):
        folder = tmp_path_factory.mktemp("submitit")
        cls.settings = {"cluster": "local", "folder": str(folder), "together": 4}
