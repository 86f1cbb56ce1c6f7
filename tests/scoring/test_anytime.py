"""The pace of a run, by hand."""

from __future__ import annotations

import pytest
import torch

from invcore.base.errors import ShapeError
from invcore.base.seeding import generator
from invcore.scoring.anytime import anytime
from invcore.scoring.expected_best import expected_best

ERRORS = torch.rand(5, 8, generator=generator(0), dtype=torch.float64)


@pytest.mark.parametrize("ranked", [False, True])
def test_the_errors_are_those_of_r_t(ranked):
    pace = anytime(ERRORS, ranked=ranked, propose_s=1.0, call_s=0.1, counts=[1, 3, 8])
    expected = expected_best(ERRORS, [1, 3, 8], ranked=ranked).mean(dim=1)
    torch.testing.assert_close(pace.best, expected)


def test_exchangeable_candidates_come_one_by_one():
    """40 proposals in 20 s are 0.5 s each; 80 calls for them are 2 each."""
    pace = anytime(
        ERRORS, ranked=False, propose_s=20.0, call_s=0.25, counts=[1, 4, 8], propose_calls=80
    )
    assert pace.seconds.tolist() == [0.75, 3.0, 6.0]
    assert pace.calls.tolist() == [3.0, 12.0, 24.0]


def test_ranked_candidates_come_all_at_once():
    pace = anytime(
        ERRORS, ranked=True, propose_s=20.0, call_s=0.25, counts=[1, 4, 8], propose_calls=80
    )
    assert pace.seconds.tolist() == [4.25, 5.0, 6.0]
    assert pace.calls.tolist() == [17.0, 20.0, 24.0]


def test_all_candidates_cost_the_same_either_way():
    """With T = K there is nothing left to wait for."""
    both = [
        anytime(ERRORS, ranked=ranked, propose_s=7.0, call_s=0.5, counts=[8], propose_calls=9)
        for ranked in (False, True)
    ]
    for one, other in zip(*both, strict=True):
        torch.testing.assert_close(one, other)


def test_targets_without_an_answer_count_as_the_penalty():
    errors = torch.tensor([[1.0, torch.nan], [torch.nan, torch.nan], [3.0, 5.0]])
    facts = {"ranked": True, "propose_s": 1.0, "call_s": 0.0, "counts": [1, 2]}
    assert anytime(errors, **facts).best.isinf().all(), "nothing is known of how bad that is"
    penalty = torch.tensor([10.0, 20.0, 30.0])
    assert anytime(errors, **facts, penalty=penalty).best.tolist() == [8.0, 8.0]


@pytest.mark.parametrize("errors", [torch.empty(0, 3), torch.empty(3, 0), torch.zeros(3)])
def test_no_errors(errors):
    with pytest.raises(ShapeError, match="anytime: expected errors"):
        anytime(errors, ranked=False, propose_s=1.0, call_s=0.0, counts=[1])


@pytest.mark.parametrize("count", [0, 9])
def test_counts_out_of_range(count):
    with pytest.raises(ShapeError, match=f"T = {count} of 8"):
        anytime(ERRORS, ranked=False, propose_s=1.0, call_s=0.0, counts=[count])
