"""A user's own simulator: a Python function or a program, and designs found with it.

`OwnSimulator` makes a task of it, `read_simulator` reads one from a file, and `solve_with` finds
designs for wanted responses.
"""

from __future__ import annotations

from invcore.simulators.own import OwnSimulator
from invcore.simulators.program import Program
from invcore.simulators.solution import Solution
from invcore.simulators.solving import solve_with
from invcore.simulators.spec import read_simulator

__all__ = ["OwnSimulator", "Program", "Solution", "read_simulator", "solve_with"]
