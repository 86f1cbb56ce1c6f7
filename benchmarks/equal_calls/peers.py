"""Searches of other packages for one target, each until the counted simulator ends it.

All move in the unit cube, begin at draws of the prior, and begin again at another one when they end
on their own. What is not said here is left as the package has it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

from equal_calls.counting import Counted
from equal_calls.problems import Numbers

Search = Callable[[Any, int], None]
"""Takes the counted simulator and a seed, and goes on until it is ended."""

POPULATION = 20  # of the genetic algorithm and of differential evolution


@dataclass(frozen=True)
class Peer:
    """A competitor.

    Args:
        search: of one target.
        package: the module that it needs; empty for none.
        cap: the most calls for a target.
        slow: measured on a few tasks, targets and seeds alone.
    """

    search: Search
    package: str = ""
    cap: int = 200
    slow: bool = False

    @property
    def installed(self) -> bool:
        """Whether its package is there."""
        return is_installed(self.package)


def is_installed(package: str) -> bool:
    """Whether a module is there; no module always is."""
    return not package or find_spec(package) is not None


def dfo_ls(counted: Counted, seed: int) -> None:
    """DFO-LS on the residuals: a first radius of a tenth of the cube, a last one of 1e-8."""
    import dfols

    np.random.seed(seed)
    bounds = np.zeros(counted.dim), np.ones(counted.dim)
    while True:
        left = max(counted.cap - counted.calls, counted.dim + 2)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of starts too near the bounds, which it moves
            dfols.solve(
                counted.residual, counted.starts(1)[0], bounds=bounds, rhobeg=0.1, rhoend=1e-8,
                maxfun=left, user_params={"model.abs_tol": 0.0}, do_logging=False,
            )  # fmt: skip


def cobyqa(counted: Counted, seed: int) -> None:
    """COBYQA on the error: a first radius of a tenth of the cube, a last one of 1e-10."""
    from cobyqa import minimize
    from scipy.optimize import Bounds

    bounds = Bounds(np.zeros(counted.dim), np.ones(counted.dim))
    options = {"radius_init": 0.1, "radius_final": 1e-10, "maxfev": counted.cap}
    while True:
        minimize(counted.error, counted.starts(1)[0], bounds=bounds, options=options)


def least_squares(method: str) -> Search:
    """SciPy's least squares within bounds on the residuals, Jacobians by forward differences."""

    def search(counted: Counted, seed: int) -> None:
        from scipy.optimize import least_squares as solve

        while True:
            solve(
                counted.residual, counted.starts(1)[0], jac="2-point", method=method,
                bounds=(0, 1), ftol=1e-10, xtol=1e-10, gtol=1e-10,
            )  # fmt: skip

    return search


def pycma(counted: Counted, seed: int) -> None:
    """CMA-ES on the error: see ``evolve``."""
    evolve(counted.error, lambda: counted.starts(1)[0], seed)


def evolve(value: Callable[[Numbers], float], start: Callable[[], Numbers], seed: int) -> None:
    """CMA-ES of a first deviation of a quarter of the cube; populations double at each restart."""
    import cma

    restart = 0
    while True:
        centre = start()
        options = {
            "bounds": [0, 1], "seed": seed + 1 + restart, "verbose": -9,
            "popsize": (4 + int(3 * np.log(len(centre)))) * 2**restart,
        }  # fmt: skip
        evolution = cma.CMAEvolutionStrategy(centre, 0.25, options)
        while not evolution.stop():
            units = evolution.ask()
            evolution.tell(units, [value(unit) for unit in units])
        restart += 1


def optuna_search(sampler: str) -> Search:
    """Optuna with one of its samplers on the error: ten draws of the prior come first."""

    def search(counted: Counted, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        own = getattr(optuna.samplers, sampler)(seed=seed)
        study = optuna.create_study(sampler=own)
        names = [f"u{i}" for i in range(counted.dim)]
        for unit in counted.starts(10).tolist():
            study.enqueue_trial(dict(zip(names, unit, strict=True)))

        def objective(trial: optuna.Trial) -> float:
            return counted.error(np.array([trial.suggest_float(n, 0.0, 1.0) for n in names]))

        study.optimize(objective, n_trials=counted.cap + 1)

    return search


def evolution_of(algorithm: str) -> Search:
    """An algorithm of pymoo on the error: populations of 20, the first of the prior."""

    def search(counted: Counted, seed: int) -> None:
        from pymoo.core.problem import Problem
        from pymoo.optimize import minimize

        class Errors(Problem):  # type: ignore[misc]
            def _evaluate(self, x: Any, out: dict[str, Any], *args: Any, **options: Any) -> None:
                out["F"] = np.square(counted.residuals(x)).sum(axis=1)[:, None]

        problem = Errors(n_var=counted.dim, n_obj=1, xl=0.0, xu=1.0)
        kind = pymoo_algorithm(algorithm)
        own = kind(pop_size=POPULATION, sampling=counted.starts(POPULATION))
        minimize(problem, own, ("n_gen", counted.cap), seed=seed)

    return search


def pymoo_algorithm(name: str) -> Any:
    """A class of pymoo."""
    from importlib import import_module

    return getattr(import_module(f"pymoo.algorithms.soo.nonconvex.{name.lower()}"), name)


def bayesian(kind: str) -> Search:
    """A search of ``equal_calls.bayesian``, which needs BoTorch when it runs."""

    def search(counted: Counted, seed: int) -> None:
        from equal_calls import bayesian as searches

        getattr(searches, kind)(counted, seed)

    return search


PEERS = {
    "dfo-ls": Peer(dfo_ls, "dfols"),
    "cobyqa": Peer(cobyqa, "cobyqa"),
    "least-squares": Peer(least_squares("trf"), "scipy"),
    "least-squares-dogbox": Peer(least_squares("dogbox"), "scipy"),
    "pycma": Peer(pycma, "cma"),
    "optuna-tpe": Peer(optuna_search("TPESampler"), "optuna"),
    "pymoo-de": Peer(evolution_of("DE"), "pymoo"),
    "pymoo-ga": Peer(evolution_of("GA"), "pymoo"),
    "optuna-gp": Peer(optuna_search("GPSampler"), "optuna", cap=60, slow=True),
    "botorch-composite": Peer(bayesian("composite"), "botorch", cap=60, slow=True),
    "botorch-turbo": Peer(bayesian("turbo"), "botorch", cap=60, slow=True),
}  # fmt: skip
"""Competitors for one exact target, of other packages, by name."""
