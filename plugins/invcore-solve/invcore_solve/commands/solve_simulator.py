"""What ``invcore solve --simulator`` does and shows."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import click

from invcore.cli.options import bound

if TYPE_CHECKING:
    from invcore.storage.store import Store
    from invcore_solve.solution import Solution

_SHOWN = 5  # rows on the screen for each target; the file has all
_COLUMNS = 8  # likewise for columns of designs, and of responses
_TABLES = {
    "x_path": "--x", "y_path": "--y", "both_path": "--table", "model": "--model",
    "design_columns": "--design-columns", "response_columns": "--response-columns",
    "x_key": "--x-key", "y_key": "--y-key", "header": "--header",
}  # fmt: skip


def solve_simulator(
    given: dict[str, Any], store: Store, out: str, as_json: bool, top: int | None,
    extrapolate: bool, targets: Any, **options: Any,
) -> None:  # fmt: skip
    """Solve with a simulator, write the file, and show the best.

    Args:
        given: the command's options by name.
        store: of records, models and finished batches.
        out: the file of designs.
        as_json: print JSON instead of tables.
        top: write only the best of each target.
        extrapolate: which is for tables.
        targets: wanted responses.
        options: of ``solve_with``.

    Raises:
        UsageError: options that are for tables.
    """
    from invcore.cli.console import emit_json, progress
    from invcore.configs.settings import component_settings
    from invcore.registry.loader import installed
    from invcore_solve.from_simulator import solve_with

    for name, option in _TABLES.items():
        if given[name] not in (None, "", ()):
            raise click.UsageError(f"--simulator takes no {option}: it makes its own pairs")
    if extrapolate:
        raise click.UsageError("--extrapolate is for tables: a simulator may be asked anything")
    method = installed().registry.load("method", given["method"])
    with progress() as bars, redirect_stdout(sys.stderr):  # a function may print
        solution = solve_with(
            given["simulator"], dict(bound(text) for text in given["bounds"]) or None,
            targets=targets, whole=given["whole"], method=given["method"],
            settings=component_settings(list(given["settings"]), method.Config),
            preset=given["preset"], pairs=given["pairs"],
            budget=given["budget"], check=given["check"] is not False, device=given["device"],
            store=store, progress=bars, **options,
        )  # fmt: skip
    if top is not None:
        solution = solution.top(top)
    solution.save(out)
    if as_json:
        emit_json(_document(solution, store, out))
    else:
        asked = options["candidates"] if top is None else 0
        why_fewer = "copies or failures" + ", or beyond the budget," * (given["budget"] is not None)
        _show(solution, store, out, asked, why_fewer)


def _document(solution: Solution, store: Store, out: str) -> dict[str, Any]:
    """What ``--json`` prints."""
    columns = solution.columns()
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    record = solution.record
    return {
        "id": record.id,
        "status": record.status,
        "method": record.method,
        "model": None if solution.designer is None else solution.designer.record.id,
        "simulator": solution.simulator,
        "metrics": [metric.model_dump() for metric in record.metrics],
        "timings": record.timings.model_dump(),
        "path": str(store.path(record.id)),
        "out": out,
        "notes": list(solution.notes),
        "designs": rows,
    }


def _show(solution: Solution, store: Store, out: str, asked: int, why_fewer: str) -> None:
    """The best designs of each target, what the simulator was asked for, where the rest lies."""
    from invcore.base.text import number
    from invcore.cli.console import add_row, stdout, table

    console = stdout()
    xs, ys = solution.names
    group = ((solution.rank == 1).cumsum(0) - 1).tolist()
    said = "predicted" if solution.responses is None else "simulated"
    for b in range(group[-1] + 1):
        rows = [i for i, other in enumerate(group) if other == b]
        target = solution.target[rows[0]].tolist()
        wanted = ", ".join(f"{n} = {number(v)}" for n, v in zip(ys, target, strict=True))
        less = asked - len(rows)
        copies = f" ({less} {why_fewer} left out)" if less > 0 else ""
        console.print(
            f"{wanted}: the best of {len(rows)} design{'s' * (len(rows) != 1)}{copies}",
            markup=False,
        )
        shown = table("rank", *xs[:_COLUMNS], *(f"{name}, {said}" for name in ys[:_COLUMNS]))
        if solution.error is not None:
            shown.add_column("error")
        for i in rows[:_SHOWN]:
            design = [number(value) for value in solution.designs[i].tolist()]
            cells = [str(int(solution.rank[i])), *design[:_COLUMNS]]
            add_row(shown, *cells, *_responses(solution, i)[:_COLUMNS], *_error(solution, i))
        console.print(shown)
        console.print()
    for metric in solution.record.metrics:
        ends = f"{number(metric.ci_low)} .. {number(metric.ci_high)}"
        console.print(f"{metric.name}: {number(metric.value)} ({ends})", markup=False)
    for note in solution.notes:
        console.print(f"note: {note}", markup=False)
    console.print(f"simulator {solution.simulator['name']}: {solution.summary}", markup=False)
    console.print(
        f"all columns of all designs: {out}\nrecord: {store.path(solution.record.id)}", markup=False
    )


def _responses(solution: Solution, row: int) -> list[str]:
    from invcore.base.text import number

    if solution.responses is not None:
        return [number(value, 4) for value in solution.responses[row].tolist()]
    assert solution.expected is not None
    predicted, error = solution.expected.predicted[row], solution.expected.error[row]
    return [
        f"{number(float(value))} ± {number(float(off), 2)}"
        for value, off in zip(predicted, error, strict=True)
    ]


def _error(solution: Solution, row: int) -> list[str]:
    from invcore.base.text import number

    return [] if solution.error is None else [number(float(solution.error[row]))]
