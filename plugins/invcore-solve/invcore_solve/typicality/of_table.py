"""What is typical of a table, from its pairs, its schema and the spaces that follow."""

from __future__ import annotations

from invcore.plugin import Among, Space
from invcore_solve.schema.table_schema import TableSchema
from invcore_solve.tables.table_data import TableData
from invcore_solve.typicality.blocks import find_blocks
from invcore_solve.typicality.neighbourhood import Neighbourhood
from invcore_solve.typicality.typicality import Typicality


def typicality_of(data: TableData, novelty: float = 1.0) -> Typicality:
    """Which designs are typical of a table.

    Args:
        data: the table.
        novelty: factor of how far designs may be from its rows.
    """
    x, designs = data.pairs.x.numpy(), data.designs
    steps = {c.variable for c in designs.constraints if c.kind in ("levels", "fixed")}
    discrete = [v.name in steps or bool(v.categories) for v in designs.variables]
    numeric = [not v.categories for v in designs.variables]
    related = _related(data.schema, designs)
    blocks = find_blocks(x, discrete, numeric, related)
    return Typicality(designs, Neighbourhood.of(designs, x), blocks, novelty)


def _related(schema: TableSchema, designs: Space) -> list[list[int]]:
    return [
        [designs.index(name) for name in relation.coefficients] for relation in schema.relations
    ]


def listed_designs(designs: Space) -> tuple[tuple[float, ...], ...] | None:
    """The designs to choose from, where a space holds a list of whole ones."""
    for constraint in designs.constraints:
        if isinstance(constraint, Among) and set(constraint.variables) == set(designs.names):
            order = [constraint.variables.index(name) for name in designs.names]
            return tuple(tuple(row[i] for i in order) for row in constraint.designs)
    return None
