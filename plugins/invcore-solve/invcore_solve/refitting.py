"""A table that has grown: its designer fitted again, from where the earlier one was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore.plugin import ConfigError, Progress
from invcore.results import Store
from invcore_solve.schema.choices import Choices
from invcore_solve.tables.read import read
from invcore_solve.tables.sources import Source

if TYPE_CHECKING:
    from invcore_solve.designer import Designer


def refitted(
    designer: Designer, table: Source, store: Store | None, progress: Progress | None
) -> Designer:
    """See ``Designer.refit``."""
    from invcore_solve.from_table import fit_pairs
    from invcore_solve.tables.table_data import TableData

    config = designer.config
    if config["choices"] is None:
        raise ConfigError("this model was fitted to a simulator's pairs: there is no table to grow")
    said = Choices.parse(config["choices"], where=f"model {designer.record.id}")
    data = TableData.of(read(table), said)
    return fit_pairs(
        data, method=list(config["methods"]), method_configs=config["methods"],
        judge=config["judge_name"], judge_settings=config["judge"], novelty=designer.novelty,
        seed=designer.record.seed, store=store, progress=progress, plugins=designer.plugins,
        choices=said, parent=designer,
    )  # fmt: skip
