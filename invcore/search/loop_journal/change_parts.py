"""What a change of a journal writes, once it is known that it can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from invcore.base.errors import ConfigError
from invcore.contracts.problem import Problem, Targets
from invcore.search.loop_journal.documents import ProblemDocument
from invcore.search.loop_journal.ledger import Ledger
from invcore.search.point_loop import targets_tensors


def change_parts(
    ledger: Ledger, targets: Targets | None, problem: Problem | None,
    facts: Mapping[str, Any] | None, config: Mapping[str, Any] | None,
) -> tuple[dict[str, Any], dict[str, Tensor]]:  # fmt: skip
    """The body and the tensors of a change's event; arguments are those of ``LoopJournal.change``.

    Raises:
        ConfigError: other columns of designs or responses.
        ShapeError: targets of another width.
    """
    body: dict[str, Any] = {}
    if facts is not None:
        body["facts"] = dict(facts)
    if config is not None:
        body["config"] = dict(config)
    if problem is not None:
        for old, new in (
            (ledger.problem.designs, problem.designs),
            (ledger.problem.responses, problem.responses),
        ):
            if old.names != new.names:
                names = ", ".join(old.names)
                raise ConfigError(f"a journal keeps its columns: expected {names}")
        body["problem"] = ProblemDocument.of(problem).model_dump(mode="json")
    if targets is None:
        return body, {}
    ledger.problem.responses.check(targets.low, "targets")
    return body, targets_tensors(targets)
