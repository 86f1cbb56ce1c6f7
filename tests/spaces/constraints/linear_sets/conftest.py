"""Random sets of constraints: those of the benchmark."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[4] / "benchmarks"))

from constraint_kinds import CONTINUOUS
from discrete_kinds import DISCRETE

KINDS = {kind.__name__: kind for kind in CONTINUOUS + DISCRETE}


@pytest.fixture
def drawn():
    """A random set of a kind, with a point or, by contradiction, without."""

    def draw(kind, seed, *, empty=False):
        draft = KINDS[kind](np.random.default_rng([23, seed]))
        if empty:
            draft.contradict()
        return draft.system()

    return draw


@pytest.fixture
def at():
    """A system whose whole numbers have some values."""

    def fix(system, values):
        low, high = system.low.copy(), system.high.copy()
        low[system.integer] = high[system.integer] = values
        return replace(system, low=low, high=high)

    return fix


@pytest.fixture
def far():
    """Points around a system's bounds."""

    def draw(system, count, seed=0):
        normal = np.random.default_rng([24, seed]).standard_normal((count, system.columns))
        return 0.5 * (system.low + system.high) + normal * system.width

    return draw
