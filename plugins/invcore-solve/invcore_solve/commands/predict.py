"""``invcore predict``: what to expect of designs, by a model that was fitted to a table."""

from __future__ import annotations

import click

from invcore.cli.kit import (
    RunId,
    add_row,
    device_option,
    emit_json,
    json_option,
    number,
    stdout,
    store_option_beside_out,
    table,
)

_SHOWN = 20
_COLUMNS = 6


@click.command()
@click.option(
    "--model",
    required=True,
    metavar="RUN_ID",
    type=RunId("solve"),
    help="As `invcore solve` names it.",
)
@click.option("--x", "x_path", type=click.Path(), help="Table of designs; columns are found by "
              "name.")  # fmt: skip
@click.option("--sensitivity", metavar="FILE", type=click.Path(), help="Draw which columns move "
              "the response: .svg or .png.")  # fmt: skip
@device_option
@store_option_beside_out
@click.option("--out", type=click.Path(), help=".csv, .tsv, .xlsx, .parquet or .npz.")
@json_option
def predict(
    model: str, x_path: str | None, sensitivity: str | None, device: str, store_path: str,
    out: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Say what to expect of designs: response, error, distance to the table, nearest row.

    \b
    invcore predict --model 1a2b3c --x designs.csv --out predicted.csv
    invcore predict --model 1a2b3c --sensitivity effects.svg
    """  # noqa: D301 - click wants the character
    from invcore.plugin import check_output
    from invcore.results import Store
    from invcore_solve.designer import Designer

    if x_path is None and sensitivity is None:
        raise click.UsageError("name designs by --x, or a picture by --sensitivity")
    if out is not None:
        check_output(out)
    if sensitivity is not None:
        from invcore_solve.page.pictures import check_picture

        check_picture(sensitivity)
    designer = Designer.load(Store(store_path), model, device=device)
    effects = None
    if sensitivity is not None:
        from invcore_solve.page.pictures import draw_sensitivities

        effects = designer.sensitivities()
        draw_sensitivities(effects, sensitivity)
    predicted = None if x_path is None else designer.predict(x_path)
    if predicted is not None and out is not None:
        predicted.save(out)
    if as_json:
        emit_json({
            "model": designer.record.id, "level": designer.level, "out": out,
            "designs": [] if predicted is None else predicted.records(),
            "sensitivities": None if effects is None else effects.document(),
        })  # fmt: skip
        return
    console = stdout()
    if effects is not None:
        shown = table("column", *effects.responses)
        for name, row in zip(effects.names, effects.sizes.tolist(), strict=True):
            add_row(shown, name, *(number(value) for value in row))
        console.print("how far each column moves the responses, others as in the table:")
        console.print(shown)
        console.print(f"written: {sensitivity}")
    if predicted is None:
        return
    ys = predicted.table.names[1][:_COLUMNS]
    shown = table("row", *(f"{name} (±)" for name in ys), "distance", "nearest row")
    columns = predicted.columns()
    for i in range(min(_SHOWN, len(predicted))):
        cells = [
            f"{number(float(predicted.response[i, j]), 4)} ± "
            f"{number(float(predicted.error[i, j]), 2)}" for j in range(len(ys))
        ]  # fmt: skip
        distance, nearest = float(columns["distance"][i]), str(columns["nearest row"][i])
        add_row(shown, str(i + 1), *cells, number(distance), nearest)
    console.print(shown)
    if len(predicted) > _SHOWN:
        console.print(f"… {len(predicted):,} designs in all")
    console.print(f"errors cover {designer.level:.0%}; distances above 1 are farther from the "
                  "table than its rows usually are from each other")  # fmt: skip
    if out is not None:
        console.print(f"written: {out}")
