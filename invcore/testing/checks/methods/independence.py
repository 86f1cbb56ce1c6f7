"""Checks of methods: answers depend on what was given, and on nothing that was left behind."""

import torch
from torch import Tensor

from invcore.base.seeding import isolated
from invcore.contracts.method import InverseModel
from invcore.testing.cases.comparison import same, same_mappings
from invcore.testing.cases.component_under_test import MethodSubject
from invcore.testing.cases.elsewhere import QUESTIONS, WORLD, elsewhere, question, stored
from invcore.testing.cases.problems import Case, case
from invcore.testing.check import require


def check_restores_elsewhere(subject: MethodSubject) -> None:
    """A process that fitted nothing restores the model from its state, bit for bit."""
    answers = elsewhere(subject)
    remedy = "state() must hold all that restore needs; a module or class attribute is lost"
    for name in QUESTIONS:
        fault = answers.faults.get(name, "")
        require(not fault, f"{name}: restored in a fresh process, the model fails ({fault})")
        equal = same(question(subject, name).designs(), answers.designs[name])
        other = "restored in a fresh process, the model proposes different designs"
        require(equal, f"{name}: {other}: {remedy}")


def check_earlier_fits(subject: MethodSubject) -> None:
    """A fit depends on no earlier fit, and changes no model that came of one."""
    method = subject.build("kit-bowl")
    first = _fit(subject, case("bowl"), method)
    state = stored(first.state())
    asked = subject.ask("bowl", 6, 5, first)
    designs = asked.designs()
    _fit(subject, case("twist"), method)
    remedy = "fit must begin anew, not from attributes of the method, its class or its module"
    equal = same(designs, asked.designs())
    require(equal, f"a later fit changes what the model of an earlier one proposes: {remedy}")
    again = stored(_fit(subject, case("bowl"), method).state())
    changed = ", ".join(same_mappings(state, again)[:3])
    fault = f"after a fit to another problem the same fit gives another state ({changed})"
    require(not changed, f"{fault}: {remedy}")
    answers = elsewhere(subject)
    fault = answers.faults.get("fit", "")
    require(not fault, f"a fit in a fresh process fails ({fault}): {remedy}")
    changed = ", ".join(same_mappings(state, answers.state)[:3])
    fault = f"in a fresh process the same fit after another one gives another state ({changed})"
    require(not changed, f"{fault}: {remedy}")


def _fit(subject: MethodSubject, example: Case, method: object) -> InverseModel:
    with isolated(WORLD):  # what global generators hold is the business of another check
        return subject.fit(example, method=method)


def check_arguments_not_kept(subject: MethodSubject) -> None:
    """What a caller does to its tensors after fit and after propose changes no answer."""
    twist = case("twist")
    model = subject.fit(twist)
    asked = subject.ask("twist", 5, 4, model)
    designs, state = asked.designs(), stored(model.state())
    _overwrite(twist.train.x, twist.train.y, twist.val.x, twist.val.y)
    fault = "overwriting the training pairs after fit changes the model: keep copies, as by clone()"
    require(same(designs, asked.designs()), fault)
    require(not same_mappings(state, stored(model.state())), fault)
    answer = asked.propose()
    tensors = [answer.x, *([] if answer.predicted is None else [answer.predicted])]
    before = [tensor.clone() for tensor in tensors]
    targets, points = asked.targets.y.clone(), asked.points.clone()
    _overwrite(asked.targets.y, asked.points)
    fault = "overwriting targets or points after propose changes its candidates: give copies"
    require(all(map(same, before, tensors)), fault)
    asked.targets.y.copy_(targets)
    asked.points.copy_(points)
    _overwrite(*tensors)
    fault = "overwriting the candidates that propose gave changes the model: give copies"
    require(same(designs, asked.designs()), fault)


@torch.no_grad()
def _overwrite(*tensors: Tensor) -> None:
    for tensor in tensors:
        tensor.mul_(-0.5).add_(0.25)
