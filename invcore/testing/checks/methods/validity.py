"""Checks of methods: what comes out, for whatever goes in."""

from dataclasses import replace

import torch
from torch import Tensor

from invcore.base.errors import InvcoreError, ShapeError
from invcore.contracts.problem import Targets
from invcore.data.pairs import repeated
from invcore.scoring.errors import squared_error
from invcore.testing.cases.comparison import unchanged
from invcore.testing.cases.component_under_test import MethodSubject, Question
from invcore.testing.cases.problems import EDGE, Line, case, unit_points
from invcore.testing.check import CheckFailed, only_if, require


def check_shapes(subject: MethodSubject) -> None:
    """B targets and K points each give (B, K, Dx) candidates; predictions are (B, K, Dy)."""
    for name in ("bowl", "twist"):
        dim = subject.fitted(name).point_dim
        require(isinstance(dim, int) and dim >= 0, f"point_dim is {dim!r}, expected a number >= 0")
        question = subject.ask(name, 5, 4)
        question.designs()
        predicted = question.propose().predicted
        shape = None if predicted is None else tuple(predicted.shape)
        expected = (5, 4, question.case.task.responses.dim)
        fault = f"predicted has shape {shape}, expected (B, K, Dy) = {expected}"
        require(shape in (None, expected), fault)


def check_one_target_one_candidate(subject: MethodSubject) -> None:
    """B = K = 1 works, with one response and with two."""
    for question in subject.ask_both(1, 1):
        question.require(question.designs().isfinite().all(), "the candidate is not finite")


def check_one_variable(subject: MethodSubject) -> None:
    """One design variable and one response work, or the method refuses them in one clear line."""
    x = _unless_refused(subject, "line")
    require(x is None or Line.designs.contains(x).all(), "candidates are not allowed designs")


def check_small_table(subject: MethodSubject) -> None:
    """Twelve pairs to learn from work, or the method refuses them in one clear line."""
    x = _unless_refused(subject, "small")
    require(x is None or x.isfinite().all(), "candidates are not finite")


def check_finite(subject: MethodSubject) -> None:
    """Candidates are finite, for points next to the faces of the cube too."""
    for question in subject.ask_both(8, 6):
        question.points[0], question.points[1] = EDGE, 1 - EDGE
        question.points[2, :, ::2] = 1 - EDGE
        bad = ~question.designs().isfinite().all(dim=2)  # (B, K)
        where = "points next to a face" if bad[:3].any() else "ordinary points"
        question.require(not bad.any(), f"{int(bad.sum())} candidates not finite, {where}")


def check_in_bounds(subject: MethodSubject) -> None:
    """Candidates lie inside the designs' bounds."""
    for question in subject.ask_both(24, 8):
        remedy = "problem.designs.project moves them inside"
        _all_allowed(question, question.designs(), f"out of bounds; {remedy}")


def check_unreachable_targets(subject: MethodSubject) -> None:
    """Targets that no design reaches still get finite candidates inside the bounds."""
    for question in subject.ask_both(2, 6):
        y = question.case.train.y
        far = Targets(y.mean(dim=0) + y.std(dim=0) * torch.tensor([[-20.0], [20.0]]).double())
        x = replace(question, targets=far).designs()
        _all_allowed(question, x, "not finite or out of bounds")


def check_mixed_space(subject: MethodSubject) -> None:
    """Whole numbers and categories come back as such, in their range."""
    question = subject.ask("mixed", 12, 6)
    x = question.designs()
    rough = (x[..., 1:] != x[..., 1:].round()).any(dim=2)
    require(not rough.any(), f"{int(rough.sum())} candidates have a fraction of a layer")
    _all_allowed(question, x)


def check_constraints(subject: MethodSubject) -> None:
    """Candidates satisfy the constraints of their space, of every kind."""
    for name in ("blend", "limited"):
        question = subject.ask(name, 12, 6)
        x = question.designs()
        _all_allowed(question, x, "against the constraints; problem.designs.project meets them")


def check_images(subject: MethodSubject) -> None:
    """Designs that are images come back inside their bounds, from a restored model too."""
    question = subject.ask("tiles", 6, 4)
    x = question.designs()
    _all_allowed(question, x)
    again = question.restored({k: v.clone() for k, v in question.model.state().items()})
    require(torch.equal(again.designs(), x), "a restored model proposes others")


def check_context(subject: MethodSubject) -> None:
    """What is known of a problem is used, if the method says so."""
    uses: bool = subject.component.uses_context  # type: ignore[attr-defined]
    only_if(uses, "the method says uses_context = False")
    question = subject.ask("known", 24, 6)
    y, own = question.targets.y, question.targets.context
    others = {name: value.roll(1, 0) for name, value in (own or {}).items()}
    errors = []
    for context in (own, others):
        x = replace(question, targets=Targets(y, context)).designs()
        errors.append(float(squared_error(question.responses(x, repeated(own, 6)), y).mean()))
    fault = f"with another problem's context the error is {errors[1]:.3g}, with its own"
    effect = errors[0] < 0.8 * errors[1]
    require(effect, f"{fault} {errors[0]:.3g}: is targets.context used?")


def check_ranking(subject: MethodSubject) -> None:
    """Of ranked candidates, the first half are no worse in the simulator than the second."""
    only_if(subject.fitted("bowl").ranked, "the model is not ranked")
    question = subject.ask("bowl", 24, 16)
    errors = squared_error(question.responses(question.designs()), question.targets.y)
    tiny = 1e-6 * float(question.case.train.y.var())
    first, second = (float(half.nanmean()) for half in errors.chunk(2, dim=1))
    require(
        first <= 1.05 * second + tiny,  # a ranking that says nothing may come out a little worse
        f"ranked, but the first half of the candidates has the larger error ({first:.3g}) and the "
        f"second the smaller ({second:.3g})",
    )


def check_arguments_unchanged(subject: MethodSubject) -> None:
    """Pairs, targets, points and config are as before after fit and propose."""
    twist = case("twist")
    method = subject.build(twist.problem.name)
    before = method.config.model_dump()
    data = {"x": twist.train.x, "y": twist.train.y, "val_x": twist.val.x, "val_y": twist.val.y}
    with unchanged("fit", **data):
        model = subject.fit(twist, method=method)
    question = subject.ask("twist", 5, 4, model)
    asked = {"targets": question.targets.y, "points": question.points}
    with unchanged("propose", **asked, **data):
        question.propose()
    require(method.config.model_dump() == before, "the config was changed")


def check_wrong_sizes(subject: MethodSubject) -> None:
    """Targets or points of a wrong size are a ShapeError."""
    question = subject.ask("twist", 3, 2)
    good, dim = question.targets.y, question.model.point_dim
    wrong = {
        "targets with a column too many": (torch.zeros(3, 3), unit_points(3, 2, dim)),
        "targets of one dimension": (torch.zeros(2), unit_points(2, 2, dim)),
        "points with a column too many": (good, unit_points(3, 2, dim + 1)),
        "points for another number of targets": (good, unit_points(2, 2, dim)),
        "points of two dimensions": (good, unit_points(3, 2, dim)[0]),
    }
    for what, (y, points) in wrong.items():
        try:
            replace(question, targets=Targets(y.double()), points=points).propose()
        except ShapeError:
            continue
        except CheckFailed:
            raise
        except Exception as error:
            fault = f"{type(error).__name__} instead of ShapeError; self.check_sizes says it"
        else:
            fault = "accepted; self.check_sizes(targets, points, Dy) refuses them"
        raise CheckFailed(f"{what}: {fault}")


def check_dtypes(subject: MethodSubject) -> None:
    """Targets in float32 and in float64 get the same candidates."""
    for question in subject.ask_both(8, 4):
        narrow = question.targets.y.float()
        pair = (replace(question, targets=Targets(y)) for y in (narrow, narrow.double()))
        short, wide = (each.designs() for each in pair)
        question.same_sets(short, wide, "float32 and float64 targets differ")


def _unless_refused(subject: MethodSubject, name: str) -> Tensor | None:
    """The designs proposed on a case; None where the method refuses it in a clear line."""
    try:
        return subject.ask(name, 4, 3).designs()
    except CheckFailed:
        raise
    except InvcoreError:
        return None


def _all_allowed(question: Question, x: Tensor, fault: str = "out of bounds") -> None:
    bad = ~question.allowed(x)
    question.require(not bad.any(), f"{int(bad.sum())} of {bad.numel()} candidates {fault}")
