"""The line search against SciPy's, on functions of one number."""

import math

import numpy as np
import pytest
from invcore_optimisers import linesearch
from scipy.optimize._dcsrch import DCSRCH

# Value and slope; all fall at 0
FUNCTIONS = {
    "more-thuente-1": (lambda a: -a / (a**2 + 2), lambda a: (a**2 - 2) / (a**2 + 2) ** 2),
    "more-thuente-2": (
        lambda a: (a + 0.004) ** 5 - 2 * (a + 0.004) ** 4,
        lambda a: 5 * (a + 0.004) ** 4 - 8 * (a + 0.004) ** 3,
    ),
    "wave": (lambda a: np.sin(3 * a + 2) + 0.1 * a**2, lambda a: 3 * np.cos(3 * a + 2) + 0.2 * a),
    "steep": (lambda a: np.exp(a / 50) - a, lambda a: np.exp(a / 50) / 50 - 1),
    "kink": (lambda a: np.abs(a - 1) - 1e-3 * a, lambda a: np.sign(a - 1) - 1e-3),
}
RULES = [(1e-4, 0.9), (1e-3, 0.1), (0.1, 0.1), (1e-4, 1e-3)]
STEPS = [10.0**k for k in range(-3, 4)]


def searched(value, slope, steps, c1, c2):
    """Where the batched search ends (NaN where it fails), and after how many points."""
    first = np.array(steps)
    zero = np.zeros_like(first)
    state = linesearch.begin(value(zero), slope(zero), first)
    end, count = np.full_like(first, np.nan), np.zeros(len(steps))
    running = np.ones(len(steps), dtype=bool)
    for _ in range(100):
        at = state[0].copy()
        found = linesearch.advance(state, value(at), slope(at), c1=c1, c2=c2, limit=100)
        count += running
        end[running & (found == linesearch.FOUND)] = at[running & (found == linesearch.FOUND)]
        running &= found == linesearch.SEARCHING
        if not running.any():
            break
    return end, count


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("rule", RULES)
def test_it_asks_for_the_points_of_minpack(name, rule):
    value, slope = FUNCTIONS[name]
    asked = []

    def watched(a):
        asked.append(a)
        return float(value(a))

    ends, counts = searched(value, slope, STEPS, *rule)
    for step, end, count in zip(STEPS, ends.tolist(), counts.tolist(), strict=True):
        asked.clear()
        search = DCSRCH(watched, lambda a: float(slope(a)), *rule, 1e-14, 1e-100, 1e100)
        known = search(step, phi0=float(value(0.0)), derphi0=float(slope(0.0)))[0]
        assert (known is None) == math.isnan(end)
        assert known is None or end == pytest.approx(known, rel=1e-9)
        assert count == len(asked)


def test_a_value_that_is_not_finite_is_stepped_back_from():
    def value(a):
        return np.where(a < 1.0, -np.log1p(-np.minimum(a, 0.999999)) - 3 * a, np.inf)

    def slope(a):
        return np.where(a < 1.0, 1 / (1 - np.minimum(a, 0.999999)) - 3, 0.0)

    ends, _ = searched(value, slope, [0.01, 1.0, 50.0, 1e6], 1e-4, 0.1)
    assert bool((slope(ends) <= 0.2).all()) and bool((ends < 1).all())


def test_a_function_that_falls_for_ever_fails():
    ends, counts = searched(lambda a: -a, lambda a: -np.ones_like(a), [1.0], 1e-4, 0.9)
    assert math.isnan(ends[0]) and counts[0] == 100
