"""A proxy's errors in words and tables, for people."""

from collections.abc import Sequence

import click

from invcore.cli.kit import add_row, number, safe, stdout, table
from invcore_proxy.bundle import Bundle
from invcore_proxy.reliability import ProxyErrors


def show_errors(errors: ProxyErrors, where: str) -> None:
    """Errors of each member and of the ensemble, and the reliability table."""
    hurdle = errors.ensemble.zero_right is not None
    named = [(f"member {i}", e) for i, e in enumerate(errors.members, start=1)]
    rows = [
        [name, number(e.mse), number(e.mae), number(e.worst)]
        + ([f"{100 * (e.zero_right or 0):.2f}%"] if hurdle else [])
        for name, e in [*named, ("ensemble", errors.ensemble)]
    ]
    columns = ["", "MSE", "MAE", "worst", *(["zero or not, right"] if hurdle else [])]
    show_table(f"errors on {errors.rows} {where}, in the responses' units", columns, rows)
    if errors.unexplained is not None:
        click.echo(f"MSE over the responses' variance: {number(errors.unexplained)}")
    if errors.symmetric_deviation:
        click.echo(f"equivalent designs differ by up to {number(errors.symmetric_deviation)}")
    reliability = errors.reliability
    show_table(
        "\nwhere the members are apart, is the error larger? rows by spread",
        ["rows", "mean spread", "mean error"],
        [[str(b.rows), number(b.spread), number(b.error)] for b in reliability.bins],
    )
    click.echo(f"rank correlation of spread and error: {number(reliability.rank_correlation)}")


def show_bundle(bundle: Bundle) -> None:
    """What a bundle is, where it came from, and how far it is off."""
    record, report = bundle.record, bundle.report
    click.echo(safe(record.title or str(bundle.folder)))
    click.echo(
        f"{record.designs.dim} design variables: {safe(_few(record.designs.names))}\n"
        f"{record.responses.dim} responses: {safe(_few(record.responses.names))}\n"
        f"{record.config.members} networks, {report.parameters} weights, "
        f"{report.train_rows + report.val_rows} pairs learnt from"
        + (f", {report.symmetries} symmetries" if report.symmetries > 1 else "")
    )
    for source in record.provenance.tables:
        click.echo(safe(f"table {source.name}, {source.rows} rows, sha256 {source.sha256[:12]}"))
    provenance = record.provenance
    versions = ", ".join(f"{name} {version}" for name, version in provenance.versions.items())
    click.echo(safe(f"{provenance.created}, seed {provenance.seed}, {versions}"))
    if provenance.note:
        click.echo(safe(provenance.note))
    if record.licence:
        click.echo("licence: " + safe(record.licence.strip().split("\n")[0]))
    click.echo()
    show_errors(report.held_out, "held-out rows")
    for name, errors in report.tests.items():
        click.echo()
        show_errors(errors, f"rows of {safe(name)}")


def _few(names: tuple[str, ...], most: int = 8) -> str:
    more = f", … ({len(names) - most} more)" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table for people."""
    grid = table(*columns)
    for row in rows:
        add_row(grid, *row)
    console = stdout()
    console.print(title, markup=False)
    console.print(grid)
    console.print()
