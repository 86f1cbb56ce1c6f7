"""A slow spring: its finished batches are kept in the journal of ``tests/golden``.

A journal goes by the code of its simulator: with this file as it is, nothing is simulated again.
"""

import time


def deflection(x):
    """Deflection [mm] of a cantilever by width, height [mm] and load [N]: (N, 3) to (N, 1)."""
    time.sleep(0.12)  # what takes a tenth of a second is kept
    width, height, load = x[:, 0], x[:, 1], x[:, 2]
    return (load / (width * height**3))[:, None]
