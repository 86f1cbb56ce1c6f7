"""One's own tables and simulators: `fit` and `solve_with` find designs for wanted responses."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invcore_solve.designer import Designer as Designer
    from invcore_solve.from_simulator import solve_with as solve_with
    from invcore_solve.from_table import fit as fit
    from invcore_solve.ranked_designs import RankedDesigns as RankedDesigns
    from invcore_solve.simulators.file import read_simulator as read_simulator
    from invcore_solve.simulators.program import Program as Program
    from invcore_solve.simulators.task import SimulatorTask as SimulatorTask
    from invcore_solve.solution import Solution as Solution
    from invcore_solve.tables.schema import TableData as TableData

# On first use: listing the commands needs no torch.
_HOMES = {
    "designer": "Designer",
    "from_table": "fit",
    "ranked_designs": "RankedDesigns",
    "simulators.file": "read_simulator",
    "simulators.program": "Program",
    "simulators.task": "SimulatorTask",
    "solution": "Solution",
    "from_simulator": "solve_with",
    "tables.schema": "TableData",
}
_MODULE = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = [*sorted(_MODULE)]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'invcore_solve' has no attribute {name!r}")
    return getattr(importlib.import_module(f"invcore_solve.{_MODULE[name]}"), name)
