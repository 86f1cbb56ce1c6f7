"""What a command asks for: targets, wishes, files of them, and derived responses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from invcore import ConfigError

if TYPE_CHECKING:
    from invcore_solve.schema.choices import Choices
    from invcore_solve.tables.raw_table import RawTable


@dataclass(frozen=True)
class Asking:
    """What is wanted, as options say it.

    Args:
        targets: rows of exact responses, or a file of them; None where there are none.
        want: wishes.
        want_file: a file of specifications.
        derived: definitions of derived responses.
    """

    targets: Any
    want: tuple[str, ...]
    want_file: str | None
    derived: tuple[str, ...]

    @classmethod
    def of(cls, options: dict[str, Any]) -> Asking:
        """From a command's options.

        Raises:
            UsageError: nothing is wanted, or what does not go together.
        """
        rows, path = options["targets"], options["targets_path"]
        want, want_file = options["want"], options["want_file"]
        if rows and path:
            raise click.UsageError("use --target or --targets, not both")
        if not (rows or path or want or want_file):
            raise click.UsageError(
                "say what is wanted: --target 0.5, --targets FILE, --want 'gap>=1.2' or "
                "--want-file FILE"
            )
        targets = path or (_targets(rows) if rows else None)
        return cls(targets, want, want_file, options["responses"])

    @property
    def options(self) -> dict[str, Any]:
        """Keywords of ``Designer.propose`` and ``solve_with``."""
        return {
            "targets": self.targets, "want": self.want, "want_file": self.want_file,
            "derived": self.derived,
        }  # fmt: skip

    def check(self, table: RawTable, said: Choices) -> None:
        """Check names and texts as far as that needs no fitted model, nor torch.

        Raises:
            ConfigError: a wish or an expression that is none.
            UnknownNameError: a name that nothing has.
            DataError: targets that are none.
        """
        from invcore.plugin import derived_responses, read_specifications, specification_of
        from invcore_solve.tables.sources import numbers_of, target_table

        columns = [name for name in table.names if name not in said.responses]
        derived = derived_responses(self.derived, columns, said.responses)
        names = [*said.responses, *(each.name for each in derived)]
        if self.targets is not None:
            numbers_of(target_table(self.targets, names))
        if self.want:
            specification_of(self.want, names)
        if self.want_file is not None:
            read_specifications(self.want_file, names)

    def columns(self, table: RawTable) -> tuple[str, ...]:
        """The columns of a table of which something is wanted.

        Raises:
            ConfigError: a wish that is none; nothing is wanted of any column.
            UnknownNameError: a wish names neither a column nor a derived response.
        """
        from invcore.plugin import DerivedResponse, read_specifications, specification_of

        derived = [DerivedResponse.of(text).name for text in self.derived]
        names = [*table.names, *derived]
        wished = [specification_of(self.want, names)] if self.want else []
        if self.want_file is not None:
            wished += read_specifications(self.want_file, names)
        found = {name for each in wished for name in each.wishes}
        columns = tuple(name for name in table.names if name in found)
        if not columns:
            raise ConfigError(
                "nothing is wanted of a measured column, so that it is not known which columns "
                "are responses",
                remedy="responses=[…] says so",
            )
        return columns


def _targets(texts: Sequence[str]) -> list[list[float]]:
    """Rows from the command line."""
    rows = []
    for text in texts:
        try:
            rows.append([float(part) for part in text.split(",")])
        except ValueError:
            raise click.UsageError(f"--target {text!r}: expected numbers, e.g. 0.5,1.2") from None
    if len({len(row) for row in rows}) > 1:
        raise click.UsageError("the targets have different numbers of values")
    return rows
