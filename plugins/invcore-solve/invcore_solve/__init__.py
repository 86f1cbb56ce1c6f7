"""One's own tables and simulators: `fit` and `solve_with` find designs for wanted responses."""

from typing import TYPE_CHECKING

from invcore import lazy_names

if TYPE_CHECKING:
    from invcore_solve.answers.proposal import Proposal as Proposal
    from invcore_solve.designer import Designer as Designer
    from invcore_solve.from_simulator import solve_with as solve_with
    from invcore_solve.from_table import fit as fit
    from invcore_solve.simulators.file import read_simulator as read_simulator
    from invcore_solve.simulators.program import Program as Program
    from invcore_solve.simulators.task import SimulatorTask as SimulatorTask
    from invcore_solve.solution import Solution as Solution
    from invcore_solve.tables.table_data import TableData as TableData

# On first use: listing the commands needs no torch.
__getattr__, _NAMES = lazy_names(__name__, {
    "designer": "Designer",
    "from_table": "fit",
    "answers.proposal": "Proposal",
    "simulators.file": "read_simulator",
    "simulators.program": "Program",
    "simulators.task": "SimulatorTask",
    "solution": "Solution",
    "from_simulator": "solve_with",
    "tables.table_data": "TableData",
})  # fmt: skip

__all__ = [*_NAMES]
