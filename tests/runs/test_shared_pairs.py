"""Pairs of a costly simulator are simulated once, whatever methods want them."""

from __future__ import annotations

import pytest
import torch

from invcore import RunConfig, Store, run


@pytest.fixture
def work(make_plugins, line, tmp_path):
    counts = {"rows": 0}

    class Counting(line):
        def simulate(self, x, context=None):
            counts["rows"] += len(x)
            return super().simulate(x)

    class Free(Counting):
        free_calls = True

    plugins = make_plugins(task={"counting": Counting, "free": Free})

    def go(method, task="counting", store=True, **changes):
        data = {"task": task, "method": method, "sampler": "random", "targets": 6,
                "candidates": 2, "pairs": 50, "device": "cpu"} | changes  # fmt: skip
        before = counts["rows"]
        place = Store(tmp_path / "runs") if store else None
        record = run(RunConfig.resolve(data, preset="quick"), plugins=plugins, store=place)
        assert record.status == "ok", record.reason
        return record, counts["rows"] - before, place

    return go


def test_the_second_method_gets_the_pairs_of_the_first(work):
    judged = 6 * 2
    first, rows, store = work("mdn")
    assert rows == 50 + 6 + judged and first.training_calls == 50
    second, rows, _ = work("tandem")
    assert rows == judged
    assert second.training_calls == 50  # each has to be given them all the same
    targets = [store.tensors(r.id, "candidates")["targets"] for r in (first, second)]
    assert torch.equal(*targets)


@pytest.mark.parametrize("change", [{"seed": 1}, {"pairs": 60}, {"targets": 7}])
def test_other_data_are_simulated_for_themselves(work, change):
    work("mdn")
    _, rows, _ = work("tandem", **change)
    count = change.get("targets", 6)
    assert rows == change.get("pairs", 50) + count + 2 * count


def test_what_may_be_called_freely_is_drawn_anew(work):
    work("mdn", task="free")
    _, rows, store = work("tandem", task="free")
    assert rows > 50
    assert not [path for path in store.cache.glob("pairs-*")]


def test_without_a_store_nothing_is_shared(work):
    work("mdn", store=False)
    assert work("tandem", store=False)[1] == 50 + 6 + 12
