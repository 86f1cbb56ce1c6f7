"""What a command asks for: targets, wishes, files of them, and derived responses."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from invcore import ConfigError, UnknownNameError
from invcore_solve.page.wording import listed

if TYPE_CHECKING:
    from invcore.plugin import Wish
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
            DataError: a file that there is not.
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
        from invcore.data.tables import check_file, printable

        masks = [text.partition("@")[2].split(",")[0].strip() for text in want if "@" in text]
        for file in (path, want_file, *masks):
            if file:
                check_file(Path(file), printable(str(file)))
        targets = path or (_targets(rows) if rows else None)
        return cls(targets, want, want_file, options["responses"])

    @property
    def options(self) -> dict[str, Any]:
        """Keywords of ``Designer.propose`` and ``solve_with``."""
        return {
            "targets": self.targets, "want": self.want, "want_file": self.want_file,
            "derived": self.derived,
        }  # fmt: skip

    @contextmanager
    def explained(
        self, responses: Sequence[str] | None, designs: Sequence[str], fitted: bool = False
    ) -> Iterator[None]:
        """Where a wish names what is no response, say what can be done.

        Args:
            responses: that there are, without derived ones; None where that is not known.
            designs: that there are.
            fitted: whether a model was fitted before, whose designs nothing can limit any more.
        """
        try:
            yield
        except UnknownNameError as error:
            wrong = [text for text in self.want if "no response" in error.message]
            if responses is None:  # the one that the message names
                wrong = [text for text in wrong if f"no response {_name(text)!r}" in error.message]
            known = [*(responses or ()), *self._names()]
            for text in wrong:
                better = _no_response(text, known, designs, error)
                if better is not None:
                    limits = fitted and better.remedy.startswith("constraint")
                    better.remedy += " where the table is fitted anew" if limits else ""
                    raise better from None
            raise error from None

    def _names(self) -> list[str]:
        """Those of derived responses, which were read before any wish."""
        from invcore.plugin import DerivedResponse

        return [DerivedResponse.of(text).name for text in self.derived]

    @property
    def again(self) -> str:
        """What a later command has to say anew of derived responses; begins with a blank."""
        return "".join(f" --response {shlex.quote(text)}" for text in self.derived)

    def check(self, table: RawTable, said: Choices) -> None:
        """Check names and texts as far as that needs no fitted model, nor torch.

        Raises:
            ConfigError: a wish or an expression that is none.
            UnknownNameError: a name that nothing has.
            DataError: targets that are none.
        """
        from invcore.plugin import derived_responses, read_specifications, specification_of
        from invcore_solve.answers.given import check_given
        from invcore_solve.tables.sources import numbers_of, target_table

        columns = [name for name in table.names if name not in said.responses]
        derived = derived_responses(self.derived, columns, said.responses)
        names = [*said.responses, *(each.name for each in derived)]
        if self.targets is not None:
            numbers_of(target_table(self.targets, names))
        with self.explained(said.responses, columns):
            wished = [specification_of(self.want, names)] if self.want else []
        if self.want_file is not None:
            wished += read_specifications(self.want_file, names)
        check_given(wished, self.targets is not None)

    def note(self, responses: Sequence[str]) -> str:
        """What to know where several columns are responses because something is wanted of them."""
        from invcore.plugin import parse_wish

        if len(responses) < 2:
            return ""
        said = ""
        for text in self.want:
            try:
                said = _limits(parse_wish(text, responses)) or said
            except (ConfigError, UnknownNameError):  # of several, or of what is derived
                continue
        limit = f"--constraint {shlex.quote(said)}" if said else "--constraint"
        return (
            f"{listed(responses)} are taken as responses, since something is wanted of each; "
            f"{limit} limits a design instead, and --response-columns says which are responses"
        )

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


def _name(text: str) -> str:
    """What a wish names, as far as that can be told without knowing the responses."""
    return re.split(r"[<>=]", text, maxsplit=1)[0].strip(" `")


def _no_response(
    text: str, responses: Sequence[str], designs: Sequence[str], error: UnknownNameError
) -> UnknownNameError | None:
    """What to do where a wish names no response; None where it does, or cannot be read."""
    from invcore.plugin import parse_wish, quoted, written

    try:
        parse_wish(text, responses)
        return None
    except ConfigError:
        return None
    except UnknownNameError:
        pass
    if "*" in text or text.lstrip()[:1] == "@":
        return None
    try:
        wish = parse_wish(text, designs)
    except (ConfigError, UnknownNameError):
        return UnknownNameError(
            error.message.rstrip("."),
            remedy="response='NAME = …' derives one, and is said with each command",
        )
    said = f"want {quoted(text)}: {quoted(wish.name)} is a design, and no response"
    if limit := _limits(wish):
        return UnknownNameError(said, remedy=f"constraint={shlex.quote(limit)} limits it")
    remedy = f"response='wanted = {written(wish.name)}' makes a response of it, named wanted"
    return UnknownNameError(said, remedy=remedy)


def _limits(wish: Wish) -> str:
    """A wish as a constraint; empty where it is none."""
    from invcore.plugin import written

    low, high = wish.requirement.low, wish.requirement.high
    if wish.relative or wish.requirement.goal != "meet" or low == high:
        return ""
    below = "" if low is None else f"{low:g} <= "
    above = "" if high is None else f" <= {high:g}"
    if not above:
        return f"{written(wish.name)} >= {low:g}"
    return f"{below}{written(wish.name)}{above}"


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
