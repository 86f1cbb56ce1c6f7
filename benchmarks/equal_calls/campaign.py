"""A laboratory in a table: which of its structures is toughest, in few experiments.

The table of the crossed barrels (Gongora et al., Science Advances 2020) has three replicates of
each of 600 printed structures. An experiment on a structure is one of its replicates, drawn at
random. A campaign knows ten experiments on structures drawn at random, and then has twelve rounds.
It has succeeded when it has measured a structure whose mean of three replicates is at least 90% of
the best such mean; it is not told so.
"""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from equal_calls.loops import loop_of, points_of
from equal_calls.problems import Numbers
from equal_calls.rows import Line
from invcore.plugin import (
    Among,
    FitEnvironment,
    Pairs,
    Problem,
    Requirement,
    Results,
    Space,
    Specification,
    Targets,
    Uniform,
    Variable,
    generator,
)

FIRST, ROUNDS, SHARE = 10, 12, 0.9
COLUMNS = ("n", "theta", "r", "t")


class Laboratory:
    """The structures (M, Dx), and their replicates.

    Args:
        path: of ``crossed_barrel.csv``.
        seed: of the replicates that are drawn, and of the first structures.
    """

    def __init__(self, path: Path, seed: int) -> None:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        x = np.array([[float(row[name]) for name in COLUMNS] for row in rows])
        y = np.array([float(row["toughness"]) for row in rows])
        self.structures, which = np.unique(x, axis=0, return_inverse=True)
        which = which.reshape(-1)
        self._replicates = [y[which == i] for i in range(len(self.structures))]
        means = np.array([values.mean() for values in self._replicates])
        self.good = means >= SHARE * means.max()
        self._random = np.random.default_rng([seed, 1])
        self.first = np.random.default_rng([seed, 0]).choice(len(means), FIRST, replace=False)
        self.units = (self.structures - self.structures.min(axis=0)) / np.ptp(
            self.structures, axis=0
        )

    def measure(self, structures: Any) -> Numbers:
        """A replicate of each of some structures."""
        return np.array([self._random.choice(self._replicates[i]) for i in structures])


Chooser = Callable[[list[int], list[float]], list[int]]
"""Takes the structures that were measured and their toughness, and chooses the next."""
Strategy = Callable[[Laboratory, int, int], Chooser]
"""Takes the laboratory, the experiments of a round and a seed."""


def random_choice(laboratory: Laboratory, each: int, seed: int) -> Chooser:
    """Structures that were not measured, drawn at random."""
    random = np.random.default_rng([seed, 2])

    def choose(measured: list[int], toughness: list[float]) -> list[int]:
        left = np.setdiff1d(np.arange(len(laboratory.structures)), measured)
        return [int(i) for i in random.choice(left, each, replace=False)]

    return choose


def scikit_process(laboratory: Laboratory, each: int, seed: int) -> Chooser:
    """Expected improvement of scikit-learn's process; in a round, the mean stands in for results.

    Matérn 5/2 with a length for each variable, and white noise.
    """
    from scipy.stats import norm
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    def choose(measured: list[int], toughness: list[float]) -> list[int]:
        chosen: list[int] = []
        rows, values = list(measured), list(toughness)
        while len(chosen) < each:
            kernel = ConstantKernel() * Matern(np.ones(4), nu=2.5) + WhiteKernel(0.1)
            model = GaussianProcessRegressor(
                kernel, normalize_y=True, n_restarts_optimizer=2, random_state=seed
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(laboratory.units[rows], values)
                mean, deviation = model.predict(laboratory.units, return_std=True)
            best = model.predict(laboratory.units[measured]).max()
            deviation = np.maximum(deviation, 1e-9)
            z = (mean - best) / deviation
            gain = deviation * (z * norm.cdf(z) + norm.pdf(z))
            gain[rows] = -np.inf
            new = int(gain.argmax())
            chosen.append(new)
            rows.append(new)
            values.append(float(mean[new]))
        return chosen

    return choose


def botorch_noisy(laboratory: Laboratory, each: int, seed: int) -> Chooser:
    """BoTorch's noisy expected improvement of a whole round, over the list of structures."""
    from botorch.acquisition import qLogNoisyExpectedImprovement
    from botorch.optim import optimize_acqf_discrete

    from equal_calls.bayesian import process

    torch.manual_seed(seed)
    units = torch.from_numpy(laboratory.units)

    def choose(measured: list[int], toughness: list[float]) -> list[int]:
        x, y = units[measured], torch.tensor(toughness, dtype=torch.float64)[:, None]
        left = np.setdiff1d(np.arange(len(units)), measured)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            acquisition = qLogNoisyExpectedImprovement(process(x, y), x)
            found, _ = optimize_acqf_discrete(acquisition, each, units[left], unique=True)
        return [int(left[(units[left] - row).abs().sum(dim=1).argmin()]) for row in found]

    return choose


def optuna_tpe(laboratory: Laboratory, each: int, seed: int) -> Chooser:
    """Optuna's TPE over the levels of each variable; what it asks for goes to the next structure.

    The distance is that of the unit cube, and structures that were measured are left out.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    floats = {name: optuna.distributions.FloatDistribution(0.0, 1.0) for name in COLUMNS}
    told, asked = 0, list[optuna.Trial]()

    def choose(measured: list[int], toughness: list[float]) -> list[int]:
        nonlocal told
        for i, value in zip(measured[told:], toughness[told:], strict=True):
            params = dict(zip(COLUMNS, laboratory.units[i].tolist(), strict=True))
            trial = optuna.trial.create_trial(params=params, distributions=floats, value=value)
            study.add_trial(trial)
        for trial in asked:  # what was measured in their place is told above
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        asked.clear()
        told = len(measured)
        chosen: list[int] = []
        for _ in range(each):
            asked.append(study.ask(floats))
            unit = np.array([asked[-1].params[name] for name in COLUMNS])
            apart = np.square(laboratory.units - unit).sum(axis=1)
            apart[[*measured, *chosen]] = np.inf
            chosen.append(int(apart.argmin()))
        return chosen

    return choose


def loop_choice(name: str) -> Strategy:
    """A loop of invcore, with the structures as a list of designs to choose from."""

    def strategy(laboratory: Laboratory, each: int, seed: int) -> Chooser:
        low, high = laboratory.structures.min(axis=0), laboratory.structures.max(axis=0)
        designs = Space.of(
            *(
                Variable(name=column, prior=Uniform(low=a, high=b))
                for column, a, b in zip(COLUMNS, low.tolist(), high.tolist(), strict=True)
            ),
            constraints=[Among(variables=COLUMNS, designs=_tuples(laboratory.structures))],
        )
        responses = Space.of(Variable(name="toughness"))
        problem = Problem("crossed-barrel", designs, responses)
        wanted = Specification.of(toughness=Requirement(goal="maximise"))
        structures = torch.from_numpy(laboratory.structures)
        loop, started, told = loop_of(name), None, 0

        def choose(measured: list[int], toughness: list[float]) -> list[int]:
            nonlocal started, told
            x, y = structures[measured], torch.tensor(toughness).double()[:, None]
            if started is None:
                spread = y.std(dim=0)
                targets = Targets.of([wanted], responses).measured_in(spread)
                random = generator(seed, "few-calls", name, "points")
                started = loop.start(
                    problem, targets, Pairs(x, y), points_of(loop, problem, 1, random),
                    FitEnvironment(seed), variance=spread.square(),
                )  # fmt: skip
            else:
                pending = started.pending()
                started.tell(Results(pending.id, x[told:], y[told:]))
            told = len(measured)
            requests = started.ask(each)
            return [int((structures - row).abs().sum(dim=1).argmin()) for row in requests.designs]

        return choose

    return strategy


def _tuples(rows: Numbers) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(row) for row in rows.tolist())


STRATEGIES: dict[str, tuple[Strategy, str]] = {
    "random": (random_choice, ""),
    "scikit-process": (scikit_process, "sklearn"),
    "botorch-noisy": (botorch_noisy, "botorch"),
    "optuna-tpe": (optuna_tpe, "optuna"),
}
"""Strategies by name, and the package that each needs."""


def campaign(strategy: Strategy, path: Path, each: int, seed: int) -> Line:
    """How many experiments, after the first ten, until a good structure was measured.

    Args:
        strategy: who chooses.
        path: of the table.
        each: experiments of a round.
        seed: of all that is drawn.

    Returns:
        ``success``, the number of the experiment that was on a good structure, 0 where the first
        ten had one, and None where none was; ``cap``, all experiments; ``best``, where the best
        measurement rose, as falls of its opposite.
    """
    from equal_calls.rows import falls

    laboratory = Laboratory(path, seed)
    measured = laboratory.first.tolist()
    toughness = laboratory.measure(measured).tolist()
    choose = strategy(laboratory, each, seed)
    for _ in range(ROUNDS):
        new = choose(list(measured), list(toughness))
        if not new:
            break
        measured += new[:each]
        toughness += laboratory.measure(new[:each]).tolist()
    good = [place for place, i in enumerate(measured, 1) if laboratory.good[i]]
    success = max(0, good[0] - FIRST) if good else None
    best = falls(-value for value in toughness)
    return {"success": success, "cap": each * ROUNDS, "best": best, "measured": measured}
