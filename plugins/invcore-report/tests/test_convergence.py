"""What is drawn of a search's history."""

from __future__ import annotations

import torch
from invcore_report.convergence import search_history

from invcore import Store
from invcore.storage.run_record import RunRecord


def written(tmp_path, held):
    store = Store(tmp_path)
    record = RunRecord(
        id="0" * 12, task="t", method="m", sampler="lhs", candidates=1, targets=3, seed=0,
        device="cpu",
    )  # fmt: skip
    store.write(record, tensors={"candidates": {"targets": torch.zeros(3, 1), **held}})
    return store, record.id


def test_it_is_the_median_over_targets_and_calls_a_target(tmp_path):
    inf = torch.inf
    store, run = written(
        tmp_path,
        {
            "history.error": torch.tensor([[inf, inf, 1.0], [4.0, 9.0, 1.0], [4.0, 2.0, 1.0]]),
            "history.calls": torch.tensor([3, 30, 60]),
            "history.seconds": torch.tensor([0.1, 0.2, 0.4], dtype=torch.float64),
        },
    )
    history = search_history(store, run)
    assert history.middle.tolist() == [4.0, 2.0]  # the first median is infinite
    assert history.most.tolist() == [9.0, 4.0]
    assert history.calls.tolist() == [10.0, 20.0] and history.seconds.tolist() == [0.2, 0.4]


def test_the_median_of_two_is_between_them(tmp_path):
    errors = torch.tensor([[1.0, 3.0], [torch.nan, 2.0], [torch.inf, torch.inf]])
    store, run = written(
        tmp_path,
        {
            "history.error": errors,
            "history.calls": torch.tensor([2, 4, 6]),
            "history.seconds": torch.tensor([0.1, 0.2, 0.4]),
        },
    )
    history = search_history(store, run)
    assert history.middle.tolist() == [2.0, 2.0]
    assert history.most.tolist()[0] == 3.0


def test_most_methods_have_none(tmp_path):
    assert search_history(*written(tmp_path, {})) is None
