"""What the loop learns from the rows that came of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invcore_closed_loop.arrays import Array, Places
from invcore_closed_loop.memory.asked import Asked, Step
from invcore_closed_loop.steps.polish import broyden_update

if TYPE_CHECKING:
    from invcore_closed_loop.started import StartedClosedLoop

_LARGEST, _SMALLEST = 0.5, 1e-4  # of a box
_FORGETTING = 0.98
_MOST_GAIN = 5.0
_RENEWED = (3, 6)  # failures after which the surrogate's slopes are taken again
_DONE, _TIRED = 1e-10, 10  # of the variance, and failures: then nothing more is to be gained


def learn(loop: StartedClosedLoop, told: Asked, rows: Places, before: Array) -> None:
    """Take what came of steps.

    Args:
        loop: at work.
        told: the M rows as they were asked for.
        rows: (M,), their places among all rows.
        before: (T,), errors of the best rows before any of these.
    """
    searches, scale = loop.searches, loop.scale
    for i in np.nonzero((told.step != Step.START) & (told.step != Step.REPEAT))[0]:
        target, row, base = int(told.target[i]), int(rows[i]), int(told.base[i])
        step, old, error = int(told.step[i]), before[target], loop.errors[target, row]
        u = loop.told.u
        known = np.isfinite(loop.told.y[[row, base]]).all()
        if searches.sloped[target] and known:
            searches.slopes[target] = broyden_update(
                searches.slopes[target], u[row] - u[base], loop.told.y[row] - loop.told.y[base]
            )
        goals = loop.aims.with_goals[target]
        good = error < old if goals else error < 0.5 * old
        if step == Step.FURTHER:
            good = error <= 0.0
        searches.failures[target] = 0 if good else searches.failures[target] + 1
        failures = searches.failures[target]
        if not good and failures in _RENEWED and searches.sloped[target]:
            searches.slopes[target] = np.nan
            searches.box[target] = max(searches.box[target], 1e-2)
        patience = _TIRED + 2 * u.shape[1]
        hopeless = searches.hopeless[target] >= patience and failures >= patience
        if hopeless or (not goals and old < _DONE * scale and failures >= _TIRED):
            searches.closed[target] = True
        if step in (Step.GLOBAL, Step.LOCAL) and not goals:
            gain = 0.0
            if np.isfinite(error) and error < old:
                gain = min(_MOST_GAIN, float(np.log(old / max(error, 1e-300))))
            rate = loop.rates[0 if step == Step.GLOBAL else 1]
            rate[:] = _FORGETTING * rate + (gain, 1.0)
        if step == Step.LOCAL:
            finite = error if np.isfinite(error) else np.inf
            loop.local.tell(target, row, u[row], finite, scale, u[base])
        if told.near[i]:
            box = searches.box[target]
            searches.box[target] = min(_LARGEST, 1.6 * box) if good else max(_SMALLEST, 0.5 * box)
