"""Checks of methods: what a model expects of its candidates is what they give."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from invcore.contracts.problem import Targets
from invcore.numerics.row_jacobian import row_jacobian
from invcore.testing.cases.component_under_test import MethodSubject, Question
from invcore.testing.cases.problems import case
from invcore.testing.check import NotApplicable, only_if


def check_predictions(subject: MethodSubject) -> None:
    """Predicted responses are in the responses' own units, and follow the true ones."""
    for question in subject.ask_both(24, 4):
        predicted, true = _expectations(question)
        wrong = (predicted - true).square().mean((0, 1))
        ratio = float((wrong / question.case.train.y.var(dim=0)).mean())
        fault = f"predictions are off by {ratio:.3g} variances of the responses"
        question.require(ratio < 1.0, f"{fault}: are they still scaled?")
        for name, slope in _clear_slopes(question, predicted, true):
            fault = f"the true {name} changes by {slope:.3g} where the predicted one changes by 1"
            good = 0.8 < slope < 1.25
            question.require(good, f"{fault}: predicted is in the responses' own units, unscaled")


def check_predicted_misses(subject: MethodSubject) -> None:
    """Of targets that no design reaches, the model does not predict that they are reached."""
    for question in subject.ask_both(2, 4):
        y = question.case.train.y
        far = y.mean(dim=0) + 20 * y.std(dim=0) * torch.tensor([[-1.0], [1.0]]).double()
        predicted, true = _expectations(replace(question, targets=Targets(far)))
        answered = true.isfinite().all(dim=2)  # (B, K)
        only_if(bool(answered.any()), "no candidate has a response")
        gaps = ((each - far[:, None]).abs() for each in (predicted, true))
        said, real = (gap[answered].mean(dim=0) for gap in gaps)
        share = float((said / real).min())
        fault = f"predictions miss unreachable targets by {share:.0%} of what the candidates do"
        remedy = "predicted is what the model expects of its candidates, not what is wanted"
        question.require(share > 0.5, f"{fault}: {remedy}")


def check_gradient(subject: MethodSubject) -> None:
    """Where a model has slopes, they are about those of the simulator; those of categories zero."""
    for name in ("bowl", "twist", "mixed"):
        question, example = subject.ask(name, 1, 1), case(name)
        x, designs = example.designs_inside(64), example.task.designs
        gradient = question.model.gradient(x)
        if gradient is None:
            raise NotApplicable("gradient gives None: the model has no forward model")
        shape = len(x), example.task.responses.dim, designs.dim
        fault = f"gradient has shape {tuple(gradient.shape)}, expected (N, Dy, Dx) = {shape}"
        question.require(tuple(gradient.shape) == shape, fault)
        named = torch.tensor([bool(v.categories) for v in designs.variables])
        slopes = gradient.detach().cpu().double()
        question.require(not slopes[:, :, named].any(), "slopes of categories are not zero")
        width = x.std(dim=0)[~named] / example.train.y.std(dim=0)[:, None]  # (Dy, Dx)
        true = row_jacobian(example.task.simulate, x)
        apart = ((slopes - true)[:, :, ~named] * width).square().mean()
        share = float(apart / (true[:, :, ~named] * width).square().mean())
        fault = f"slopes are off by {share:.3g} of the simulator's, in squares"
        question.require(share < 0.5, f"{fault}: are they in the units of designs and responses?")


def _expectations(question: Question) -> tuple[Tensor, Tensor]:
    """Predicted and true responses of the candidates: (B, K, Dy)."""
    answer = question.propose()
    if answer.predicted is None:
        raise NotApplicable("the model predicts no responses")
    return answer.predicted.detach().cpu().double(), question.responses(
        answer.x.detach().cpu().double()
    )


def _clear_slopes(
    question: Question, predicted: Tensor, true: Tensor
) -> Iterator[tuple[str, float]]:
    """Slopes of true responses over predicted ones, where both go together closely, by name.

    Where they do not, noise in the predictions would make slopes smaller.
    """
    gaps = [(each.flatten(0, 1) - each.mean((0, 1))) for each in (predicted, true)]
    squares = [gap.square().sum(0) for gap in gaps]
    both = (gaps[0] * gaps[1]).sum(0)  # (Dy,)
    for i, name in enumerate(question.case.task.responses.names):
        if both[i] > 0 and both[i].square() > 0.95 * squares[0][i] * squares[1][i]:
            yield name, float(both[i] / squares[0][i])
