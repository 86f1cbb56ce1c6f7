"""Options and parts of texts that several commands of campaigns share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from invcore.plugin import Space
    from invcore_closed_loop.campaign.campaign import Campaign
    from invcore_closed_loop.campaign.standing.status import Worth

_COMPLETED = 200  # folders
_ROUNDING = 1e-12


class CampaignFolder(click.ParamType[str]):
    """The folder of a campaign; the shell completes those that there are here."""

    name = "folder"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Folders that begin so and hold a campaign."""
        from click.shell_completion import CompletionItem

        parent = Path(incomplete).parent if "/" in incomplete else Path()
        try:
            found = sorted(str(p.parent.parent) for p in parent.glob("*/events/000000.safetensors"))
        except OSError:
            return []
        return [CompletionItem(name) for name in found if name.startswith(incomplete)][:_COMPLETED]


folder_argument = click.argument("folder", type=CampaignFolder())

confidence_option = click.option(
    "--confidence", type=click.FloatRange(0, 1, min_open=True, max_open=True), default=0.9,
    show_default=True, help="With which the specification counts as met.",
)  # fmt: skip
count_option = click.option(
    "-n", "--count", type=click.IntRange(1), default=5, show_default=True,
    help="Rows of a next batch, where none is pending.",
)  # fmt: skip


def worth_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--worth``, ``--cost-of-experiment`` and ``--least-chance``."""
    for option in (
        click.option("--least-chance", type=click.FloatRange(0, 1), default=0.05,
                     show_default=True, help="Advise to stop where the next batch is better with "
                     "less than this probability."),
        click.option("--worth", multiple=True, metavar="NUMBER|NAME=NUMBER", help="What meeting "
                     "all is worth, or one unit of a goal; may be repeated."),
        click.option("--cost-of-experiment", type=click.FloatRange(0), default=0.0,
                     help="Of one row, in the same currency."),
    ):  # fmt: skip
        command = option(command)
    return command


def worth_of(options: dict[str, Any]) -> Worth:
    """What rows cost and reaching the aim is worth, from ``worth_options``.

    Raises:
        UsageError: no number.
    """
    from invcore_closed_loop.campaign.standing.status import Worth

    plain = [text for text in options["worth"] if "=" not in text]
    goals = numbers_by_name([t for t in options["worth"] if "=" in t], "worth")
    if len(plain) > 1:
        raise click.UsageError("--worth: one number for meeting all, and NAME=NUMBER for goals")
    try:
        met = float(plain[0]) if plain else 0.0
    except ValueError:
        raise click.UsageError(f"--worth {plain[0]!r}: expected a number") from None
    return Worth(options["cost_of_experiment"], met, goals, options["least_chance"])


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """``NAME=VALUE``, each once, by name.

    Raises:
        UsageError: a text without a name or a value, or a name twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        if not name.strip() or not value.strip():
            raise click.UsageError(f"--{option} {text!r}: expected NAME=VALUE")
        if name.strip() in found:
            raise click.UsageError(f"--{option}: {name.strip()!r} is named twice")
        found[name.strip()] = value.strip()
    return found


def numbers_by_name(texts: Iterable[str], option: str) -> dict[str, float]:
    """``NAME=NUMBER`` by name.

    Raises:
        UsageError: no such text.
    """
    found = {}
    for name, value in pairs(texts, option).items():
        try:
            found[name] = float(value)
        except ValueError:
            raise click.UsageError(f"--{option} {name}={value}: expected NAME=NUMBER") from None
    return found


def best_row(campaign: Campaign) -> dict[str, Any] | None:
    """The best row by what was measured: id (None of a row without one), designs, responses."""
    from invcore_solve.measured.frames import row_id

    best = campaign.best(1)
    if not len(best):
        return None
    row = {str(name): value for name, value in best.iloc[0].items()}
    row = {name: value for name, value in row.items() if name == "id" or value == value}
    return {**row, "id": row_id(row["id"])}


def echo_best(campaign: Campaign) -> None:
    """Print the best row, where there is one."""
    from invcore.cli.kit import safe
    from invcore_closed_loop.campaign.standing.status import in_words

    row = best_row(campaign)
    if row is not None:
        click.echo(safe(f"best so far: {in_words(row)}"))


def designs_in_words(designs: Space) -> str:
    """What can be made: ``cu from 0 to 5, oven A or B; cu + mg <= 6``."""
    from invcore.cli.kit import number

    parts = []
    for variable in designs.variables:
        unit = f" {variable.unit}" if variable.unit else ""
        if variable.categories:
            parts.append(f"{variable.name} {' or '.join(variable.categories[:8])}")
        else:
            low, high = (number(end, 4) for end in variable.bounds)
            whole = ", whole" if variable.whole else ""
            parts.append(f"{variable.name} from {low} to {high}{unit}{whole}")
    texts = [text if len(text) <= 100 else text[:99] + "…" for text in designs.constraint_texts]
    return "; ".join([", ".join(parts), *texts])


def _plain(value: float) -> float:
    """A number in which rounding errors of searches are no digits."""
    return 0.0 if abs(value) < _ROUNDING else value


def show_rows(columns: dict[str, Sequence[Any]]) -> None:
    """Print columns as a table; where ± stands beside what is expected, as one."""
    from invcore.cli.kit import add_row, number, stdout, table

    names = [name for name in columns if not name.startswith("± ")]
    shown = table(*names)
    count = len(next(iter(columns.values()), ()))
    for i in range(count):
        cells = []
        for name in names:
            value = columns[name][i]
            text = value if isinstance(value, str) else number(_plain(value), 4)
            error = columns.get(name.replace("expected ", "± ", 1)) if "expected" in name else None
            if error is not None and error[i] == error[i]:
                text = f"{text} ± {number(error[i], 2)}"
            cells.append(text)
        add_row(shown, *cells)
    stdout().print(shown)
