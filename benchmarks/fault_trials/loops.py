"""Work in a loop's folder killed at random moments, against the same work undisturbed.

A worker process is ended by SIGKILL once some more events are there and up to 30 ms have passed,
then another one goes on. Parts:

    solve-LOOP      a budget of 120 calls of a simulator for ten targets, by closed-loop or cma-es
    campaign-LOOP   a session as in a laboratory: batches, fixed choices, results in part, failed,
                    measured again, unasked, and another specification and constraint halfway
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import numpy.typing as npt
import torch
from invcore_solve import SimulatorTask, solve_with
from torch import Tensor

from fault_trials.processes import CONTEXT
from invcore import Space, Uniform, Variable
from invcore.pipeline import build, rebuild
from invcore.plugin import Loop, Problem, Results, Targets, generator, installed
from invcore.results import Store
from invcore.search import LoopJournal

Array = npt.NDArray[np.float64]

LOOPS = ("closed-loop", "cma-es")
PARTS = tuple(f"{what}-{loop}" for what in ("solve", "campaign") for loop in LOOPS)
TARGETS, BUDGET, ROWS = 10, 120, 90
NAMES = ("mass", "stiffness", "damping", "amplitude")
LOG = "INVCORE_KILLS_LOG"  # the file in which a simulator says what it does


def spring(x: Array) -> Array:
    """Period, decay and energy of a damped spring; 5 ms a row, written down before and after."""
    log = os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    keys = [row.tobytes().hex() for row in x]
    os.write(log, "".join(f"begun {key}\n" for key in keys).encode())
    time.sleep(0.005 * len(x))
    y = responses(torch.from_numpy(x)).numpy()
    os.write(log, "".join(f"ended {key}\n" for key in keys).encode())
    os.close(log)
    return np.asarray(y)


def responses(x: Tensor) -> Tensor:
    """Of designs (N, 4)."""
    period = 2 * torch.pi * (x[:, 0] / x[:, 1]).sqrt()
    return torch.stack([period, x[:, 2] / (2 * x[:, 0]), x[:, 1] * x[:, 3] ** 2 / 2], dim=1)


def spaces() -> tuple[Space, Space]:
    """Of designs and of responses."""
    bounds = ((0.5, 5.0), (5.0, 50.0), (0.0, 10.0), (0.1, 2.0))
    designs = (
        Variable(name=n, prior=Uniform(low=low, high=high))
        for n, (low, high) in zip(NAMES, bounds, strict=True)
    )
    return Space.of(*designs), Space.of(*(Variable(name=n) for n in ("period", "decay", "energy")))


def wanted(count: int) -> Tensor:
    """Responses (count, 3) of designs that were drawn."""
    return responses(spaces()[0].sample(count, generator(0, "kills", "targets")))


def solve(folder: Path, loop: str) -> None:
    """The budgeted solve, begun or gone on with."""
    os.environ[LOG] = str(folder / "calls.log")
    designs, answers = spaces()
    simulator = SimulatorTask(
        "fault_trials.loops:spring", designs, list(answers.names), kind="numpy", batch=1
    )
    solve_with(
        simulator, targets=wanted(TARGETS).numpy(), method=loop, budget=BUDGET, candidates=1,
        store=Store(folder / "runs"), device="cpu", settings=settings(loop),
    )  # fmt: skip


def settings(loop: str) -> dict[str, Any]:
    """So that no loop ends before its budget."""
    return {"tolerance": 0.0} if loop == "closed-loop" else {}


def made(name: str, config: Mapping[str, Any]) -> Loop[Any]:
    """A loop from its settings."""
    loop: Loop[Any] = rebuild(installed(), "loop", name, config, where="the journal").component
    return loop


def begin(folder: Path, loop: str) -> LoopJournal:
    """The journal of a session, begun or found."""
    if LoopJournal.at(folder / "journal"):
        return LoopJournal.open(folder / "journal", made)
    designs, answers = spaces()
    points = torch.rand(3, 1, 4, generator=generator(0, "kills", "points"), dtype=torch.float64)
    component: Loop[Any] = build(installed(), "loop", loop, settings(loop)).component
    return LoopJournal.create(
        folder / "journal", component, Problem("spring", designs, answers), Targets(wanted(3)),
        name=loop, points=points,
    )  # fmt: skip


def campaign(folder: Path, loop: str) -> None:
    """A session: what is done next follows from what the folder says."""
    journal = begin(folder, loop)
    while len(journal.rows) < ROWS:
        left, number = journal.pending(), journal.events
        if number == 40:
            journal.change(targets=Targets(wanted(6)[3:]))
        elif number == 70:
            some = Space.of(*spaces()[0].variables, constraints=["mass + amplitude <= 6"])
            journal.change(problem=Problem("spring", some, spaces()[1]))
        elif len(left) < 3:
            fixed = {"damping": 5.0} if number % 5 == 0 else None
            if not len(journal.ask(3, fixed=fixed)):
                journal.tell(Results(left.id, left.designs, responses(left.designs)))
        else:
            journal.tell(measured(journal, left, number))


def measured(journal: LoopJournal, left: Any, number: int) -> Results:
    """What came of some rows: by the number of events whole, in part, failed, again, unasked."""
    x = left.designs[1:2]
    y, ids, kind = responses(x), left.id[1:2], number % 7
    rows = journal.rows
    short = rows.told & ~rows.whole & ~rows.failed & (rows.id >= 0)
    if kind == 1:
        y[:, 1] = torch.nan
    elif kind == 2:
        y[:] = torch.nan
    elif kind == 3:
        x = x + 0.01
        y = responses(x)
    elif kind == 4 and bool(short.any()):  # what was lacking
        ids, x = rows.id[short][:1], rows.made[short][:1]
        y = responses(x)
    elif kind == 5:
        x = spaces()[0].sample(1, generator(number, "kills", "unasked"))
        ids, y = torch.tensor([-1]), responses(x)
    return Results(ids, x, y)


WORK: dict[str, Callable[[Path, str], None]] = {"solve": solve, "campaign": campaign}


def events(folder: Path) -> list[Path]:
    """The files of the journal in a folder."""
    return sorted(folder.rglob("events/*.safetensors"))


def killed(work: Callable[[Path, str], None], folder: Path, loop: str, draw: random.Random) -> bool:
    """Begin or go on, and be killed; whether it was, or had ended before."""
    most = len(events(folder)) + draw.randint(0, 3)
    process = CONTEXT.Process(target=work, args=(folder, loop))
    process.start()
    while process.is_alive() and len(events(folder)) < most:
        time.sleep(0.001)
    process.join(draw.uniform(0.0, 0.03))
    process.kill()
    process.join()
    if process.exitcode not in (0, -9):
        raise RuntimeError(f"{work.__name__} ended with {process.exitcode}")
    return process.exitcode == -9


def undisturbed(work: Callable[[Path, str], None], folder: Path, loop: str) -> None:
    """Begin or go on, to the end."""
    process = CONTEXT.Process(target=work, args=(folder, loop))
    process.start()
    process.join()


def figures(part: str, kills: int, seed: int) -> dict[str, Any]:
    """One part: what was lost, repeated and asked otherwise."""
    what, _, loop = part.partition("-")
    work, draw = WORK[what], random.Random(seed)
    lost = count = 0
    with tempfile.TemporaryDirectory() as root:
        whole, folder = Path(root) / "whole", Path(root) / "killed"
        for each in (whole, folder):
            each.mkdir()
        undisturbed(work, whole, loop)
        kept: dict[Path, bytes] = {}
        for _ in range(kills):
            count += killed(work, folder, loop, draw)
            lost += sum(not p.exists() or p.read_bytes() != data for p, data in kept.items())
            kept = {path: path.read_bytes() for path in events(folder)}
        undisturbed(work, folder, loop)
        journals = [LoopJournal.open(events(each)[0].parents[1], made) for each in (whole, folder)]
        first, second = (journal.rows for journal in journals)
        calls, again, finished = repeated(folder / "calls.log")
    same = min(len(first), len(second))
    differ = (first.asked[:same] != second.asked[:same]).any(dim=1)
    differ &= ~first.asked[:same].isnan().all(dim=1) | ~second.asked[:same].isnan().all(dim=1)
    told = first.responses[:same].nan_to_num(7.0) != second.responses[:same].nan_to_num(7.0)
    return {
        "part": part, "seed": seed, "kills": count, "rows": len(second),
        "rows undisturbed": len(first), "events lost": lost,
        "asks that differ": int(differ.sum()) + abs(len(first) - len(second)),
        "results that differ": int(told.any(dim=1).sum()),
        "calls": calls, "begun again": again, "of them finished": finished,
    }  # fmt: skip


def repeated(log: Path) -> tuple[int, int, int]:
    """Calls begun, those begun before, and those of them that had ended before."""
    if not log.exists():
        return 0, 0, 0
    begun, ended, again, finished = Counter[str](), Counter[str](), 0, 0
    for line in log.read_text().splitlines():
        what, key = line.split()
        if what == "begun":
            again += begun[key] > 0
            finished += ended[key] > 0
            begun[key] += 1
        else:
            ended[key] += 1
    return sum(begun.values()), again, finished
