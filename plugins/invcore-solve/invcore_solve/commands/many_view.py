"""What ``invcore solve`` says of many targets: counts, since the designs are in the file alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore.cli.kit import emit_json, stdout

if TYPE_CHECKING:
    from invcore.results import Store
    from invcore_solve.designer import Designer
    from invcore_solve.many.many_targets import Written


def show_many(written: Written, designer: Designer, store: Store, out: str, as_json: bool) -> None:
    """Print how many designs there are, and where; or the same as JSON."""
    record, schema = designer.record, designer.data.schema
    if as_json:
        emit_json({
            "id": record.id, "status": record.status, "method": record.method,
            "metrics": [metric.model_dump() for metric in record.metrics],
            "timings": record.timings.model_dump(), "path": str(store.path(record.id)),
            "out": out, "designs": [], "asked": [], "level": designer.level,
            "notes": [*schema.notes, *written.notes], "schema": schema.model_dump(mode="json"),
            "report": None, "targets": written.targets, "rows": written.rows,
            "out_of_reach": written.out_of_reach,
        })  # fmt: skip
        return
    console = stdout()
    for line in schema.brief():
        console.print(line)
    console.print(f"{written.targets:,} targets, {written.rows:,} designs")
    if written.out_of_reach:
        console.print(f"{written.out_of_reach:,} targets are out of reach: see the column reach")
    if written.found:
        console.print(f"{written.found:,} parts were there from before")
    for note in written.notes:
        console.print(f"note: {note}")
    console.print(f"all columns of all designs: {out}")
