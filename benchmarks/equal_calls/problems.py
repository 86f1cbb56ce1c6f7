"""Forward systems whose targets are searched for, and their coordinates in the unit cube."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from invcore.plugin import Problem, Space, Uniform, Variable, generator, installed

Numbers = npt.NDArray[np.float64]

VALIDATION, STANDARD = 400, 1000  # rows that tell the variance; those that standardise responses
TAIL = 1e-5  # of the prior that lies outside of the cube, at each end

TASKS: dict[str, tuple[str, dict[str, Any]]] = {
    "sine-wave": ("sine-wave", {}),
    "robotic-arm": ("robotic-arm", {}),
    "ballistics": ("ballistics", {"speed": "any"}),
    "thin-film": ("thin-film", {}),
    "nanoshell": ("nanoshell", {}),
    "meta-material": ("meta-material", {}),
    "meta-material-solver": ("meta-material", {"simulator": "rcwa"}),
    "incompressible-flow": ("incompressible-flow", {}),
}
"""Tasks of invcore, with their settings."""
STAND_INS = {"meta-material-solver": "meta-material"}
"""Systems whose variance is that of another, since 400 rows of them take an hour."""
OTHERS = {
    "wing-weight": ("smt.problems", "WingWeight", {"ndim": 10}),
    "borehole": ("smt.problems", "WaterFlow", {"ndim": 8}),
    "car-side-impact": ("bocode.opt_problems.engineering.CarSideImpact", "CarSideImpact", {}),
    "welded-beam": ("bocode.opt_problems.engineering.WeldedBeam", "WeldedBeam", {}),
}
"""Functions of other packages; responses are constraints and objectives, standardised."""
COSTLY = ("nanoshell", "incompressible-flow", "meta-material-solver")
"""Simulators that take longest: the last to be measured."""
CLOSED = tuple(name for name in (*TASKS, *OTHERS) if name not in (*COSTLY, "meta-material"))
NAMES = (*CLOSED, "meta-material", *COSTLY)


@dataclass(frozen=True)
class System:
    """A forward system with the targets of a seed.

    Args:
        problem: its spaces.
        simulate: designs (N, Dx) to responses (N, Dy), float64.
        targets: (T, Dy), responses of designs of the prior.
        scale: what errors are measured in: the mean of the responses' variances, of other rows.
    """

    problem: Problem
    simulate: Callable[[Tensor], Tensor]
    targets: Tensor
    scale: float

    @property
    def box(self) -> tuple[Numbers, Numbers]:
        """Ends of the cube (Dx,): the prior's outermost quantiles, in the designs' own units.

        The cube is affine to the designs: in the prior's distribution function, searches end on
        its flat tails.
        """
        return box_of(self.problem.designs)

    def first(self, count: int) -> System:
        """The same with the first of its targets."""
        return replace(self, targets=self.targets[:count])

    def errors(self, responses: Tensor, targets: Tensor) -> Tensor:
        """Mean squared differences relative to the variance: (N, T), infinite without a response.

        Args:
            responses: (N, Dy).
            targets: (T, Dy).
        """
        errors = torch.stack([(responses - t).square().mean(dim=1) for t in targets], dim=1)
        return (errors / self.scale).nan_to_num(nan=torch.inf)


def box_of(designs: Space) -> tuple[Numbers, Numbers]:
    """The outermost quantiles of a prior (Dx,)."""
    ends = torch.tensor([[TAIL], [1 - TAIL]], dtype=torch.float64).expand(2, designs.dim)
    free = Space.of(*designs.variables)  # constraints would move the ends
    low, high = free.from_unit(ends).double().numpy()
    return low, high


def system(name: str, targets: int, seed: int) -> System:
    """A forward system with targets that a seed decides.

    Raises:
        KeyError: no such system.
        ModuleNotFoundError: its package is not installed.
    """
    if name in TASKS:
        return _task(name, targets, seed)
    return _other(name, targets, seed)


def _task(name: str, targets: int, seed: int) -> System:
    task, stand_in = _built(name), _built(STAND_INS.get(name, name))
    y = task.pairs(targets, generator(seed, "few-calls", "targets")).y
    validation = stand_in.pairs(VALIDATION, generator(seed, "few-calls", "validation")).y
    problem = Problem(name, task.designs, task.responses)
    scale = float(validation.double().var(dim=0, correction=0).mean())
    return System(problem, lambda x: task.simulate(x).double(), y.double(), scale)


def _built(name: str) -> Any:
    task, settings = TASKS[name]
    kind: Any = installed().registry.load("task", task)
    return kind(kind.Config(**settings))


def _other(name: str, targets: int, seed: int) -> System:
    function, low, high = FUNCTIONS[OTHERS[name][0].partition(".")[0]](name)
    designs = Space.of(*(
        Variable(name=f"x{i}", prior=Uniform(low=a, high=b))
        for i, (a, b) in enumerate(zip(low.tolist(), high.tolist(), strict=True), 1)
    ))  # fmt: skip

    def drawn(count: int, what: str) -> Tensor:
        return function(designs.sample(count, generator(seed, "few-calls", what)))

    standard = drawn(STANDARD, "standard")
    middle, width = standard.mean(dim=0), standard.std(dim=0)
    width = torch.where(width > 0, width, 1.0)
    y, validation = ((drawn(n, what) - middle) / width for n, what in
                     ((targets, "targets"), (VALIDATION, "validation")))  # fmt: skip
    responses = Space.of(*(Variable(name=f"y{i}") for i in range(1, y.shape[1] + 1)))
    scale = float(validation.var(dim=0, correction=0).mean())
    problem = Problem(name, designs, responses)
    return System(problem, lambda x: (function(x) - middle) / width, y, scale)


Function = tuple[Callable[[Tensor], Tensor], Numbers, Numbers]


def _smt(name: str) -> Function:
    module, kind, settings = OTHERS[name]
    own = getattr(importlib.import_module(module), kind)(**settings)
    low, high = own.xlimits.T.astype(float)
    return lambda x: torch.from_numpy(own(x.numpy())).real.reshape(len(x), -1), low, high


def _bocode(name: str) -> Function:
    module, kind, settings = OTHERS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what else its package imports
        own = getattr(importlib.import_module(module), kind)(**settings)
    low, high = np.array(own.bounds, dtype=float).T

    def function(x: Tensor) -> Tensor:
        before = torch.get_default_dtype()
        torch.set_default_dtype(torch.float64)  # it writes to tensors of the default type
        try:
            parts = own._evaluate_implementation(x)[:2]
        finally:
            torch.set_default_dtype(before)
        return torch.cat([part.double().reshape(len(x), -1) for part in parts], dim=1)

    return function, low, high


FUNCTIONS: dict[str, Callable[[str], Function]] = {"smt": _smt, "bocode": _bocode}
