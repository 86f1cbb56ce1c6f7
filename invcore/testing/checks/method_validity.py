"""Checks of methods: what comes out, for whatever goes in."""

from __future__ import annotations

import torch

from invcore.base.errors import InvcoreError, ShapeError
from invcore.contracts.method import Targets
from invcore.data.pairs import repeated
from invcore.scoring.errors import squared_error
from invcore.testing.cases.comparison import same_sets, unchanged
from invcore.testing.cases.problems import case, unit_points
from invcore.testing.cases.subjects import MethodSubject
from invcore.testing.check import Check, CheckFailed, NotApplicable, require

_EDGE = 2.0**-33


def check_shapes(subject: MethodSubject) -> None:
    """B targets and K points each give (B, K, Dx) candidates; predictions are (B, K, Dy)."""
    for name in ("bowl", "twist"):
        known, model = subject.fitted(name)
        dim = model.point_dim
        require(isinstance(dim, int) and dim >= 0, f"point_dim is {dim!r}, expected a number >= 0")
        points = unit_points(5, 4, dim)
        subject.designs(known, model, known.targets(5), points)
        predicted = subject.candidates(known, model, known.targets(5), points).predicted
        expected = (5, 4, known.task.responses.dim)
        require(
            predicted is None or tuple(predicted.shape) == expected,
            f"predicted has shape {() if predicted is None else tuple(predicted.shape)}, "
            f"expected (B, K, Dy) = {expected}",
        )


def check_one_target_one_candidate(subject: MethodSubject) -> None:
    """B = K = 1 works, with one response and with two."""
    for name in ("bowl", "twist"):
        known, model = subject.fitted(name)
        x = subject.designs(known, model, known.targets(1), unit_points(1, 1, model.point_dim))
        require(bool(x.isfinite().all()), f"{name}: the candidate is not finite")


def check_one_variable(subject: MethodSubject) -> None:
    """One design variable and one response work, or the method refuses them in one clear line."""
    try:
        known, model = subject.fitted("line")
        x = subject.designs(known, model, known.targets(4), unit_points(4, 3, model.point_dim))
    except CheckFailed:
        raise
    except InvcoreError:
        return
    require(bool(known.task.designs.contains(x).all()), "candidates are not allowed designs")


def check_small_table(subject: MethodSubject) -> None:
    """Twelve pairs to learn from work, or the method refuses them in one clear line."""
    try:
        known, model = subject.fitted("small")
        x = subject.designs(known, model, known.targets(4), unit_points(4, 3, model.point_dim))
    except CheckFailed:
        raise
    except InvcoreError:
        return
    require(bool(x.isfinite().all()), "candidates are not finite")


def check_finite(subject: MethodSubject) -> None:
    """Candidates are finite, for points next to the faces of the cube too."""
    for name in ("bowl", "twist"):
        known, model = subject.fitted(name)
        points = unit_points(8, 6, model.point_dim)
        points[0], points[1] = _EDGE, 1 - _EDGE
        points[2, :, ::2] = 1 - _EDGE
        x = subject.designs(known, model, known.targets(8), points)
        bad = ~x.isfinite().all(dim=2)  # (B, K)
        where = "points next to a face" if bool(bad[:3].any()) else "ordinary points"
        require(not bool(bad.any()), f"{name}: {int(bad.sum())} candidates not finite, {where}")


def check_in_bounds(subject: MethodSubject) -> None:
    """Candidates lie inside the designs' bounds."""
    for name in ("bowl", "twist"):
        known, model = subject.fitted(name)
        x = subject.designs(known, model, known.targets(24), unit_points(24, 8, model.point_dim))
        bad = ~known.task.designs.contains(x)
        require(
            not bool(bad.any()),
            f"{name}: {int(bad.sum())} of {bad.numel()} candidates out of bounds; "
            "problem.designs.project moves them inside",
        )


def check_unreachable_targets(subject: MethodSubject) -> None:
    """Targets that no design reaches still get finite candidates inside the bounds."""
    for name in ("bowl", "twist"):
        known, model = subject.fitted(name)
        spread = known.train.y.std(dim=0)
        far = Targets(known.train.y.mean(dim=0) + spread * torch.tensor([[-20.0], [20.0]]).double())
        x = subject.designs(known, model, far, unit_points(2, 6, model.point_dim))
        bad = ~known.task.designs.contains(x)
        require(
            not bool(bad.any()),
            f"{name}: {int(bad.sum())} of {bad.numel()} candidates not finite or out of bounds",
        )


def check_mixed_space(subject: MethodSubject) -> None:
    """Whole numbers and categories come back as such, in their range."""
    known, model = subject.fitted("mixed")
    x = subject.designs(known, model, known.targets(12), unit_points(12, 6, model.point_dim))
    rough = (x[..., 1:] != x[..., 1:].round()).any(dim=2)
    require(not bool(rough.any()), f"{int(rough.sum())} candidates have a fraction of a layer")
    bad = ~known.task.designs.contains(x)
    require(not bool(bad.any()), f"{int(bad.sum())} of {bad.numel()} candidates out of bounds")


def check_images(subject: MethodSubject) -> None:
    """Designs that are images come back inside their bounds, from a restored model too."""
    known, model = subject.fitted("tiles")
    targets, points = known.targets(6), unit_points(6, 4, model.point_dim)
    x = subject.designs(known, model, targets, points)
    bad = ~known.task.designs.contains(x)
    require(not bool(bad.any()), f"{int(bad.sum())} of {bad.numel()} candidates out of bounds")
    state = {name: value.clone() for name, value in model.state().items()}
    again = subject.build(known.problem.name).restore(known.problem, state)
    same = torch.equal(subject.designs(known, again, targets, points), x)
    require(same, "a restored model proposes others")


def check_context(subject: MethodSubject) -> None:
    """What is known of a problem is used, if the method says so."""
    if not subject.component.uses_context:  # type: ignore[attr-defined]
        raise NotApplicable("the method says uses_context = False")
    known, model = subject.fitted("known")
    targets, points = known.targets(24), unit_points(24, 6, model.point_dim)
    others = {name: value.roll(1, 0) for name, value in (targets.context or {}).items()}
    own = repeated(targets.context, 6)
    errors = []
    for context in (targets.context, others):
        x = subject.designs(known, model, Targets(targets.y, context), points)
        y = known.task.simulate(x.flatten(0, 1), own).unflatten(0, x.shape[:2])
        errors.append(float(squared_error(y, targets.y).mean()))
    require(
        errors[0] < 0.8 * errors[1],
        f"with another problem's context the error is {errors[1]:.3g}, with its own "
        f"{errors[0]:.3g}: is targets.context used?",
    )


def check_predictions(subject: MethodSubject) -> None:
    """What the model expects of its candidates is in the responses' own units, and informed."""
    for name in ("bowl", "twist"):
        known, model = subject.fitted(name)
        targets, points = known.targets(24), unit_points(24, 4, model.point_dim)
        found = subject.candidates(known, model, targets, points)
        if found.predicted is None:
            raise NotApplicable("the model predicts no responses")
        true = known.task.simulate(found.x.detach().cpu().double().flatten(0, 1))
        wrong = (found.predicted.detach().cpu().double().flatten(0, 1) - true).square().mean(0)
        ratio = float((wrong / known.train.y.var(dim=0)).mean())
        require(
            ratio < 1.0,
            f"{name}: predictions are off by {ratio:.3g} variances of the responses: "
            "are they still scaled?",
        )


def check_ranking(subject: MethodSubject) -> None:
    """Of ranked candidates, the first half are no worse in the simulator than the second."""
    known, model = subject.fitted("bowl")
    if not model.ranked:
        raise NotApplicable("the model is not ranked")
    targets, points = known.targets(24), unit_points(24, 16, model.point_dim)
    x = subject.designs(known, model, targets, points)
    y = known.task.simulate(x.flatten(0, 1)).unflatten(0, x.shape[:2])
    tiny = 1e-6 * float(known.train.y.var())
    first, second = (float(half.nanmean()) for half in squared_error(y, targets.y).chunk(2, dim=1))
    require(
        first <= 1.05 * second + tiny,  # a ranking that says nothing may come out a little worse
        f"ranked, but the first half of the candidates has the larger error ({first:.3g}) and the "
        f"second the smaller ({second:.3g})",
    )


def check_arguments_unchanged(subject: MethodSubject) -> None:
    """Pairs, targets, points and config are as before after fit and propose."""
    known = case("twist")
    method = subject.build(known.problem.name)
    before = method.config.model_dump()
    data = {"x": known.train.x, "y": known.train.y, "val_x": known.val.x, "val_y": known.val.y}
    with unchanged("fit", **data):
        model = subject.fit(known)
    targets, points = known.targets(5), unit_points(5, 4, model.point_dim)
    with unchanged("propose", targets=targets.y, points=points):
        subject.candidates(known, model, targets, points)
    require(method.config.model_dump() == before, "the config was changed")


def check_wrong_sizes(subject: MethodSubject) -> None:
    """Targets or points of a wrong size are a ShapeError."""
    known, model = subject.fitted("twist")
    good, dim = known.targets(3), model.point_dim
    wrong = {
        "targets with a column too many": (torch.zeros(3, 3), unit_points(3, 2, dim)),
        "targets of one dimension": (torch.zeros(2), unit_points(2, 2, dim)),
        "points with a column too many": (good.y, unit_points(3, 2, dim + 1)),
        "points for another number of targets": (good.y, unit_points(2, 2, dim)),
        "points of two dimensions": (good.y, unit_points(3, 2, dim)[0]),
    }
    for what, (y, points) in wrong.items():
        try:
            subject.candidates(known, model, Targets(y.double()), points)
        except ShapeError:
            continue
        except CheckFailed:
            raise
        except Exception as error:
            raise CheckFailed(
                f"{what}: {type(error).__name__} instead of ShapeError; self.check_sizes says it"
            ) from None
        raise CheckFailed(f"{what}: accepted; self.check_sizes(targets, points, Dy) refuses them")


def check_dtypes(subject: MethodSubject) -> None:
    """Targets in float32 and in float64 get the same candidates."""
    for name in ("bowl", "twist"):
        known, model = subject.fitted(name)
        points = unit_points(8, 4, model.point_dim)
        narrow = known.targets(8).y.float()
        wide = subject.designs(known, model, Targets(narrow.double()), points)
        same_sets(
            known.task.designs,
            subject.designs(known, model, Targets(narrow), points),
            wide,
            f"{name}: float32 and float64 targets differ",
        )


VALIDITY_CHECKS = tuple(
    Check.of(function)
    for function in (
        check_shapes,
        check_one_target_one_candidate,
        check_one_variable,
        check_small_table,
        check_finite,
        check_in_bounds,
        check_unreachable_targets,
        check_mixed_space,
        check_images,
        check_context,
        check_predictions,
        check_ranking,
        check_arguments_unchanged,
        check_wrong_sizes,
        check_dtypes,
    )
)
