"""Engineering tasks with a response to minimise and limits on others, and searches for them.

Constraints of the *space* are of design variables alone (that a weld is no thicker than its bar,
plates of stock, whole numbers of teeth, fractions that sum to one): to ask for them costs no call.
Every competitor has them, since designs are moved to the nearest one that the space allows before
they are simulated. Constraints of *responses* (stresses, volume, reflectance) are known by a call.

Best designs that are known: those of the tasks' own documentation.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from equal_calls.counting import EndedError
from equal_calls.peers import POPULATION, Peer, evolve, pymoo_algorithm
from equal_calls.problems import VALIDATION, Numbers, box_of
from invcore.plugin import Categorical, Problem, Targets, generator, installed

PROBLEMS: dict[str, float | None] = {
    "welded-beam": 2.380957, "pressure-vessel": 6059.714335, "speed-reducer": 2994.471066,
    "concrete-mixture": 32.2739, "optical-coating": None,
}  # fmt: skip
"""Tasks by name, and the best objective that is known."""
CALLS = 200
PENALTY = 10.0  # of a violation of one standard deviation, in standard deviations of the objective


class Wished:
    """A task with its specification, whose calls are counted.

    Points are of the unit cube; each is moved to the nearest design that the space allows.

    Args:
        name: of the task, whose module has its ``SPECIFICATION``.
        seed: of the draws of the prior that searches start from.
    """

    def __init__(self, name: str, seed: int, cap: int = CALLS) -> None:
        kind = installed().registry.load("task", name)
        self.task = kind()
        self.cap, self.values = cap, list[float]()
        self.simulate_s = 0.0
        specification = importlib.import_module(kind.__module__).SPECIFICATION
        y = self.task.pairs(VALIDATION, generator(seed, "few-calls", "validation")).y.double()
        self.spread = y.std(dim=0, correction=0)
        self.problem = Problem(name, self.task.designs, self.task.responses)
        targets = Targets.of([specification], self.task.responses)
        self.wanted, self.variance = targets.measured_in(self.spread), self.spread.square()
        self.low, self.high = box_of(self.task.designs)
        self.dim = len(self.low)
        self._random = generator(seed, "few-calls", "starts")
        self._known: dict[bytes, Numbers] = {}

    @property
    def calls(self) -> int:
        """How many rows were simulated."""
        return len(self.values)

    def starts(self, count: int) -> Numbers:
        """Draws of the prior that the space allows (count, Dx), in the cube."""
        x = self.task.designs.sample(count, self._random).double().numpy()
        return np.clip((x - self.low) / (self.high - self.low), 0.0, 1.0)

    def simulate(self, designs: Tensor) -> Tensor:
        """Responses (N, Dy) of designs (N, Dx).

        Raises:
            EndedError: no calls are left.
        """
        rows = designs[: self.cap - len(self.values)]
        y = self.task.simulate(rows).double()
        good = self.wanted.met(y[None])[0] & self.task.designs.contains(rows)
        goal = self.wanted.goals(y[None])[0].sum(dim=1)
        self.values += torch.where(good, goal, torch.inf).tolist()
        if len(rows) < len(designs) or len(self.values) >= self.cap:
            raise EndedError
        return y

    def measure(self, units: Numbers) -> Numbers:
        """Of points (N, Dx): what is to be small, and limits' excesses that are to be at most zero.

        (N, 1 + C), each in standard deviations of its response.
        """
        units = np.clip(np.atleast_2d(np.asarray(units, dtype=float)), 0.0, 1.0)
        designs = torch.from_numpy(self.low + units * (self.high - self.low))
        y = self.simulate(self.task.designs.project(designs))
        goal = self.wanted.goals(y[None] / self.spread)[0].sum(dim=1)
        low, high = self.wanted.low[0], self.wanted.high[0]
        excess = [((y - high) / self.spread)[:, high.isfinite()]]
        excess += [((low - y) / self.spread)[:, low.isfinite()]]
        return torch.cat([goal[:, None], *excess], dim=1).numpy()

    def at(self, unit: Numbers) -> Numbers:
        """Of one point: (1 + C,). One that was asked for before is not simulated again."""
        key = np.asarray(unit, dtype=float).tobytes()
        if key not in self._known:
            self._known[key] = self.measure(unit)[0]
        return self._known[key]

    @property
    def whole(self) -> list[list[int] | None]:
        """Of each variable its whole numbers, if it has no others."""
        found: list[list[int] | None] = []
        for variable, low, high in zip(
            self.task.designs.variables, self.low, self.high, strict=True
        ):
            discrete = isinstance(variable.prior, Categorical)
            found.append(list(range(round(low), round(high) + 1)) if discrete else None)
        return found


def pycma(wished: Wished, seed: int) -> None:
    """CMA-ES on the objective and a penalty."""

    def value(unit: Numbers) -> float:
        goal, *excess = wished.measure(unit)[0].tolist()
        return goal + PENALTY * sum(max(0.0, each) for each in excess)

    evolve(value, lambda: wished.starts(1)[0], seed)


def cobyqa(wished: Wished, seed: int) -> None:
    """COBYQA with the limits as nonlinear constraints: radii from a tenth to 1e-8 of the cube."""
    from cobyqa import minimize
    from scipy.optimize import Bounds, NonlinearConstraint

    bounds = Bounds(np.zeros(wished.dim), np.ones(wished.dim))
    limits = NonlinearConstraint(lambda u: wished.at(u)[1:], -np.inf, 0.0)
    options = {"radius_init": 0.1, "radius_final": 1e-8, "maxfev": 5 * wished.cap}
    while True:
        start = wished.starts(1)[0]
        minimize(
            lambda u: float(wished.at(u)[0]), start, bounds=bounds, constraints=limits,
            options=options,
        )  # fmt: skip


def optuna_search(sampler: str) -> Callable[[Wished, int], None]:
    """Optuna with one of its samplers and its constraints; categories are categories."""

    def search(wished: Wished, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")

        def constraints(trial: Any) -> list[float]:
            return trial.user_attrs["excess"]

        own = getattr(optuna.samplers, sampler)(seed=seed, constraints_func=constraints)
        choices = wished.whole

        def objective(trial: optuna.Trial) -> float:
            unit = np.empty(wished.dim)
            for i, values in enumerate(choices):
                if values is None:
                    unit[i] = trial.suggest_float(f"u{i}", 0.0, 1.0)
                else:
                    place = values.index(trial.suggest_categorical(f"u{i}", values))
                    unit[i] = place / max(1, len(values) - 1)
            value, *excess = wished.measure(unit)[0].tolist()
            trial.set_user_attr("excess", excess)
            return value

        optuna.create_study(sampler=own).optimize(objective, n_trials=wished.cap + 1)

    return search


def genetic(wished: Wished, seed: int) -> None:
    """Pymoo's genetic algorithm with its constraints, populations of 20, the first of the prior."""
    from pymoo.core.problem import Problem as Base
    from pymoo.optimize import minimize

    limits = int(wished.wanted.low.isfinite().sum() + wished.wanted.high.isfinite().sum())

    class Limited(Base):  # type: ignore[misc]
        def _evaluate(self, x: Any, out: dict[str, Any], *args: Any, **options: Any) -> None:
            values = wished.measure(x)
            out["F"], out["G"] = values[:, :1], values[:, 1:]

    problem = Limited(n_var=wished.dim, n_obj=1, n_ieq_constr=limits, xl=0.0, xu=1.0)
    own = pymoo_algorithm("GA")(pop_size=POPULATION, sampling=wished.starts(POPULATION))
    minimize(problem, own, ("n_gen", wished.cap), seed=seed)


def constrained_improvement(wished: Wished, seed: int) -> None:
    """BoTorch's expected improvement with constraints, each response with its process."""
    from equal_calls.bayesian import expected_improvement, process

    torch.manual_seed(seed)
    units = wished.starts(wished.dim + 1)
    values = wished.measure(units)
    limits = [partial(_excess, i) for i in range(1, values.shape[1])]
    while True:
        v = torch.from_numpy(values)
        good = (v[:, 1:] <= 0).all(dim=1)
        best = -v[good, 0].min() if bool(good.any()) else -v[:, 0].max()
        model = process(torch.from_numpy(units), v)
        new = expected_improvement(model, best, _first_small, seed + len(units), limits)
        units = np.concatenate([units, new[None]])
        values = np.concatenate([values, wished.measure(new)])


def _excess(place: int, values: Tensor) -> Tensor:
    return values[..., place]


def _first_small(values: Tensor, X: Any = None) -> Tensor:
    return -values[..., 0]


def scbo(wished: Wished, seed: int) -> None:
    """The constrained relative of TuRBO."""
    from equal_calls.bayesian import trust_region_search

    trust_region_search(wished.measure, wished.starts, wished.dim, seed)


PEERS = {
    "pycma": Peer(pycma, "cma"),
    "cobyqa": Peer(cobyqa, "cobyqa"),
    "optuna-tpe": Peer(optuna_search("TPESampler"), "optuna"),
    "pymoo-ga": Peer(genetic, "pymoo"),
    "botorch-constrained": Peer(constrained_improvement, "botorch", cap=100, slow=True),
    "botorch-scbo": Peer(scbo, "botorch", cap=100, slow=True),
    "optuna-gp": Peer(optuna_search("GPSampler"), "optuna", cap=100, slow=True),
}
"""Competitors with constraints, of other packages, by name."""
