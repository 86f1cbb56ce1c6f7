"""Checks of methods: intervals, goals and responses that may be anything, asked of the model as the
pipeline asks it.

What is asked for can be reached, and by how much is known in closed form.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import torch
from torch import Tensor

from invcore.base.seeding import generator
from invcore.contracts.method import InverseMethod
from invcore.contracts.problem import Targets
from invcore.learning.response_density import ResponseDensity
from invcore.pipeline.specifications import specified
from invcore.spaces.specification import Requirement, Specification
from invcore.testing.cases.comparison import same
from invcore.testing.cases.component_under_test import MethodSubject, Question
from invcore.testing.cases.problems import unit_points
from invcore.testing.check import require

_COUNT = 10
_SHARE = 0.75  # of specifications, of which one of ten candidates must meet each
_GOALS = 3  # of six, in which one of ten candidates must be better than every pair


def check_answers_declared(subject: MethodSubject) -> None:
    """The method says of its models' targets what they say themselves."""
    method: type[InverseMethod] = subject.component  # type: ignore[type-arg, assignment]
    model = subject.fitted("bowl")
    fault = f"the method says answers = {method.answers}, its model {model.answers}"
    require(method.answers == model.answers, fault)


def check_zero_width(subject: MethodSubject) -> None:
    """Intervals of no width get the candidates that exact responses get, to the last bit."""
    for question in subject.ask_both(4, 5):
        y = question.targets.y
        goal = torch.zeros_like(y, dtype=torch.long)
        weight, none = torch.ones_like(y), torch.full_like(y, torch.nan)
        narrow = Targets.of_parts(y, y.clone(), goal, weight, none)
        model = specified(question.model, narrow, _density(question))
        again = replace(question, model=model, targets=narrow)
        equal = same(question.designs(), again.designs())
        question.require(equal, "an interval of no width is answered otherwise than its value")


def check_intervals(subject: MethodSubject) -> None:
    """Intervals of one response, and of two at once, are met."""
    y = subject.ask("bowl", 1, 1).case.train.y
    ends = y.quantile(torch.tensor([0.2, 0.4, 0.6, 0.8]).double(), dim=0)[:, 0].tolist()
    wanted = [{"y": _between(*pair)} for pair in pairwise(ends)]
    _require_met(_ask(subject, "bowl", wanted), "intervals that hold a fifth of the pairs")
    u = subject.ask("twist", 1, 1).case.train.y.quantile(torch.tensor([0.5]).double(), dim=0)[0, 0]
    pair = [{"u": Requirement(low=float(u)), "v": _between(0.0002 * i, 0.0002 * i + 0.0003)}
            for i in range(1, 4)]  # fmt: skip
    _require_met(_ask(subject, "twist", pair), "intervals of two responses")


def check_one_sided(subject: MethodSubject) -> None:
    """What has one end is met, as by a tenth of the pairs."""
    y = subject.ask("bowl", 1, 1).case.train.y
    low, high = y.quantile(torch.tensor([0.1, 0.9]).double(), dim=0)[:, 0].tolist()
    wanted = [{"y": Requirement(high=low)}, {"y": Requirement(low=high)}]
    _require_met(_ask(subject, "bowl", wanted), "intervals with one end")


def check_between_clusters(subject: MethodSubject) -> None:
    """An interval that holds no pair, between two clusters of them, is met."""
    wanted = [{"y": _between(0.1 * i - 0.15, 0.1 * i + 0.15)} for i in (-1, 0, 1)]
    question = _ask(subject, "parted", wanted)
    y = question.case.train.y
    assert not bool((y.abs() < 0.25).any())
    _require_met(question, "intervals between two clusters of pairs")


def check_ignored_response(subject: MethodSubject) -> None:
    """A response that may be anything is no obstacle to the other."""
    wanted = [{"u": _between(low, low + 3.0)} for low in (-9.0, -3.0, 3.0, 9.0)]
    _require_met(_ask(subject, "twist", wanted), "intervals of one response of two")


def check_goals(subject: MethodSubject) -> None:
    """What is minimised or maximised is better than at the best pair, for half of six goals."""
    surpassed = []
    for name, response in (("bowl", "y"), ("twist", "u"), ("twist", "v")):
        wanted = [
            {response: Requirement(goal="minimise")},
            {response: Requirement(goal="maximise")},
        ]
        question = _ask(subject, name, wanted)
        known = question.targets.goals(question.case.train.y.expand(2, -1, -1)).sum(dim=2)
        found = question.targets.goals(question.responses(question.designs())).sum(dim=2)
        best = found.nan_to_num(torch.inf).amin(dim=1)
        surpassed += [
            f"{goal} {response}"
            for goal, better in zip(("minimise", "maximise"), best < known.amin(dim=1), strict=True)
            if better
        ]
    which = ", ".join(surpassed) or "none"
    fault = (
        f"the best of {_COUNT} candidates surpasses the best pair in {len(surpassed)} of 6 goals"
    )
    require(len(surpassed) >= _GOALS, f"{fault} ({which}), {_GOALS} wanted")


def check_specifications_alone(subject: MethodSubject) -> None:
    """A specification asked alone gets the candidates that it gets among others."""
    ways = [
        {"u": _between(-5.0, 0.0)}, {"u": Requirement(low=8.0), "v": Requirement(high=0.0005)},
        {"u": Requirement.exact(3.0), "v": _between(0.0, 0.0004)},
    ]  # fmt: skip
    question = _ask(subject, "twist", ways, count=4)
    if question.model.joint:
        return
    together = question.designs()
    alone = torch.cat([question.rows(slice(i, i + 1)).designs() for i in range(3)])
    message = "the answer depends on which specifications are asked together"
    question.same_sets(together, alone, message)


def _between(low: float, high: float) -> Requirement:
    return Requirement(low=low, high=high)


def _density(question: Question) -> ResponseDensity:
    return ResponseDensity.fit(question.case.train, generator(0, "kit", "responses"))


def _ask(
    subject: MethodSubject, name: str, wanted: list[dict[str, Requirement]], count: int = _COUNT
) -> Question:
    """Specifications asked of a case's model, as the pipeline asks them."""
    question = subject.ask(name, 1, 1)
    responses, density = question.case.task.responses, _density(question)
    targets = Targets.of([Specification.of(one) for one in wanted], responses)
    targets = targets.measured_in(density.spread)
    model = specified(question.model, targets, density)
    points = unit_points(len(targets), count, model.point_dim)
    return replace(question, model=model, targets=targets, points=points)


def _require_met(question: Question, what: str) -> None:
    """Fail the check unless most specifications are met by one of their candidates."""
    x = question.designs()
    allowed = question.allowed(x)
    question.require(allowed.all(), f"{what}: candidates are not allowed designs")
    met: Tensor = question.targets.met(question.responses(x)).any(dim=1)
    share = float(met.double().mean())
    fault = f"{what}: {share:.0%} are met by one of {_COUNT} candidates, {_SHARE:.0%} wanted"
    question.require(share >= _SHARE, fault)
