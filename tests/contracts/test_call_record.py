"""The history that the counted simulator writes, against a record of every single call."""

from __future__ import annotations

import math

import pytest
import torch

from invcore.contracts.simulation.call_record import LEVELS, CallRecord
from invcore.plugin import (
    Requirement,
    Space,
    Specification,
    Targets,
    Variable,
    generator,
)

TARGETS = torch.tensor([[0.0, 0.0], [1.0, -1.0], [2.0, 0.5]], dtype=torch.float64)
SCALE = 0.7


def batches(shared, seed=0):
    """Calls as a search makes them: batches of any size, in any order, of some targets or all."""
    random, result = generator(seed, "calls", shared), []
    for number in range(40):
        rows = int(torch.randint(1, 9, (1,), generator=random))
        y = torch.randn(rows, 2, generator=random, dtype=torch.float64) / (1 + number)
        target = torch.randint(0, 3, (rows,), generator=random)
        y = torch.where(torch.rand(rows, 1, generator=random) < 0.1, torch.nan, y + TARGETS[target])
        of_all = shared == "all" or (shared == "some" and number % 3 == 0)
        result.append((y, None if of_all else target))
    return result


def brute(calls, cost):
    """For each target, (calls that served it, all calls, smallest error so far), call by call."""
    ways, total = [[] for _ in TARGETS], 0
    served, best = [0] * len(TARGETS), [math.inf] * len(TARGETS)
    for y, target in calls:
        for row, response in enumerate(y):
            total += cost
            for b in range(len(TARGETS)) if target is None else [int(target[row])]:
                served[b] += cost
                error = float((response - TARGETS[b]).square().mean())
                best[b] = min(best[b], math.inf if math.isnan(error) else error)
                ways[b].append((served[b], total, best[b]))
    return ways


@pytest.mark.parametrize("shared", ["none", "some", "all"])
@pytest.mark.parametrize("cost", [1, 3])
def test_it_is_what_counting_call_by_call_says(shared, cost):
    calls = batches(shared)
    record = CallRecord(TARGETS, SCALE)
    for y, target in calls:
        record.add(y, target, cost=cost)
    history, ways = record.history(), brute(calls, cost)
    assert int(history.calls[-1]) == record.total == cost * sum(len(y) for y, _ in calls)
    shares = sum(len(y) for y, target in calls if target is None) / sum(len(y) for y, _ in calls)
    assert float(history.shared) == pytest.approx(shares)
    for b, way in enumerate(ways):
        for level, own, every in zip(
            LEVELS.tolist(), history.reached[:, b], history.reached_of_all[:, b], strict=True
        ):
            first = next(((s, t) for s, t, e in way if e <= level * SCALE), (math.inf, math.inf))
            assert (float(own), float(every)) == first
        for count, error in zip(history.grid.tolist(), history.best[:, b].tolist(), strict=True):
            assert error == min([e for s, _, e in way if s <= count], default=math.inf)
        assert float(history.error[-1, b]) == way[-1][2]


def test_one_batch_or_many_are_the_same():
    calls = batches("none")
    whole = (torch.cat([y for y, _ in calls]), torch.cat([target for _, target in calls]))
    one, many = CallRecord(TARGETS, SCALE), CallRecord(TARGETS, SCALE)
    one.add(*whole)
    for part in calls:
        many.add(*part)
    for name in ("best", "grid", "reached", "reached_of_all"):
        assert torch.equal(getattr(one.history(), name), getattr(many.history(), name)), name


def test_a_target_with_nearly_all_rows_needs_no_memory_for_the_others(monkeypatch):
    monkeypatch.setattr("invcore.contracts.simulation.call_record._NUMBERS", 16)
    calls = batches("none")
    small = CallRecord(TARGETS, SCALE)
    for part in calls:
        small.add(*part)
    monkeypatch.undo()
    large = CallRecord(TARGETS, SCALE)
    for part in calls:
        large.add(*part)
    assert torch.equal(small.history().reached, large.history().reached)


def test_the_best_designs_are_kept_best_first():
    record = CallRecord(TARGETS[:2], SCALE)
    record.keep = 2
    x = torch.arange(5.0)[:, None].double()
    y = TARGETS[[0, 0, 0, 1, 1]] + torch.tensor([3.0, 1.0, 2.0, math.nan, 5.0])[:, None]
    record.add(y[:2], torch.tensor([0, 0]), x=x[:2])
    record.add(y[2:], torch.tensor([0, 1, 1]), x=x[2:])
    kept = record.designs()[..., 0]
    assert kept[0].tolist() == [1.0, 2.0] and kept[1, 0] == 4.0 and math.isnan(kept[1, 1])


def test_moments_are_thinned_and_end_with_the_last():
    record = CallRecord(torch.zeros(1, 1), 1.0)
    for number in range(3000):
        record.add(torch.tensor([[1.0 / (1 + number)]]), torch.tensor([0]))
    history = record.history()
    assert 128 <= len(history.calls) <= 256
    assert history.calls[0] == 1 and history.calls[-1] == 3000
    assert bool((history.calls.diff() > 0).all()) and bool((history.error.diff(dim=0) <= 0).all())
    assert history.most_calls == 3000 and float(history.within(3000)) == float(history.error[-1])


def test_within_calls_of_rows_for_all_are_all_calls_over_the_targets():
    record = CallRecord(TARGETS, SCALE)
    for response in (TARGETS[0], TARGETS[1], TARGETS[2]):
        record.add(response[None], None)
    history = record.history()
    assert history.most_calls == 1.0
    assert history.within(1).tolist() == [0.0, 0.0, 0.0]
    assert history.within(0).isinf().all()


def test_intervals_are_recorded_by_their_violations_and_goals_decide_what_is_kept():
    light = {"u": Requirement(low=0.0, high=1.0), "v": Requirement(goal="minimise")}
    whole = {"u": Requirement.exact(2.0), "v": Requirement(low=1.0)}
    responses = Space.of(Variable(name="u"), Variable(name="v"))
    targets = Targets.of([Specification.of(light), Specification.of(whole)], responses)
    y = torch.tensor([[3.0, 0.0], [0.5, 2.0], [2.0, 5.0], [0.7, 1.0], [0.1, 9.0]]).double()
    x = torch.arange(5.0)[:, None]
    for shared in (True, False):
        record = CallRecord(targets, scale=100.0)
        record.keep = 2
        if shared:
            record.add(y, None, x=x)
        else:
            for row in range(5):
                record.add(y[row].expand(2, 2), torch.tensor([1, 0]), x=x[row].expand(2, 1))
        history = record.history()
        assert history.error[-1].tolist() == [0.0, 0.0]
        assert history.best[:3].T.tolist() == [[4.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
        # Reached from the level of one on, whatever the responses' variance is
        assert history.reached[0].tolist() == [2.0, 1.0] and history.reached[1, 1] == 3
        # Of designs that meet all the ones of the smallest goal; then by the violation
        assert record.designs()[0, :, 0].tolist() == [3.0, 1.0]
        assert record.designs()[1, 0].tolist() == [2.0]
