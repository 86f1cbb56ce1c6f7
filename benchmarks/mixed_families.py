"""Families of mixed problems whose optimum is known: every design of each has been evaluated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from invcore import Categorical, Integers, Space, Uniform, Variable
from invcore.plugin import Levels, generator

Response = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class MixedProblem:
    """A response (N,) of designs (N, Dx) to be made small, all of whose variables come in steps.

    Args:
        name: of the family.
        seed: of its numbers.
        designs: the space.
        values: for each variable its values.
        response: of designs.
    """

    name: str
    seed: int
    designs: Space
    values: tuple[Tensor, ...]
    response: Response

    @property
    def size(self) -> int:
        """How many designs there are."""
        return math.prod(len(own) for own in self.values)

    @cached_property
    def optimum(self) -> float:
        """The smallest response of all designs."""
        best = math.inf
        for part in torch.arange(self.size).split(1 << 17):
            best = min(best, float(self.response(self.design(part)).min()))
        return best

    def design(self, number: Tensor) -> Tensor:
        """The designs (N, Dx) of numbers (N,) from 0 to ``size``."""
        columns = []
        for own in self.values:
            columns.append(own[number % len(own)])
            number = number // len(own)
        return torch.stack(columns, dim=1)

    def found(self, value: float) -> bool:
        """Whether a response is the optimum, up to rounding.

        Raises:
            ValueError: it is below the optimum, so that its design is not among the designs here.
        """
        near = 1e-9 * max(1.0, abs(self.optimum))
        if value < self.optimum - near:
            raise ValueError(f"{value} is below the optimum {self.optimum} of {self.name}")
        return value <= self.optimum + near


def problem(
    name: str, seed: int, variables: dict[str, int | tuple[float, ...]], response: Response
) -> MixedProblem:
    """A problem of categories (how many there are) and levels (their values)."""
    parts, values, constraints = [], [], []
    for title, own in variables.items():
        if isinstance(own, int):
            prior = Categorical(categories=tuple(f"{title}{i}" for i in range(own)))
            parts.append(Variable(name=title, prior=prior))
            values.append(torch.arange(own).double())
        elif own == tuple(range(int(own[0]), int(own[-1]) + 1)):
            prior_of_numbers = Integers(low=int(own[0]), high=int(own[-1]))
            parts.append(Variable(name=title, prior=prior_of_numbers))
            values.append(torch.tensor(own, dtype=torch.float64))
        else:
            parts.append(Variable(name=title, prior=Uniform(low=own[0], high=own[-1])))
            constraints.append(Levels(variable=title, values=own))
            values.append(torch.tensor(own, dtype=torch.float64))
    space = Space.of(*parts, constraints=constraints)
    return MixedProblem(name, seed, space, tuple(values), response)


def _levels(low: float, high: float, count: int) -> tuple[float, ...]:
    return tuple(torch.linspace(low, high, count, dtype=torch.float64).tolist())


def catalyst(seed: int) -> MixedProblem:
    """Metal, support, promoter and solvent with effects of their own and of pairs; temperature and
    pressure, whose best values depend on the metal. 1 less the yield.
    """
    g = generator(seed, "catalyst")
    counts = (8, 6, 7, 5)
    main = [torch.randn(n, generator=g).double() for n in counts]
    pairs = {
        (i, j): 0.5 * torch.randn(counts[i], counts[j], generator=g).double()
        for i in range(4) for j in range(i)
    }  # fmt: skip
    warm = 350 + 150 * torch.rand(8, generator=g).double()
    press = 5 + 30 * torch.rand(6, generator=g).double()

    def response(x: Tensor) -> Tensor:
        code = x[:, :4].long()
        parts = [own[code[:, i]] for i, own in enumerate(main)]
        parts += [own[code[:, i], code[:, j]] for (i, j), own in pairs.items()]
        total = torch.stack(parts).sum(0)
        total = total - ((x[:, 4] - warm[code[:, 0]]) / 60).square()
        return -(total - ((x[:, 5] - press[code[:, 1]]) / 12).square())

    numbers = {"temperature": _levels(350, 500, 7), "pressure": _levels(5, 35, 6)}
    names = dict(zip(("metal", "support", "promoter", "solvent"), counts, strict=True))
    return problem("catalyst", seed, names | numbers, response)


def vessel(seed: int) -> MixedProblem:
    """A pressure vessel: thicknesses in sixteenths, radius and length in levels, a steel."""
    g = generator(seed, "vessel")
    strength = 0.8 + 0.6 * torch.rand(4, generator=g).double()
    price = strength.pow(1.5) * (0.9 + 0.2 * torch.rand(4, generator=g).double())
    volume = 500_000 * (0.8 + 0.8 * float(torch.rand(1, generator=g)))

    def response(x: Tensor) -> Tensor:
        steel = x[:, 4].long()
        shell, head, radius, length = x[:, 0] / 16, x[:, 1] / 16, x[:, 2], x[:, 3]
        cost = (
            0.6224 * shell * radius * length + 1.7781 * head * radius**2
            + 3.1661 * shell**2 * length + 19.84 * shell**2 * radius
        ) * price[steel]  # fmt: skip
        held = math.pi * radius**2 * length + 4 / 3 * math.pi * radius**3
        short = [
            (0.0193 * radius / strength[steel] - shell) / 0.5,
            (0.00954 * radius / strength[steel] - head) / 0.5,
            (volume - held) / volume,
        ]
        return cost / 1000 + 10 * sum(part.clamp(min=0) for part in short)

    whole = tuple(float(i) for i in range(8, 24))
    variables: dict[str, int | tuple[float, ...]] = {
        "shell": whole, "head": tuple(float(i) for i in range(4, 20)),
        "radius": _levels(35, 60, 11), "length": _levels(60, 200, 15), "steel": 4,
    }  # fmt: skip
    return problem("vessel", seed, variables, response)


def reducer(seed: int) -> MixedProblem:
    """A speed reducer: seven sizes in levels and a steel; weight, and what is violated."""
    g = generator(seed, "reducer")
    strength = 0.7 + 0.8 * torch.rand(5, generator=g).double()
    dense = 0.6 + 0.4 * strength * (0.85 + 0.3 * torch.rand(5, generator=g).double())

    def response(x: Tensor) -> Tensor:
        b, m, z, a, c, d, e = x[:, :7].unbind(dim=1)
        own = strength[x[:, 7].long()]
        weight = (
            0.7854 * b * m**2 * (3.3333 * z**2 + 14.9334 * z - 43.0934)
            - 1.508 * b * (d**2 + e**2) + 7.4777 * (d**3 + e**3) + 0.7854 * (a * d**2 + c * e**2)
        ) * dense[x[:, 7].long()]  # fmt: skip
        first = ((745 * a / (m * z)).square() + 16.9e6).sqrt() / (110 * own * d**3)
        second = ((745 * c / (m * z)).square() + 157.5e6).sqrt() / (85 * own * e**3)
        ratios = [
            27 / (own * b * m**2 * z), 397.5 / (own * b * m**2 * z**2),
            1.93 * a**3 / (m * z * d**4), 1.93 * c**3 / (m * z * e**4), first, second,
            (1.5 * d + 1.9) / a, (1.1 * e + 1.9) / c,
        ]  # fmt: skip
        return weight / 1000 + 3 * sum((ratio - 1).clamp(min=0) for ratio in ratios)

    variables: dict[str, int | tuple[float, ...]] = {
        "width": _levels(2.6, 3.6, 6), "module": _levels(0.7, 0.8, 3),
        "teeth": tuple(float(i) for i in range(17, 25)), "first": _levels(7.3, 8.3, 5),
        "second": _levels(7.3, 8.3, 5), "shaft": _levels(2.9, 3.9, 6),
        "other": _levels(5.0, 5.5, 5), "steel": 5,
    }  # fmt: skip
    return problem("reducer", seed, variables, response)


def stack(seed: int) -> MixedProblem:
    """Three layers on glass, each of a material and a thickness: the mean reflectance of a band."""
    g = generator(seed, "stack")
    index = torch.tensor([1.38, 1.46, 1.63, 1.76, 2.0, 2.35]).double()
    index = index + 0.04 * (torch.rand(6, generator=g).double() - 0.5)
    centre = 500 + 150 * float(torch.rand(1, generator=g))
    waves = torch.linspace(0.85 * centre, 1.15 * centre, 7).double()
    glass = 1.5 + 0.3 * float(torch.rand(1, generator=g))

    def response(x: Tensor) -> Tensor:
        rows = len(x)
        matrix = torch.eye(2, dtype=torch.complex128).expand(rows, len(waves), 2, 2)
        for layer in range(3):
            n = index[x[:, layer].long()][:, None]
            phase = 2 * math.pi * n * x[:, 3 + layer, None] / waves
            cos, sin = torch.cos(phase) + 0j, torch.sin(phase) + 0j
            rows_of = [
                torch.stack([cos, 1j * sin / n], -1), torch.stack([1j * sin * n, cos], -1)
            ]  # fmt: skip
            matrix = matrix @ torch.stack(rows_of, -2)
        b = matrix[..., 0, 0] + matrix[..., 0, 1] * glass
        c = matrix[..., 1, 0] + matrix[..., 1, 1] * glass
        return ((b - c) / (b + c)).abs().square().mean(dim=1)

    thickness = _levels(30, 170, 8)
    variables: dict[str, int | tuple[float, ...]] = {f"material{i}": 6 for i in range(3)}
    variables |= {f"thickness{i}": thickness for i in range(3)}
    return problem("stack", seed, variables, response)


def assignment(seed: int) -> MixedProblem:
    """Seven machines, each at one of six places: flows times distances, what places cost, and a
    charge where two machines share one.
    """
    g = generator(seed, "assignment")
    flow = torch.rand(7, 7, generator=g).double()
    place = torch.rand(6, 2, generator=g).double()
    distance = torch.cdist(place, place) + 0.5 * torch.eye(6).double()
    cost = 0.8 * torch.rand(7, 6, generator=g).double()

    def response(x: Tensor) -> Tensor:
        code = x.long()
        total = sum(cost[i][code[:, i]] for i in range(7))
        for i in range(7):
            for j in range(i):
                total = total + flow[i, j] * distance[code[:, i], code[:, j]]
        return torch.as_tensor(total)

    return problem("assignment", seed, {f"machine{i}": 6 for i in range(7)}, response)


def network(seed: int) -> MixedProblem:
    """A random network of eight categories of four kinds each, and two numbers of three levels."""
    g = generator(seed, "network")
    first = torch.randn(34, 12, generator=g).double() / 2
    last = torch.randn(12, generator=g).double()

    def response(x: Tensor) -> Tensor:
        hot = torch.nn.functional.one_hot(x[:, :8].long(), 4).flatten(1).double()
        return torch.cat([hot, x[:, 8:]], dim=1).matmul(first).tanh() @ last

    variables: dict[str, int | tuple[float, ...]] = {f"kind{i}": 4 for i in range(8)}
    return problem("network", seed, variables | {f"n{i}": (-1.0, 0.0, 1.0) for i in range(2)},
                   response)  # fmt: skip


FAMILIES = {
    "catalyst": catalyst, "vessel": vessel, "reducer": reducer, "stack": stack,
    "assignment": assignment, "network": network,
}  # fmt: skip
