"""Options that say where a table is and what its columns are; `solve` and `inspect` share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from invcore_solve.commands.asking import Asking
    from invcore_solve.schema.choices import Choices
    from invcore_solve.tables.raw_table import RawTable

_OPTIONS = (
    click.option("--table", "both_path", type=click.Path(), help="One table with both: CSV, "
                 "Excel, Parquet, NPZ."),
    click.option("--x", "x_path", type=click.Path(), help="Table of designs."),
    click.option("--y", "y_path", type=click.Path(), help="Table of responses, row by row with "
                 "--x."),
    click.option("--response-columns", help="Columns of responses: names or numbers, 1-3,width."),
    click.option("--design-columns", help="Columns of designs; default: all that are left and "
                 "usable."),
    click.option("--sheet", help="Of a workbook: its name or number; default: the first that "
                 "holds a table."),
    click.option("--header/--no-header", default=None, help="Whether row 1 has names; else found."),
    click.option("--units-row/--no-units-row", default=None, help="Whether a row of units follows "
                 "the names; else found."),
    click.option("--comment", help="Lines that begin so are no rows; default: #, % and //."),
    click.option("--encoding", help="Of text; default: UTF-8, or Windows-1252 where it is none."),
    click.option("--x-key", help="Array of an NPZ file that holds the designs."),
    click.option("--y-key", help="Array of an NPZ file that holds the responses."),
    click.option("--schema", "schema_path", type=click.Path(), help="What is said of columns, "
                 "from a file; `inspect --write` begins one."),
    click.option("--whole", multiple=True, metavar="NAME", help="A column of whole numbers."),
    click.option("--levels", multiple=True, metavar="NAME=A,B,…", help="The values that can be "
                 "made."),
    click.option("--continuous", multiple=True, metavar="NAME", help="Not only the table's "
                 "values can be made."),
    click.option("--category", multiple=True, metavar="NAME", help="Values are names; with "
                 "--simulator NAME=A,B,…, the names."),
    click.option("--descriptors", multiple=True, metavar="NAME=FILE", help="Numbers for each "
                 "category: a table with its name first."),
    click.option("--periodic", multiple=True, metavar="NAME=LOW:HIGH", help="Both ends are one, "
                 "as 0:360."),
    click.option("--positive", multiple=True, metavar="NAME", help="Only values above zero make "
                 "sense."),
    click.option("--log", multiple=True, metavar="NAME", help="Learnt on a logarithmic scale."),
    click.option("--fix", multiple=True, metavar="NAME=VALUE", help="Every proposal has this "
                 "value."),
    click.option("--constraint", multiple=True, metavar="TEXT", help="What designs have to "
                 "satisfy, e.g. 'a + b <= 1'; may be repeated."),
    click.option("--bounds", multiple=True, metavar="NAME=LOW:HIGH", help="What can be made; "
                 "narrower or wider than the table."),
    click.option("--ignore", multiple=True, metavar="NAME", help="A column that is no design."),
    click.option("--error-column", multiple=True, metavar="RESPONSE=NAME", help="Standard "
                 "deviation of each measurement of a response."),
    click.option("--weight-column", metavar="NAME", help="How much each row counts."),
    click.option("--group", metavar="NAME", help="Rows of one value belong together, as those of "
                 "a batch."),
)  # fmt: skip

NAMES = (
    "both_path", "x_path", "y_path", "response_columns", "design_columns", "sheet", "header",
    "units_row", "comment", "encoding", "x_key", "y_key", "schema_path", "whole", "levels",
    "continuous", "category", "descriptors", "periodic", "positive", "log", "fix", "constraint",
    "bounds",
    "ignore", "error_column", "weight_column", "group",
)  # fmt: skip
"""The options' names as a command gets them."""


def table_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, in the order in which they are listed here."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def used(options: dict[str, Any]) -> list[str]:
    """Those of the options that were given, as people type them."""
    typed = {"both_path": "--table", "x_path": "--x", "y_path": "--y", "schema_path": "--schema"}
    given = [name for name in NAMES if options[name] not in (None, "", ())]
    return [typed.get(name, f"--{name.replace('_', '-')}") for name in given]


def read_tables(options: dict[str, Any], asking: Asking | None = None) -> tuple[RawTable, Choices]:
    """The table, and what is said of its columns. Nothing here needs torch.

    Args:
        options: of the command, by name.
        asking: what is wanted: its columns are the responses where nobody says which are.

    Raises:
        UsageError: no table, or options that do not go together.
        DataError: it cannot be read.
        ConfigError: what is said contradicts itself, or is about columns that there are not.
    """
    from invcore_solve.schema.choices import Choices
    from invcore_solve.schema.schema_file import read_schema
    from invcore_solve.tables.read import read

    both, x_path, y_path = (options[name] for name in ("both_path", "x_path", "y_path"))
    how = _how(options)
    if both and (x_path or y_path):
        raise click.UsageError("--table has both; leave out --x and --y")
    if not both and not (x_path and y_path):
        raise click.UsageError(
            "say where the data are: --table, or --x and --y; or give a --simulator"
        )
    said = read_schema(options["schema_path"]) if options["schema_path"] else Choices()
    if both:
        table = raw_table(options)
        said = _roles(table, said, options)
        if not said.responses and asking is not None and (asking.want or asking.want_file):
            said = said.model_copy(update={"responses": asking.columns(table)})
        if not said.responses:
            raise click.UsageError("say which columns are responses: --response-columns NAME,…")
    else:
        from invcore_solve.tables.beside import beside

        x = read(x_path, key=options["x_key"], prefix="x", **how)
        y = read(y_path, key=options["y_key"], prefix="y", **how)
        own = {**options, "response_columns": None}
        said = _roles(x, said, own)
        if options["response_columns"]:
            chosen = _columns(y, options["response_columns"])
            said = said.model_copy(update={"responses": chosen})
        table, said = beside(x, y, said)
    return table, with_words(said, table, options)


def raw_table(options: dict[str, Any]) -> RawTable:
    """The one table that is named, as it was read.

    Raises:
        UsageError: none is named.
        DataError: it cannot be read.
    """
    from invcore_solve.tables.read import read

    if not options["both_path"]:
        raise click.UsageError("name a table")
    return read(options["both_path"], key=options["x_key"], **_how(options))


def _how(options: dict[str, Any]) -> dict[str, Any]:
    return {
        "header": options["header"], "sheet": _sheet(options["sheet"]),
        "units": options["units_row"], "comment": options["comment"],
        "encoding": options["encoding"],
    }  # fmt: skip


def _sheet(text: str | None) -> str | int | None:
    return int(text) if text is not None and text.isdigit() else text


def _roles(table: RawTable, said: Choices, options: dict[str, Any]) -> Choices:
    changes = {
        role: _columns(table, options[option])
        for role, option in (("designs", "design_columns"), ("responses", "response_columns"))
        if options[option]
    }
    return said.model_copy(update=changes) if changes else said


def _columns(table: RawTable, text: str) -> tuple[str, ...]:
    from invcore.data.tables import split_columns

    chosen = [full_name(part, table.names) for part in split_columns(text, table.names)]
    return table.select(chosen).names


def full_name(text: str, names: Sequence[str]) -> str:
    """The column that a text begins alone, or whose number it is behind ``#``; else the text.

    Raises:
        UnknownNameError: several begin so.

    Example:
        >>> full_name("age", ["cement", "Age (day)"]), full_name("2", ["a", "b"])
        ('Age (day)', '2')
    """
    from invcore.plugin import resolved

    text = text.strip()
    numbered = text[:1].isdecimal()  # columns' own numbers, and ranges of them
    begun = any(name.lower().startswith(text.lower()) for name in names)
    meant = text[:1] == "#" or (begun and text and not numbered)
    return resolved(text, names, "column") if meant else text


def with_words(said: Choices, table: RawTable, options: dict[str, Any]) -> Choices:
    """What the options say of single columns, beside what is said already."""
    from invcore_solve.tables.descriptors import read_descriptors

    def name(text: str) -> str:
        return table.select([full_name(text, table.names)]).names[0]

    def names(option: str) -> list[str]:
        return [name(text) for text in options[option]]

    for what in ("whole", "category", "continuous", "positive", "log"):
        said = said.saying(what, names(what))
    pairs = {what: _pairs(options[what], what, table) for what in ("levels", "fix")}
    said = said.giving("levels", {name(n): _numbers(v, "levels") for n, v in pairs["levels"]})
    said = said.giving("fix", {name(n): _value(v) for n, v in pairs["fix"]})
    files = {name(n): v for n, v in _pairs(options["descriptors"], "descriptors", table)}
    said = said.giving("descriptors", {n: read_descriptors(path) for n, path in files.items()})
    for what in ("periodic", "bounds"):
        ends = {name(n): _ends(v, what) for n, v in _pairs(options[what], what, table)}
        said = said.giving(what, ends)
    errors = {n: name(v) for n, v in _pairs(options["error_column"], "error-column", table)}
    said = said.giving("error_column", {name(n): v for n, v in errors.items()})
    changes: dict[str, Any] = {"ignore": (*said.ignore, *names("ignore"))}
    changes["constraints"] = (*said.constraints, *options["constraint"])
    changes |= {w: name(options[w]) for w in ("weight_column", "group") if options[w]}
    return said.model_copy(update=changes)


def _pairs(texts: tuple[str, ...], option: str, table: RawTable) -> Iterator[tuple[str, str]]:
    """``NAME=VALUE`` as its two parts; a name may hold ``=`` itself."""
    for text in texts:
        whole = [n for n in table.names if text.startswith(f"{n}=")]
        own = max(whole, key=len) if whole else text.partition("=")[0]
        if "=" not in text:
            raise click.UsageError(f"--{option} {text!r}: expected NAME=VALUE")
        yield own, text[len(own) + 1 :]


def _ends(text: str, option: str) -> tuple[float, float]:
    low, _, high = text.partition(":")
    try:
        return float(low or "-inf"), float(high or "inf")
    except ValueError:
        raise click.UsageError(f"--{option} …={text}: expected LOW:HIGH") from None


def _numbers(text: str, option: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise click.UsageError(f"--{option} …={text}: expected numbers, e.g. 0.5,0.8") from None


def _value(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
