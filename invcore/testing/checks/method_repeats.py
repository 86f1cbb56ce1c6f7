"""Checks of methods: randomness, independence of targets, stored state."""

from __future__ import annotations

import torch
from safetensors.torch import load, save
from torch import Tensor

from invcore.base.text import one_line
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.method import InverseModel, Targets
from invcore.testing.cases.comparison import (
    RandomOps,
    WatchedContext,
    global_seed,
    same,
    same_mappings,
    same_sets,
    untouched_generators,
)
from invcore.testing.cases.problems import Case, case, unit_points
from invcore.testing.cases.subjects import MethodSubject
from invcore.testing.check import Check, CheckFailed, NotApplicable, require


def check_same_seed(subject: MethodSubject) -> None:
    """Two fits with one seed propose the same, whatever the global generators hold."""
    answers = []
    for seed in (1, 2):
        known = case("bowl")
        with global_seed(seed):
            model = subject.fit(known)
            points = unit_points(6, 5, model.point_dim)
            answers.append(subject.designs(known, model, known.targets(6), points))
    require(
        same(*answers),
        "two fits with the same seed propose different designs: take randomness from "
        "context.generator(...) or invcore.isolated(context.derive(...))",
    )


def check_propose_repeats(subject: MethodSubject) -> None:
    """A model answers the same question twice in the same way: points are its only randomness."""
    known, model = subject.fitted("bowl")
    points = unit_points(6, 5, model.point_dim)
    answers = []
    for seed in (1, 2):
        with global_seed(seed):
            answers.append(subject.designs(known, model, known.targets(6), points))
    require(same(*answers), "asked twice, the model proposes different designs")


def check_global_generators(subject: MethodSubject) -> None:
    """The global generators of torch, NumPy and random are left alone."""
    known = case("bowl")
    with untouched_generators("fit"):
        model = subject.fit(known)
    points = unit_points(6, 5, model.point_dim)
    with untouched_generators("propose"):
        subject.candidates(known, model, known.targets(6), points)
    with untouched_generators("restore"):
        subject.build(known.problem.name).restore(known.problem, model.state())


def check_seeds_differ(subject: MethodSubject) -> None:
    """A fit that draws random numbers gives another model for another seed."""
    known, model = subject.fitted("bowl")
    context = WatchedContext(12345)
    context.asked.clear()
    with RandomOps() as random:
        other = subject.fit(known, context)
    if not context.asked and not random.seen:
        raise NotApplicable("fit asks for no seed, and draws no random numbers with torch")
    changed = same_mappings(model.state(), other.state())
    points = unit_points(6, 5, model.point_dim)
    answers = [subject.designs(known, m, known.targets(6), points) for m in (model, other)]
    drawn = f" (it draws with {', '.join(sorted(random.seen))})" if random.seen else ""
    require(
        bool(changed) or not same(*answers),
        f"another seed gives the same model: the context's seed has no effect{drawn}",
    )


def check_points_matter(subject: MethodSubject) -> None:
    """Other points give other candidates: samplers drive the model."""
    known, model = subject.fitted("bowl")
    if model.point_dim == 0:
        raise NotApplicable("point_dim is 0: the model takes no points")
    answers = [
        subject.designs(known, model, known.targets(6), unit_points(6, 5, model.point_dim, seed))
        for seed in (0, 1)
    ]
    require(not same(*answers), "other points give the same candidates")
    spread = answers[0].std(dim=1).amax()
    require(float(spread) > 0, "all candidates of a target are the same design")


def check_target_order(subject: MethodSubject) -> None:
    """Targets in another order get the same candidates, in that order."""
    for name in ("bowl", "twist"):
        known, model = _separate(subject, name)
        targets, points = known.targets(12), unit_points(12, 5, model.point_dim)
        order = torch.arange(12).flip(0)
        straight = subject.designs(known, model, targets, points)
        turned = subject.designs(known, model, Targets(targets.y[order]), points[order])
        same_sets(
            known.task.designs, straight, turned[order], f"{name}: the targets' order matters"
        )


def check_batch_size(subject: MethodSubject) -> None:
    """A target asked alone gets the candidates that it gets among others."""
    for name in ("bowl", "twist"):
        known, model = _separate(subject, name)
        targets, points = known.targets(6), unit_points(6, 5, model.point_dim)
        together = subject.designs(known, model, targets, points)
        alone = [
            subject.designs(known, model, Targets(targets.y[i : i + 1]), points[i : i + 1])
            for i in range(6)
        ]
        same_sets(
            known.task.designs,
            together,
            torch.cat(alone),
            f"{name}: the answer depends on which targets are asked together",
        )


def _separate(subject: MethodSubject, name: str) -> tuple[Case, InverseModel]:
    """A case and its model, if the model answers each target by itself."""
    known, model = subject.fitted(name)
    if model.joint:
        raise NotApplicable("the model works on all targets as one (joint = True)")
    return known, model


def check_state_restores(subject: MethodSubject) -> None:
    """A model restored from its stored state proposes the same, bit for bit."""
    for name in ("bowl", "mixed"):
        known, model = subject.fitted(name)
        stored = {k: v.detach().cpu().contiguous().clone() for k, v in model.state().items()}
        again = subject.build(known.problem.name).restore(known.problem, load(save(stored)))
        require(
            (again.point_dim, again.ranked) == (model.point_dim, model.ranked),
            f"{name}: the restored model has another point_dim or ranked",
        )
        points = unit_points(6, 5, model.point_dim)
        answers = [subject.designs(known, m, known.targets(6), points) for m in (model, again)]
        require(same(*answers), f"{name}: the restored model proposes different designs")
        lost = same_mappings(stored, again.state())
        require(not lost, f"{name}: the restored model's state differs in {', '.join(lost[:3])}")


def check_state_tensors(subject: MethodSubject) -> None:
    """The state is plain contiguous tensors by name, as safetensors stores them."""
    _, model = subject.fitted("bowl")
    state = model.state()
    require(isinstance(state, dict), f"state gives {type(state).__name__}, expected a dict")
    for name, value in state.items():
        require(isinstance(name, str), f"the name {name!r} is no text")
        plain = type(value) is Tensor and not value.requires_grad
        require(plain, f"{name!r} is no plain tensor without gradient; use .detach()")
        require(value.is_contiguous(), f"{name!r} is not contiguous; use .contiguous()")
    try:
        save(state)
    except Exception as error:
        raise CheckFailed(f"safetensors cannot store the state: {one_line(error, 200)}") from None


def check_cuda(subject: MethodSubject) -> None:
    """On a CUDA device the fit works, its proposals are allowed, and it moves to the CPU."""
    if not torch.cuda.is_available():
        raise NotApplicable("no CUDA device here")
    known = case("bowl")
    env = FitEnvironment(0, torch.device("cuda", 0))
    with untouched_generators("fit"):
        model = subject.fit(known, env)
    points = unit_points(6, 5, model.point_dim)
    x = subject.designs(known, model, known.targets(6), points)
    require(bool(known.task.designs.contains(x).all()), "candidates are not allowed designs")
    state = {k: v.detach().cpu() for k, v in model.state().items()}
    again = subject.build(known.problem.name).restore(known.problem, state)
    moved = subject.designs(known, again, known.targets(6), points)
    require(bool(known.task.designs.contains(moved).all()), "on the CPU they are not allowed")
    if not model.joint:  # which trains when it is asked, and so makes much of other roundings
        same_sets(known.task.designs, x, moved, "restored on the CPU, the model answers otherwise")


REPEAT_CHECKS = tuple(
    Check.of(function)
    for function in (
        check_same_seed,
        check_propose_repeats,
        check_global_generators,
        check_seeds_differ,
        check_points_matter,
        check_target_order,
        check_batch_size,
        check_state_restores,
        check_state_tensors,
        check_cuda,
    )
)
