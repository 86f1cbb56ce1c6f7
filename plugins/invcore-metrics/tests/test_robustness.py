"""The metric of made designs, beside yields in closed form."""

import math
from typing import Any

import pytest
import torch
from invcore_metrics.robustness import Robustness, RobustnessConfig

from invcore import Space, Uniform, Variable
from invcore.plugin import Config, Evaluation, Task, UnfitError
from invcore.runs.evaluation import bounded


class Linear(Task[Config]):
    """2 a - b, and a response that is none where a is below zero."""

    designs = Space.of(
        Variable(name="a", prior=Uniform(low=0.0, high=1.0)),
        Variable(name="b", prior=Uniform(low=0.0, high=1.0)),
    )
    responses = Space.of(Variable(name="y"))
    free_calls = True

    def simulate(self, x: torch.Tensor, context: Any = None) -> torch.Tensor:
        y = 2 * x[:, :1] - x[:, 1:]
        return torch.where(x[:, :1] < 0, torch.nan, y)


class Toleranced(Linear):
    tolerances = {"a": "~0.03", "b": "~0.08"}


def seen(task: Task[Any], x: torch.Tensor, y: torch.Tensor, **more: Any) -> Evaluation:
    again = task.simulate(x.flatten(0, 1)).view(*x.shape[:2], -1)
    errors = (again - y[:, None]).square().mean(dim=2)
    return Evaluation(
        task.designs, y, x, again, errors, task=task, variance=torch.tensor([0.25]).double(), **more
    )  # fmt: skip


def run_of(task: Task[Any], targets: int = 8, candidates: int = 3, **more: Any) -> Evaluation:
    """Each target's first candidate meets it, the others are off."""
    a = torch.linspace(0.3, 0.7, targets, dtype=torch.float64)[:, None]
    x = torch.stack([a, 0.5 + 0 * a], dim=2)  # (B, 1, 2)
    off = torch.arange(candidates, dtype=torch.float64)[None, :, None] * torch.tensor([0.2, 0.0])
    return seen(task, x + off.double(), 2 * a - 0.5, **more)


def measured(evaluation: Evaluation, **settings: Any) -> dict[tuple[str, int | None], Any]:
    metric = Robustness(RobustnessConfig(**settings))
    return {(each.name, each.T): each for each in metric.measure(evaluation)}


def test_the_yield_of_a_linear_system() -> None:
    found = measured(run_of(Toleranced()), copies=4096, within=0.2, T=3)  # within ±0.1
    std = math.hypot(0.06, 0.08)
    share = math.erf(0.1 / std / math.sqrt(2))
    assert found["yield", 1].value == pytest.approx(share, abs=0.005)
    assert found["yield", 3].value == pytest.approx(share, abs=0.005)
    z = float(torch.special.ndtri(torch.tensor(0.975, dtype=torch.float64)))
    tail = 1 + 2 * z * math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / 0.05  # E[z² | |z| > z95]
    assert found["worst-error", None].value == pytest.approx(std**2 * tail / 1.0, rel=0.05)
    assert found["yield", 1].better == "higher" and found["worst-error", None].better == "lower"


def test_the_most_robust_of_some_is_found() -> None:
    """All candidates are exact, and one lies where a deviation brings no response to an end."""
    a = torch.tensor([[0.0, 0.5]], dtype=torch.float64)
    x = torch.stack([a, 2 * a], dim=2)
    found = measured(seen(Toleranced(), x, torch.zeros(1, 1).double()), copies=1024, within=1.0)
    assert found["yield", 1].value == pytest.approx(0.5, abs=0.02)
    assert found["yield", 2].value > 0.99


def test_settings_go_before_the_tasks_own_tolerances() -> None:
    assert not Robustness(RobustnessConfig()).applies(Linear())
    exact = measured(run_of(Toleranced()), tolerances=("a=±0.001",), within=0.1)
    assert exact["yield", 1].value == 1.0
    with pytest.raises(KeyError, match="no variable 'c'"):
        measured(run_of(Linear()), tolerances=("c=±0.001",))


def test_noise_of_the_response_counts() -> None:
    found = measured(
        run_of(Linear()), tolerances=("response y=~0.1",), within=0.2, copies=4096
    )  # fmt: skip
    assert found["yield", 1].value == pytest.approx(math.erf(1 / math.sqrt(2)), abs=0.005)


class Costly(Toleranced):
    free_calls, rows = False, 0

    def simulate(self, x: torch.Tensor, context: Any = None) -> torch.Tensor:
        Costly.rows += len(x)
        return super().simulate(x)


@pytest.mark.parametrize(
    ("calls", "spent"),
    [(100_000, 8 * 4 * 256), (10_560, 8 * 4 * 33), (7000, 5 * 4 * 35), (2600, 8 * 32), (1600, 160)],
)
def test_calls_are_bounded_and_less_is_done_with_less(calls: int, spent: int) -> None:
    evaluation = run_of(Costly())
    Costly.rows = 0
    found = measured(_with(evaluation, calls))
    assert Costly.rows == spent
    assert (("yield", 3) in found) == (calls > 5000)


def test_too_few_calls_are_said_and_not_spent() -> None:
    evaluation = run_of(Costly())
    Costly.rows = 0
    with pytest.raises(UnfitError, match="the 100 calls that metrics may make are too few"):
        measured(_with(evaluation, 1000))
    assert Costly.rows == 0


def _with(evaluation: Evaluation, judged: int) -> Evaluation:
    from dataclasses import replace

    assert evaluation.task is not None
    return replace(evaluation, **bounded(evaluation.task, judged))


def test_what_is_made_may_be_outside_the_bounds() -> None:
    """A task with constraints simulates what was made, not what would be allowed."""

    class Constrained(Toleranced):
        def feasible(self, x: torch.Tensor, context: Any = None) -> torch.Tensor:
            return self.designs.contains(x)

    a = torch.ones(1, 1, dtype=torch.float64)
    evaluation = seen(Constrained(), torch.stack([a, a], dim=2), a)
    found = measured(_with(evaluation, 10**6), within=1.0, copies=512)
    assert found["yield", 1].value > 0.99
