"""What a simulator remembers of a search."""

import pytest
import torch

from invcore.data.pairs import Pairs
from invcore.runs import seen_rows
from invcore.runs.seen_rows import RememberingSimulator
from tests.search.refinement.formulas import Formula, unit


def test_rows_with_a_response_are_remembered_with_their_problem() -> None:
    task = Formula(unit("a"), 1, lambda x: torch.where(x > 0.9, torch.nan, x), {"factor": (1,)})
    context = {"factor": torch.tensor([[1.0], [3.0]]).double()}
    simulator = RememberingSimulator(
        task, generator=torch.Generator(), context=context, targets=torch.zeros(2, 1)
    )
    x, whose = torch.tensor([[0.1], [0.2], [0.95]]).double(), torch.tensor([1, 0, 0])
    rows = {"factor": context["factor"][whose]}
    simulator.part(slice(0, 2))(x, rows, whose)
    none = Pairs(x[:0], x[:0], {"factor": rows["factor"][:0]})
    seen = simulator.with_seen(none)
    assert seen.y.flatten().tolist() == pytest.approx([0.3, 0.2])
    assert seen.context is not None and seen.context["factor"].flatten().tolist() == [3.0, 1.0]
    assert simulator.calls == 3


def test_of_many_rows_a_share_is_kept_of_early_and_late_ones_alike(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seen_rows, "MOST", 400)
    task = Formula(unit("a"), 1, lambda x: x)
    simulator = RememberingSimulator(task, generator=torch.Generator().manual_seed(0))
    for begin in range(20):
        simulator(torch.linspace(begin, begin + 1, 200).double()[:, None] / 20)
    seen = simulator.with_seen(Pairs(torch.empty(0, 1), torch.empty(0, 1))).x
    assert 100 < len(seen) <= 400
    assert abs(float(seen.mean()) - 0.5) < 0.06
