"""Designs for many targets in a file: some targets at a time, and again where it was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from invcore.data.tables import quoted
from invcore.plugin import DataError, Progress
from invcore_solve.derived.deriving import deriving
from invcore_solve.many.parts import Parts, key_of
from invcore_solve.tables.sources import as_targets

if TYPE_CHECKING:
    from invcore_solve.commands.asking import Asking
    from invcore_solve.designer import Designer

MANY = 1000
"""Targets from which on they are answered in parts."""
TOGETHER = 100
"""Targets of a part. It is fixed, since a search shares its randomness and the number of designs
that it follows among the targets of a part: other parts would give other designs."""
_ENDINGS = (".parquet", ".pq", ".csv", ".tsv")


@dataclass(frozen=True)
class Written:
    """What was written.

    Args:
        targets: how many were asked for.
        rows: of the file.
        out_of_reach: targets that the data do not reach.
        notes: what one should know, each once.
        found: parts that an earlier, stopped command had made.
    """

    targets: int
    rows: int
    out_of_reach: int
    notes: tuple[str, ...]
    found: int = 0


def many_targets(designer: Designer, asking: Asking) -> Tensor | None:
    """The targets of a file (B, Dy), if they are many; None of few, and of wishes alone."""
    if not isinstance(asking.targets, str):
        return None
    own = deriving(designer, asking.derived) if asking.derived else designer
    targets = as_targets(asking.targets, own.data.responses)
    return targets if len(targets) > MANY else None


def write_many(
    designer: Designer, targets: Tensor, out: Path, *, top: int | None = None,
    progress: Progress | None = None, want: Sequence[str] = (), **how: Any,
) -> Written:  # fmt: skip
    """Propose designs for many targets and write them to a file, in memory that does not grow.

    Parts of a hundred targets are kept beside the file until all are there; stopped and started
    again, it goes on with the part that it was at, and the file's bytes are the same.

    Args:
        designer: who proposes.
        targets: (B, Dy).
        out: the file: .parquet, .csv or .tsv.
        top: only the best of each target.
        progress: shows how it goes.
        want: wishes that are relative to targets.
        how: further keywords of ``Designer.propose``.

    Raises:
        DataError: another ending; or what ``Designer.propose`` raises.
        StoreError: parts cannot be written.
    """
    if out.suffix.lower() not in _ENDINGS:
        raise DataError(
            f"{quoted(out)}: {len(targets):,} targets are written in parts: name a .parquet, .csv "
            "or .tsv file"
        )
    bars, facts = progress or Progress(), [designer.record.id, targets.tolist(), top, [*want]]
    facts += [sorted((name, repr(value)) for name, value in how.items()), TOGETHER]
    facts += [sorted(designer.record.versions.items()), sorted(designer.record.code.items())]
    parts = Parts(out, key_of(facts))
    ready = parts.ready()
    starts = range(0, len(targets), TOGETHER)
    notes: dict[str, None] = {}
    with bars.stage("targets", len(targets)) as bar:
        for number, start in enumerate(starts):
            some = targets[start : start + TOGETHER]
            if number not in ready:
                found = designer.propose(some, want=want, progress=Progress(), **how)
                found = found if top is None else found.top(top)
                notes |= dict.fromkeys(found.notes)
                parts.add(number, found.columns())
            bar.advance(len(some))
    with bars.stage("writing", len(starts)) as bar:
        rows, unreached = parts.join(len(starts), lambda: bar.advance(1))
    return Written(len(targets), rows, unreached, tuple(notes), len(ready))
