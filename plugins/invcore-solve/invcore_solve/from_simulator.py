"""Designs for wanted responses from a simulator of one's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import torch

from invcore.base.device import resolve_device
from invcore.base.errors import ConfigError
from invcore.base.progress import Progress
from invcore.contracts.method import InverseMethod, Needs
from invcore.registry.loader import Plugins, installed
from invcore.registry.versions import versions_of
from invcore.spaces.space import Space
from invcore.storage.json_text import identity
from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store
from invcore_solve.simulators.file import read_simulator
from invcore_solve.simulators.program import Program
from invcore_solve.simulators.task import Designs, OwnSimulator
from invcore_solve.solution import Solution
from invcore_solve.stages import Stages
from invcore_solve.tables.schema import Source, as_table

_PAIRS, _FEW = 1000, 50

Simulate = Callable[[Any], Any] | str | os.PathLike[str] | Program | OwnSimulator


def solve_with(
    simulate: Simulate,
    designs: Designs | None = None,
    *,
    targets: Source,
    responses: Space | Sequence[str] | None = None,
    whole: Sequence[str] = (),
    method: str = "na",
    settings: Mapping[str, Any] | None = None,
    preset: str = "default",
    pairs: int | None = None,
    candidates: int = 100,
    budget: int | None = None,
    check: bool = True,
    sampler: str = "maximin-lhs",
    seed: int = 0,
    device: str = "auto",
    store: Store | None = None,
    progress: Progress | None = None,
    plugins: Plugins | None = None,
) -> Solution:
    """Find designs for wanted responses with a simulator of one's own.

    A method that learns from pairs is given ``pairs`` of them, simulated at designs that fill the
    space. A method that searches is given the simulator itself, and a few pairs. What either
    proposes is then simulated, and ranked by its true error.

    Args:
        simulate: a function of designs (N, Dx) that gives responses (N, Dy), of tensors or arrays;
            its name, ``"package.module:function"``; a `Program`; a simulator's ``.toml`` file; or
            an `OwnSimulator`.
        designs: by name (low, high), or a space; left out for a file or an `OwnSimulator`.
        targets: (B, Dy), or a file of them.
        responses: names, or a space; needed for a `Program`.
        whole: designs that take whole numbers only.
        method: an inverse method.
        settings: of the method; plain data.
        preset: ``quick``, ``default`` or ``paper``.
        pairs: how many to learn from; 1000. For a method that searches, how many show it the
            responses' scale; 50.
        candidates: proposals per target, before copies are dropped.
        budget: the most simulator calls in all; None for no limit. If it does not suffice to check
            all proposals, those that look best are checked; if a search wants more, the best of
            what was simulated are the answer.
        check: simulate what is proposed; off: the judge's opinion, as from a table.
        sampler: of the pairs' designs, and of the method's randomness.
        seed: root of all randomness.
        device: ``auto``, ``cpu``, ``cuda``, … of the method; the simulator is called on the CPU.
        store: where the work is recorded, the model kept, and finished batches kept and found
            again; None keeps nothing.
        progress: shows what goes on.
        plugins: where names are looked up; those installed.

    Raises:
        SimulatorError: the simulator raised, hung, or gave something else than responses.
        ConfigError: a wrong setting, or a method that needs gradients where there are none.
        DataError: targets of another width than the responses.

    Example:
        >>> import invcore_solve
        >>> found = invcore_solve.solve_with(
        ...     lambda x: x[:, :1] + x[:, 1:], {"a": (0, 1), "b": (0, 1)}, targets=[[0.7]],
        ...     pairs=200, candidates=5, preset="quick")
        >>> bool((found.designs.sum(1)[0] - 0.7).abs() < 0.05), bool(found.error[0] < 0.01)
        (True, True)
    """
    plugins, progress = plugins or installed(), progress or Progress()
    own = as_simulator(simulate, designs, responses, whole)
    method_class = plugins.registry.load("method", method)
    config = method_class.Config.resolve(
        dict(settings or {}), preset=preset, where=f"method {method!r}"
    )
    built: InverseMethod[Any] = method_class(config)
    if pairs is None:
        pairs = _PAIRS if Needs.PAIRS in built.needs else _FEW
    place = resolve_device(device)
    wanted = as_table(targets, "y")
    find = plugins.registry.find
    taking_part = (find("method", method), find("sampler", sampler))
    versions = {**versions_of(taking_part), "torch": torch.__version__}
    described = {
        "config": config.model_dump(mode="json"), "preset": preset, "simulator": own.document(),
        "pairs": pairs, "budget": budget, "check": check,
    }  # fmt: skip
    run = identity({
        "kind": "solve-with", **described, "targets": wanted.values.tolist(), "method": method,
        "sampler": sampler, "candidates": candidates, "seed": seed, "device": place.type,
        "versions": versions,
    })  # fmt: skip
    record = RunRecord(
        id=run, kind="solve", task=own.name, method=method, sampler=sampler,
        candidates=candidates, targets=len(wanted.values), seed=seed, device=str(place),
        config=described, versions=versions,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    work = Stages(
        own, built, plugins.registry.load("sampler", sampler)(),
        record, store, progress, plugins, dict(settings or {}), preset, pairs, budget, check,
    )  # fmt: skip
    return work.go(wanted)


def as_simulator(
    simulate: Simulate,
    designs: Designs | None = None,
    responses: Space | Sequence[str] | None = None,
    whole: Sequence[str] = (),
) -> OwnSimulator:
    """The simulator of what people give for one.

    Raises:
        ConfigError: no designs are given and none are known, or the other way round.
    """
    file = isinstance(simulate, os.PathLike) or str(simulate).endswith((".toml", ".yaml", ".yml"))
    if isinstance(simulate, OwnSimulator) or (file and not callable(simulate)):
        own = simulate if isinstance(simulate, OwnSimulator) else read_simulator(str(simulate))
        if designs is not None or responses is not None or whole:
            said = "this simulator" if simulate is own else str(simulate)
            raise ConfigError(
                f"{said} says itself what its designs and responses are: leave out the bounds"
            )
        return own
    if designs is None:
        raise ConfigError("a simulator needs its designs with their bounds: --bounds NAME=LOW:HIGH")
    return OwnSimulator(simulate, designs, responses, whole=whole)  # type: ignore[arg-type]
