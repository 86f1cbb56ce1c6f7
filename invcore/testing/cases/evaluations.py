"""Evaluations for metrics: made by hand, or from a tiny task."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from invcore.base.seeding import generator
from invcore.contracts.metric import Estimate, Evaluation
from invcore.contracts.problem import GOALS, Targets
from invcore.contracts.simulation.call_record import CallRecord
from invcore.numerics.largest_difference import largest_squared_difference
from invcore.scoring.errors import errors_of, squared_error
from invcore.scoring.specifications import known_goals, largest_error
from invcore.spaces.space import Space
from invcore.testing.cases.problems import case, space


@dataclass(frozen=True)
class Example:
    """What a metric must say of an evaluation, computed by hand.

    Args:
        evaluation: see ``evaluation`` for a short way to write one.
        expected: values by name, or by ``(name, T)`` for quantities that depend on T.
        tolerance: relative, and absolute for zero.
    """

    evaluation: Evaluation
    expected: Mapping[str | tuple[str, int], float] = field(default_factory=dict)
    tolerance: float = 1e-9


def evaluation(
    targets: Any, resimulated: Any, candidates: Any = None, *, designs: Space | None = None,
    predicted: Any = None, **facts: Any,
) -> Evaluation:  # fmt: skip
    """An evaluation from plain lists; the errors are computed.

    Args:
        targets: (B, Dy).
        resimulated: (B, K, Dy), NaN where there is no response.
        candidates: (B, K, Dx); all one half if not given.
        designs: their space; each variable uniform between 0 and 1 if not given.
        predicted: (B, K, Dy).
        facts: further fields of an evaluation, such as ``ranked``, ``timings`` and ``truth``.

    Example:
        >>> evaluation([[1.0]], [[[1.0], [3.0]]]).errors
        tensor([[0., 4.]], dtype=torch.float64)
    """
    y, again = (torch.as_tensor(v, dtype=torch.float64) for v in (targets, resimulated))
    x = torch.full((*again.shape[:2], 1), 0.5) if candidates is None else candidates
    x = torch.as_tensor(x, dtype=torch.float64)
    if designs is None:
        designs = space(**{f"x{i + 1}": (0.0, 1.0) for i in range(x.shape[2])})
    if predicted is not None:
        predicted = torch.as_tensor(predicted, dtype=torch.float64)
    return Evaluation(designs, y, x, again, squared_error(again, y), predicted=predicted, **facts)


def sample_evaluation(
    targets: int = 12, count: int = 8, *, failed: bool = False, ranked: bool = False,
    wishes: bool = False, seed: int = 0,
) -> Evaluation:  # fmt: skip
    """B targets and K random designs of the two-response task, with all that there can be.

    If ``failed``, the first target's responses are lost, and about a quarter of the others. With
    ``wishes``, the first response is wanted near the target's, and the second one small.
    """
    task = case("twist").task
    pairs = task.pairs(targets, generator(seed, "kit-targets"))
    x = task.designs.sample(targets * count, generator(seed, "kit-designs"))
    again = task.simulate(x).unflatten(0, (targets, count))
    if failed:
        lost = torch.rand(targets, count, generator=generator(seed, "kit-lost")) < 0.25
        lost[0] = True
        again = torch.where(lost[..., None], torch.nan, again)
    places = torch.rand(targets, count, generator=generator(seed, "kit-order")).argsort(dim=1)
    density = torch.randn(targets, generator=generator(seed, "kit-density"), dtype=torch.float64)
    facts: dict[str, Any] = {"ranked": ranked, "seed": seed, "order": places, "task": task}
    facts |= {"truth": pairs.x, "log_density": density, "predicted": again * 1.01}
    facts |= {"timings": {"fit_s": 2.0, "propose_s": 1.0, "simulate_s": 0.5}, "parameters": 100}
    facts |= {"simulator_calls": targets * count, "designs": task.designs}
    record = CallRecord(pairs.y, float(pairs.y.var(dim=0, correction=0).mean()))
    record.add(again.flatten(0, 1), torch.arange(targets).repeat_interleave(count))
    facts |= {"history": record.history(), "variance": pairs.y.var(dim=0, correction=0)}
    known = task.pairs(200, generator(seed)).y
    facts["penalty"] = largest_squared_difference(pairs.y, known)
    if wishes:
        return _wished(pairs.y, again, x.unflatten(0, (targets, count)), known, facts)
    return evaluation(pairs.y, again, x.unflatten(0, (targets, count)), **facts)


def _wished(
    y: Tensor, again: Tensor, x: Tensor, known: Tensor, facts: dict[str, Any]
) -> Evaluation:
    """The evaluation of a run whose targets are half a spread wide in u, and minimise v."""
    spread = known.std(dim=0)
    away = torch.stack([0.5 * spread[0], torch.tensor(torch.inf).to(spread)])
    goal = torch.tensor([GOALS.index("meet"), GOALS.index("minimise")]).expand(len(y), -1)
    weight, tolerance = torch.ones_like(y), torch.full_like(y, torch.nan)
    wanted = Targets.of_parts(y - away, y + away, goal, weight, tolerance).measured_in(spread)
    record = CallRecord(wanted, 1.0)
    record.add(again.flatten(0, 1), torch.arange(len(y)).repeat_interleave(again.shape[1]))
    facts |= {"history": record.history(), "truth": None, "log_density": None}
    facts |= {"penalty": largest_error(wanted, known), "known": known_goals(wanted, known)}
    facts |= {"specification": wanted, "responses": facts["task"].responses}
    whole = evaluation(torch.full_like(y, torch.nan), again, x, **facts)
    return replace(whole, errors=errors_of(again, wanted))


def label(estimate: Estimate) -> str | tuple[str, int]:
    """An estimate's name, with its T if it has one."""
    return estimate.name if estimate.T is None else (estimate.name, estimate.T)
