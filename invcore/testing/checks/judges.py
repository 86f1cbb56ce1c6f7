"""Checks of judges: errors that cover, probabilities that are some."""

from itertools import pairwise
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from invcore.base.seeding import isolated
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.judge import FittedJudge, Judge
from invcore.contracts.problem import Targets
from invcore.data.pairs import Splits
from invcore.spaces.specification import Requirement, Specification
from invcore.testing.cases.comparison import same, unchanged, untouched_generators
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.cases.problems import Case, case
from invcore.testing.check import CheckFailed, require

_CASES = ("bowl", "twist", "mixed")


def check_verdict(subject: Subject) -> None:
    """Responses and errors are (N, Dy), finite, the errors positive."""
    for name in _CASES:
        example = case(name)
        verdict = _fitted(subject, name).predict(example.test.x)
        for part in ("response", "error"):
            value: Tensor = getattr(verdict, part)
            shape = tuple(value.shape)
            require(shape == tuple(example.test.y.shape), f"{name}: {part} has shape {shape}")
            require(not value.isnan().any(), f"{name}: {part} is NaN")
        require((verdict.error > 0).all(), f"{name}: an error is not positive")


def check_coverage(subject: Subject) -> None:
    """At 90%, the error covers most rows that were not seen, and not by being endless."""
    for name in ("bowl", "twist"):
        example, judge = case(name), _fitted(subject, name)
        new = example.task.pairs(300, torch.Generator().manual_seed(11))
        verdict = judge.predict(new.x, 0.9)
        inside = float(((verdict.response - new.y).abs() <= verdict.error).double().mean())
        require(inside > 0.75, f"{name}: at 90% the error covers {inside:.0%} of new rows")
        wide = float((verdict.error / new.y.std(dim=0)).median())
        require(wide < 2.0, f"{name}: the error is {wide:.2g} standard deviations wide")


def check_levels(subject: Subject) -> None:
    """A higher level has an error that is no smaller."""
    example, judge = case("twist"), _fitted(subject, "twist")
    errors = [judge.predict(example.test.x, level).error for level in (0.5, 0.8, 0.9)]
    grows = all((b >= a).all() for a, b in pairwise(errors))
    require(grows, "a higher level has a smaller error")
    require((errors[2] > errors[0]).any(), "the level makes no difference")


def check_probability(subject: Subject) -> None:
    """Probabilities are (B, K), 1 for any value, 0 for what none meets, and grow with width."""
    example, judge = case("twist"), _fitted(subject, "twist")
    x = example.test.x[:8].view(2, 4, -1)
    centre, spread = example.test.y[:8].mean(dim=0), example.train.y.std(dim=0)
    values = [
        judge.probability(x, _within(example, centre - w * spread, centre + w * spread))
        for w in (0.1, 0.5, 2.0, 1e3)
    ]
    for value in values:
        require(tuple(value.shape) == (2, 4), f"probability has shape {tuple(value.shape)}")
        require(((value >= 0) & (value <= 1)).all(), "a probability is not between 0 and 1")
    grows = all((b >= a - 1e-9).all() for a, b in pairwise(values))
    require(grows, "a wider interval is met with a smaller probability")
    require((values[3] > 0.999).all(), "any value meets the interval, and the probability is not 1")
    far = judge.probability(x, _within(example, centre + 1e3 * spread, centre + 2e3 * spread))
    require((far < 0.001).all(), "an interval that no design meets has a probability")
    free = Specification.of({n: Requirement(goal="ignore") for n in example.task.responses.names})
    none = judge.probability(x, Targets.of([free, free], example.task.responses))
    require((none == 1).all(), "a response that is ignored is met by any value")


def check_probability_orders(subject: Subject) -> None:
    """Designs that meet an interval have larger probabilities than those that do not."""
    example, judge = case("bowl"), _fitted(subject, "bowl")
    new = example.task.pairs(200, torch.Generator().manual_seed(12))
    low, high = new.y.quantile(0.3, dim=0), new.y.quantile(0.6, dim=0)
    value = judge.probability(new.x[None], _within(example, low, high)[:1])[0]
    met = ((new.y >= low) & (new.y <= high)).all(dim=1)
    yes, no = float(value[met].mean()), float(value[~met].mean())
    fault = f"designs that meet it have {yes:.2f} on average, those that do not {no:.2f}"
    require(yes > no + 0.1, fault)


def check_state(subject: Subject) -> None:
    """A judge restored from its stored state says the same, bit for bit."""
    example, judge = case("twist"), _fitted(subject, "twist")
    state = {k: v.detach().cpu().contiguous().clone() for k, v in judge.state().items()}
    again = _judge(subject).restore(example.problem, load(save(state)))
    pair = [each.predict(example.test.x) for each in (judge, again)]
    equal = same(pair[0].response, pair[1].response) and same(pair[0].error, pair[1].error)
    require(equal, "the restored judge says otherwise")


def check_same_seed(subject: Subject) -> None:
    """Two fits with one seed are the same; the global generators and the rows are left alone."""
    example, responses = case("bowl"), []
    for seed in (1, 2):
        with isolated(seed), untouched_generators("fit"):
            with unchanged("fit", x=example.train.x, y=example.train.y):
                judge = _fit(subject, example)
            responses.append(judge.predict(example.test.x).response)
    require(same(*responses), "two fits with the same seed differ: draw from env.generator(...)")


def _within(example: Case, low: Tensor, high: Tensor) -> Targets:
    names = example.task.responses.names
    wanted = {
        name: Requirement(low=float(a), high=float(b))
        for name, a, b in zip(names, low, high, strict=True)
    }
    return Targets.of([Specification.of(wanted)] * 2, example.task.responses)


def _judge(subject: Subject) -> Judge[Any]:
    judge = subject.build()
    if not isinstance(judge, Judge):
        raise CheckFailed(f"{subject.name} is no Judge")
    return judge


def _fit(subject: Subject, example: Case) -> FittedJudge:
    held = example.task.pairs(120, torch.Generator().manual_seed(10))
    data = Splits(example.train, example.val, held)
    judge = _judge(subject).fit(example.problem, data, FitEnvironment())
    if not isinstance(judge, FittedJudge):
        raise CheckFailed(f"fit gives {type(judge).__name__}, expected a FittedJudge")
    return judge


def _fitted(subject: Subject, name: str) -> FittedJudge:
    if name not in subject.memory:
        subject.memory[name] = _fit(subject, case(name))
    judge: FittedJudge = subject.memory[name]
    return judge
