"""What a table can support: advice to people, a sentence each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from invcore_solve.schema.table_schema import TableSchema

_A_COLUMN = 10  # different designs for each column, below which a table is thin
_SHARE = 0.3  # of the responses' standard deviation: noise above it is loud
_UNIMPORTANT = 0.01  # of the responses' variance
_LEAST_LEVEL = 0.9


def support(schema: TableSchema, y: npt.NDArray[np.float64]) -> Iterator[str]:
    """What follows from a schema.

    Args:
        schema: of the table.
        y: (N, Dy), its responses.
    """
    designs, columns = schema.replicates.designs, len(schema.varying)
    level = designs / (designs + 1)
    if designs < _A_COLUMN * columns:
        yield (
            f"thin: {designs:,} different designs for {columns} columns; with fewer columns, or "
            f"{_A_COLUMN * columns:,} designs, predictions would be surer"
        )
    if level < _LEAST_LEVEL:
        yield f"errors can be stated for {level:.0%} of responses at most"
    responses = [column.name for column in schema.of_role("response")]
    spread = dict(zip(responses, np.nanstd(y, axis=0).tolist(), strict=False))
    for name, noise in schema.replicates.noise.items():
        if noise > _SHARE * spread.get(name, np.inf):
            share = noise / spread[name]
            yield f"noisy: measurements of {name} differ by {share:.0%} of its spread"
    idle = [name for name, share in schema.importance.items() if share < _UNIMPORTANT]
    if idle:
        yield f"hardly matter: {', '.join(idle[:8])}{', …' if len(idle) > 8 else ''}"
    proposed = [column.name for column in schema.varying if column.log_proposed]
    if proposed:
        yield f"a logarithmic scale may suit {', '.join(proposed[:8])}: --log NAME"
