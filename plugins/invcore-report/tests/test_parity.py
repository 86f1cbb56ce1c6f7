"""The chart of what was got over what was wanted."""

from __future__ import annotations

import pytest
import torch
from invcore_report.parity import _pairs

from invcore import Store
from invcore.storage.run_record import RunRecord


@pytest.mark.parametrize("responses", [1, 2])
def test_pairs_are_of_the_first_candidates_that_have_a_response(tmp_path, responses):
    store = Store(tmp_path)
    record = RunRecord(
        id="0" * 12, task="t", method="m", sampler="lhs", candidates=3, targets=700, seed=0,
        device="cpu",
    )  # fmt: skip
    wanted = torch.arange(700.0).double()[:, None].repeat(1, responses)
    got = torch.stack([wanted + 0.5, wanted - 9, wanted + 9], dim=1)
    got[1::2, 0] = torch.nan
    held = {"targets": wanted, "resimulated": got}
    store.write(record, tensors={"candidates": held})
    found = _pairs(store, record.id)
    if responses > 1:
        assert found is None
        return
    assert len(found[0]) == 300 and found[0][0] == 0.0 and found[0][-1] == 698.0
    assert bool((found[0] % 2 == 0).all())
    assert torch.equal(found[1], found[0] + 0.5)
