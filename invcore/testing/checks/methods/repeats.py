"""Checks of methods: randomness, independence of targets, stored state."""

from collections.abc import Iterator
from dataclasses import replace

import torch
from safetensors.torch import load, save
from torch import Tensor

from invcore.base.seeding import isolated
from invcore.base.text import one_line
from invcore.contracts.environment import FitEnvironment
from invcore.testing.cases.comparison import (
    RandomOps,
    WatchedEnvironment,
    same,
    same_mappings,
    untouched_generators,
)
from invcore.testing.cases.component_under_test import MethodSubject, Question
from invcore.testing.cases.problems import case, unit_points
from invcore.testing.check import CheckFailed, only_if, require


def check_same_seed(subject: MethodSubject) -> None:
    """Two fits with one seed propose the same, whatever the global generators hold."""
    answers = []
    for seed in (1, 2):
        with isolated(seed):
            answers.append(subject.ask("bowl", 6, 5, subject.fit(case("bowl"))).designs())
    remedy = "take randomness from env.generator(...) or invcore.plugin.isolated(env.derive(...))"
    equal = same(*answers)
    require(equal, f"two fits with the same seed propose different designs: {remedy}")


def check_propose_repeats(subject: MethodSubject) -> None:
    """A model answers the same question twice in the same way: points are its only randomness."""
    question = subject.ask("bowl", 6, 5)
    answers = []
    for seed in (1, 2):
        with isolated(seed):
            answers.append(question.designs())
    require(same(*answers), "asked twice, the model proposes different designs")


def check_global_generators(subject: MethodSubject) -> None:
    """The global generators of torch, NumPy and random are left alone."""
    with untouched_generators("fit"):
        model = subject.fit(case("bowl"))
    question = subject.ask("bowl", 6, 5, model)
    with untouched_generators("propose"):
        question.propose()
    with untouched_generators("restore"):
        question.restored(model.state())


def check_seeds_differ(subject: MethodSubject) -> None:
    """A fit that draws random numbers gives another model for another seed."""
    question = subject.ask("bowl", 6, 5)
    bowl, env = case("bowl"), WatchedEnvironment(12345)
    env.requests.clear()
    with RandomOps() as random:
        other = subject.fit(bowl, env)
    deaf = "fit asks for no seed, and draws no random numbers with torch"
    only_if(bool(env.requests or random.names), deaf)
    changed = same_mappings(question.model.state(), other.state())
    drawn = f" (it draws with {', '.join(sorted(random.names))})" if random.names else ""
    equal = same(question.designs(), replace(question, model=other).designs()) and not changed
    fault = "another seed gives the same model: the environment's seed has no effect"
    require(not equal, fault + drawn)


def check_points_matter(subject: MethodSubject) -> None:
    """Every candidate follows a point of its own: samplers drive the model."""
    question = subject.ask("bowl", 6, 5)
    only_if(question.model.point_dim != 0, "point_dim is 0: the model takes no points")
    x = question.designs()
    alone = ~_among(x, x, but_itself=True)
    fault = f"{_share(~alone)} of a target's candidates are copies of another"
    require(alone.double().mean() >= 0.9, f"{fault}: each needs a point of its own")
    others = unit_points(6, 5, question.model.point_dim, seed=1)
    stayed = _among(x, replace(question, points=others).designs())
    fault = f"other points give the same candidates ({_share(stayed)} of them)"
    require(stayed.double().mean() <= 0.1, f"{fault}: points[:, k] drives the k-th candidate")
    for k in (0, 4):
        points = question.points.clone()
        points[:, k] = others[:, k]
        y = replace(question, points=points).designs()
        deaf = _among(x, y).all(dim=1)  # (B,)
        fault = f"another point {k} alone changes no candidate of {int(deaf.sum())} of 6 targets"
        require(deaf.double().mean() <= 0.25, f"{fault}: points[:, k] drives the k-th candidate")
        if not question.model.ranked:
            moved = (x != y).any(dim=2)
            moved[:, k] = False
            fault = f"another point {k} changes other candidates than the k-th"
            require(moved.double().mean() <= 0.1, f"{fault}, though the model is not ranked")


def _among(x: Tensor, y: Tensor, *, but_itself: bool = False) -> Tensor:
    """Which designs (B, K, Dx) are among those of the same target, in whatever place: (B, K)."""
    equal = (x[:, :, None] == y[:, None]).all(dim=3)
    if but_itself:
        equal &= ~torch.eye(x.shape[1], dtype=torch.bool)
    return equal.any(dim=2)


def _share(which: Tensor) -> str:
    return f"{float(which.double().mean()):.0%}"


def check_target_order(subject: MethodSubject) -> None:
    """Targets in another order get the same candidates, in that order."""
    for question in _separate(subject, 12):
        order = torch.arange(12).flip(0)
        straight, turned = question.designs(), question.rows(order).designs()
        question.same_sets(straight, turned[order], "the targets' order matters")


def check_batch_size(subject: MethodSubject) -> None:
    """A target asked alone gets the candidates that it gets among others."""
    for question in _separate(subject, 6):
        together = question.designs()
        alone = torch.cat([question.rows(slice(i, i + 1)).designs() for i in range(6)])
        message = "the answer depends on which targets are asked together"
        question.same_sets(together, alone, message)


def _separate(subject: MethodSubject, targets: int) -> Iterator[Question]:
    """The two questions, if the model answers each target by itself."""
    for question in subject.ask_both(targets, 5):
        only_if(not question.model.joint, "the model works on all targets as one (joint = True)")
        yield question


def check_state_restores(subject: MethodSubject) -> None:
    """A model restored from its stored state proposes the same, bit for bit."""
    for name in ("bowl", "mixed"):
        question = subject.ask(name, 6, 5)
        state = question.model.state()
        stored = {k: v.detach().cpu().contiguous().clone() for k, v in state.items()}
        again = question.restored(load(save(stored)))
        facts = [(m.point_dim, m.ranked) for m in (question.model, again.model)]
        require(facts[0] == facts[1], f"{name}: the restored model has another point_dim or ranked")
        equal = same(question.designs(), again.designs())
        require(equal, f"{name}: the restored model proposes different designs")
        lost = same_mappings(stored, again.model.state())
        require(not lost, f"{name}: the restored model's state differs in {', '.join(lost[:3])}")


def check_state_tensors(subject: MethodSubject) -> None:
    """The state is plain contiguous tensors by name, as safetensors stores them."""
    state = subject.fitted("bowl").state()
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
    only_if(torch.cuda.is_available(), "no CUDA device here")
    with untouched_generators("fit"):
        model = subject.fit(case("bowl"), FitEnvironment(0, torch.device("cuda", 0)))
    question = subject.ask("bowl", 6, 5, model)
    x = question.designs()
    require(question.allowed(x).all(), "candidates are not allowed designs")
    moved = question.restored({k: v.detach().cpu() for k, v in model.state().items()}).designs()
    require(question.allowed(moved).all(), "on the CPU they are not allowed")
    if not model.joint:  # which trains when it is asked, and so makes much of other roundings
        question.same_sets(x, moved, "restored on the CPU, the model answers otherwise")
