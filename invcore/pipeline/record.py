"""The record of a piece of work: begun before it, ended with what came of it, or why it failed."""

from datetime import UTC, datetime
from typing import Any, Literal

import torch

from invcore.base.errors import DivergedError, UnfitError
from invcore.base.text import one_line
from invcore.pipeline.request import Request
from invcore.storage.run_record import RunRecord

Status = Literal["diverged", "skipped", "error"]


def begin_record(request: Request) -> RunRecord:
    """What is known before the work begins."""
    config = request.resolved if request.config is None else dict(request.config)
    config = {**config, **request.apart}
    sampler = "" if request.sampler is None else request.sampler.name
    return RunRecord(
        id=request.id, kind=request.kind, task=request.task, method=request.answered_by,
        sampler=sampler, candidates=request.candidates, targets=request.targets,
        seed=request.seed, device=str(request.device), threads=torch.get_num_threads(),
        config=config, versions=request.versions, code=request.code,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip


def failure(error: BaseException) -> dict[str, Any]:
    """The fields of a record that say how and why it failed: ``status`` and ``reason``."""
    status: Status = "error"
    if isinstance(error, UnfitError):
        status = "skipped"
    elif isinstance(error, DivergedError):
        status = "diverged"
    return {"status": status, "reason": reason_of(error)}


def reason_of(error: BaseException) -> str:
    """One line that says why a run failed."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        message = " ".join(str(error).split())
        advice = f"out of memory; try fewer candidates, targets or runs at once. {message}".strip()
        return f"{type(error).__name__}: {advice}"
    if isinstance(error, KeyboardInterrupt | SystemExit):
        return f"{one_line(error)}: raised by the code of a plugin, and contained"
    return one_line(error)
