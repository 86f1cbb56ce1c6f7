"""Linear and mixed-integer programs, solved by HiGHS: silent, on one thread, to 1e-9.

HiGHS is imported when the first program is solved.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from invcore.spaces.constraints.linear_sets.system import Booleans, Floats

TOLERANCE = 1e-9
_NODES = 200  # of a second opinion
_SECONDS = 60.0  # for one program; what then has no answer is "unknown"

Status = Literal["optimal", "infeasible", "unbounded", "unknown"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """What came of a program.

    Args:
        status: "unknown" if the solver gave up.
        point: (n,), an optimal point; None otherwise.
    """

    status: Status
    point: Floats | None = None

    @property
    def infeasible(self) -> bool:
        """Whether it was shown that there is no point."""
        return self.status == "infeasible"


@cache
def _silent() -> Any:
    """HiGHS without its callbacks, whose setting prints a line to the standard output."""
    from highspy import Highs

    class Silent(Highs):
        def enableCallbacks(self) -> None:
            self.setOptionValue("output_flag", False)

    return Silent


class Program:
    """Points x with row_low <= matrix x <= row_high and low <= x <= high, some x whole.

    Bounds and costs can be changed between solutions, each of which starts from the last basis.

    Args:
        matrix: (M, n); should be scaled, since tolerances are absolute.
        row_low: (M,).
        row_high: (M,).
        low: (n,).
        high: (n,).
        integer: (n,), bool; None if all are continuous.
        presolve: whether HiGHS reduces the program first. Without, changes are solved faster.
        primal: whether the primal simplex method is used, not the dual one.

    Example:
        >>> zero, one = np.zeros(2), np.ones(2)
        >>> program = Program(np.ones((1, 2)), np.array([1.5]), np.array([np.inf]), zero, one)
        >>> program.minimise(np.array([1.0, 2.0])).point
        array([1. , 0.5])
    """

    def __init__(
        self,
        matrix: Floats,
        row_low: Floats,
        row_high: Floats,
        low: Floats,
        high: Floats,
        integer: Booleans | None = None,
        *,
        presolve: bool = True,
        primal: bool = False,
    ) -> None:
        import highspy

        self._api = highspy
        self._rows, self._columns = matrix.shape
        self._mixed = integer is not None and bool(integer.any())
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = self._columns, self._rows
        model.col_cost_ = np.zeros(self._columns)
        model.col_lower_, model.col_upper_ = low, high
        model.row_lower_, model.row_upper_ = row_low, row_high
        row, column = np.nonzero(matrix)
        entries = model.a_matrix_
        entries.format_ = highspy.MatrixFormat.kRowwise
        starts = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=self._rows))])
        entries.start_ = starts.astype(np.int32)
        entries.index_, entries.value_ = column.astype(np.int32), matrix[row, column]
        if integer is not None and self._mixed:
            kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
            model.integrality_ = [kinds[int(whole)] for whole in integer]
        self._solver = _silent()()
        options = {
            "output_flag": False,  # again, for versions that set no callbacks when they begin
            "threads": 1,
            "time_limit": _SECONDS,
            "primal_feasibility_tolerance": TOLERANCE,
            "dual_feasibility_tolerance": TOLERANCE,
            "mip_feasibility_tolerance": TOLERANCE,
            "presolve": "choose" if presolve else "off",
            "simplex_strategy": 4 if primal else 1,
        }
        for name, value in options.items():
            self._solver.setOptionValue(name, value)
        self._presolve = presolve
        self._solver.passModel(model)
        self._all = np.arange(self._columns, dtype=np.int32)

    def bound(self, low: Floats, high: Floats) -> None:
        """Change the bounds (n,) of all columns."""
        self._solver.changeColsBounds(self._columns, self._all, low, high)

    def limit(self, row: int, low: float, high: float) -> None:
        """Change the sides of one row."""
        self._solver.changeRowBounds(row, low, high)

    def minimise(self, cost: Floats | None = None, *, sure: bool = True) -> Outcome:
        """The point of least cost (n,), or any point by default.

        Args:
            cost: (n,); that of the last time if None.
            sure: ask for a second opinion, without presolve and from scratch, where the answer is
                anything but a point. With whole numbers, it need not come to an end.
        """
        if cost is not None:
            self._solver.changeColsCost(self._columns, self._all, np.ascontiguousarray(cost))
        outcome = self._outcome()
        if outcome.point is not None or not sure:
            return outcome
        self._solver.setOptionValue("presolve", "off")
        self._solver.setOptionValue("mip_max_nodes", _NODES)
        self._solver.clearSolver()
        second = self._outcome()
        self._solver.setOptionValue("mip_max_nodes", self._api.kHighsIInf)
        if self._presolve:
            self._solver.setOptionValue("presolve", "choose")
        return outcome if second.status == "unknown" else second

    def _outcome(self) -> Outcome:
        self._solver.run()
        status, statuses = self._solver.getModelStatus(), self._api.HighsModelStatus
        if status == statuses.kOptimal:
            values = np.array(self._solver.getSolution().col_value, dtype=np.float64)
            return Outcome("optimal", values[: self._columns])
        if status == statuses.kModelEmpty:
            return Outcome("optimal", np.zeros(self._columns))
        if status == statuses.kInfeasible:
            return Outcome("infeasible")
        if status in (statuses.kUnbounded, statuses.kUnboundedOrInfeasible):
            return Outcome("unbounded" if status == statuses.kUnbounded else "unknown")
        return Outcome("unknown")
