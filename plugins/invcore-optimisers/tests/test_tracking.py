"""What is told of a search: the best error so far, and what it cost."""

from __future__ import annotations

import torch
from invcore_optimisers.tracking import _LIMIT, Tracker

from invcore import RunConfig, Store, run


class Counted:
    calls = 7


def test_records_are_thinned_and_end_with_the_last():
    simulator = Counted()
    tracker = Tracker(simulator, 1)
    for number in range(3000):
        simulator.calls += 2
        tracker.add(torch.tensor([0]), torch.tensor([1.0 / (1 + number)]))
    history = tracker.history()
    assert _LIMIT // 2 <= len(history.calls) <= _LIMIT
    assert history.calls[0] == 2 and history.calls[-1] == 6000
    assert history.error[-1, 0] == torch.tensor(1.0 / 3000).double()
    assert bool((history.calls.diff() > 0).all()) and bool((history.error.diff(dim=0) <= 0).all())


def test_runs_keep_it(tmp_path):
    for method in ("bfgs", "adam", "random-search", "cma-es", "lbfgs", "gradient-descent"):
        config = RunConfig.resolve(
            {"task": "sine-wave", "method": method, "targets": 3, "candidates": 2, "pairs": 20},
            preset="quick",
        )
        store = Store(tmp_path)
        record = run(config, store=store, keep_going=False)
        kept = store.tensors(record.id, "candidates")
        assert kept["history.error"].shape[1] == 3
        best = kept["errors"].amin(dim=1)
        assert bool((kept["history.error"][-1] <= best * (1 + 1e-9)).all()), method
        assert int(kept["history.calls"][-1]) <= record.simulator_calls
