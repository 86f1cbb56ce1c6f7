"""What people are told a run was on."""

import pytest

from invcore.storage.index.listed_run import task_label
from invcore.storage.run_record import RunRecord


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"task": {"name": "sine-wave"}}, "sine-wave"),
        ({"task": {"name": "sine-wave", "bundle": "data/my-task"}}, "my-task/"),
        ({"task": {"name": "sine-wave", "bundle": "data/my-task/"}}, "my-task/"),
        ({}, "sine-wave"),
        ({"task": {}}, "sine-wave"),
    ],
)
def test_a_task_that_came_as_a_folder_has_the_folders_name(config, said):
    record = RunRecord(
        id="0" * 12, kind="run", task="sine-wave", method="na", sampler="lhs", candidates=1,
        targets=1, seed=0, device="cpu", config=config, versions={}, created="2026-01-01T00:00:00",
    )  # fmt: skip
    assert task_label(record) == said
