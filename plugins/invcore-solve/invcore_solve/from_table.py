"""Own data: fit a method to a table, keep it, and find it again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import torch
from torch import Tensor

from invcore.base.device import resolve_device
from invcore.base.errors import ConfigError, StoreError
from invcore.base.progress import Progress
from invcore.base.seeding import generator
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.method import InverseMethod, Needs, Problem
from invcore.registry.loader import Plugins, installed
from invcore.registry.versions import versions_of
from invcore.scoring.intervals import bootstrap
from invcore.storage.json_text import identity
from invcore.storage.run_record import MetricRecord, RunRecord, Timings
from invcore.storage.store import Store
from invcore_solve.designer import Designer, check_reach
from invcore_solve.judge import Judge, JudgeConfig, Verdict
from invcore_solve.tables.schema import Bounds, OwnData, Reach, Source, as_targets

_QUICK_JUDGE = {"members": 3, "surrogate": {"training": {"epochs": 30}}}


def fit(
    x: Source,
    y: Source,
    *,
    method: str = "na",
    settings: Mapping[str, Any] | None = None,
    preset: str = "default",
    bounds: Bounds | None = None,
    whole: Sequence[str] = (),
    seed: int = 0,
    device: str = "auto",
    store: Store | None = None,
    targets: Source | None = None,
    extrapolate: bool = False,
    progress: Progress | None = None,
    plugins: Plugins | None = None,
) -> Designer:
    """Fit a method to a table of designs and responses.

    Args:
        x: designs (N, Dx): a file (CSV, Parquet, NPZ), a tensor, an array or lists.
        y: responses (N, Dy), likewise.
        method: an inverse method that learns from pairs.
        settings: of the method; plain data.
        preset: ``quick``, ``default`` or ``paper``.
        bounds: by design column, (low, high), inside the data's range.
        whole: design columns that take whole numbers only.
        seed: root of all randomness.
        device: ``auto``, ``cpu``, ``cuda``, …
        store: where the fitted model is kept, and found again; None keeps nothing.
        targets: if given, checked before anything is fitted.
        extrapolate: let targets be out of reach.
        progress: shows what goes on.
        plugins: where names are looked up; those installed.

    Raises:
        DataError: the tables cannot be used; the message has file, row and column.
        ConfigError: a wrong setting, or a method that needs a simulator.
        UnknownNameError: no such method.

    Example:
        >>> import invcore_solve
        >>> x = torch.rand(200, 2, generator=torch.Generator().manual_seed(0))
        >>> designer = invcore_solve.fit(x, x.sum(1), method="na", preset="quick")
        >>> proposal = designer.propose([[0.7]], candidates=3)
        >>> bool((proposal.predicted - 0.7).abs().max() < 0.1)
        True
    """
    data = OwnData.read(x, y, bounds=bounds, whole=whole)
    return fit_pairs(
        data, method=method, settings=settings, preset=preset, seed=seed, device=device,
        store=store, targets=targets, extrapolate=extrapolate, progress=progress, plugins=plugins,
    )  # fmt: skip


def fit_pairs(
    data: OwnData,
    *,
    method: str = "na",
    settings: Mapping[str, Any] | None = None,
    preset: str = "default",
    seed: int = 0,
    device: str = "auto",
    store: Store | None = None,
    targets: Source | None = None,
    extrapolate: bool = False,
    progress: Progress | None = None,
    plugins: Plugins | None = None,
) -> Designer:
    """Fit a method to pairs whose spaces are known; otherwise like ``fit``."""
    plugins, progress = plugins or installed(), progress or Progress()
    reach = Reach.of(data.pairs, seed)
    if targets is not None:
        check_reach(reach, as_targets(targets, data.responses), data.responses, extrapolate)
    method_class = plugins.registry.load("method", method)
    config = method_class.Config.resolve(
        dict(settings or {}), preset=preset, where=f"method {method!r}"
    )
    judge_config = JudgeConfig.resolve(_QUICK_JUDGE if preset == "quick" else {})
    built: InverseMethod[Any] = method_class(config)
    if built.needs & (Needs.SIMULATOR | Needs.GRADIENT):
        raise ConfigError(
            f"method {method!r} needs a simulator; a table has none (--simulator gives one)"
        )
    place = resolve_device(device)
    versions = versions_of([plugins.registry.find("method", method)])
    documents = {
        "config": config.model_dump(mode="json"), "judge": judge_config.model_dump(mode="json")
    }  # fmt: skip
    run = identity({
        "kind": "solve", "data": data.checksum, "method": method, **documents, "seed": seed,
        "designs": data.designs.model_dump(mode="json"), "responses": data.responses.names,
        "device": place.type, "versions": versions | {"torch": torch.__version__},
    })  # fmt: skip
    if store is not None and store.path(run).exists():
        try:
            return Designer.load(store, run, device=device, plugins=plugins)
        except StoreError:
            pass  # damaged: fit again and replace it
    if store is not None:
        store.check_writable()
    problem = Problem(data.source, data.designs, data.responses)
    start = time.perf_counter()
    splits = data.split(seed)
    env = FitEnvironment(seed, place, progress)
    model = built.fit(problem, splits.train, splits.val, env)
    judge = Judge.fit(judge_config, data.designs, splits, env)
    held_out = judge(splits.test.x)
    record = RunRecord(
        id=run, kind="solve", task=data.source, method=method, sampler="", candidates=0, targets=0,
        seed=seed, device=str(place), ranked=model.ranked,
        timings=Timings(fit_s=time.perf_counter() - start),
        parameters=sum(value.numel() for value in model.state().values()),
        metrics=_held_out(held_out, splits.test.y, seed),
        config=documents, versions=versions | {"torch": torch.__version__},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )  # fmt: skip
    designer = Designer(problem, method, model, judge, reach, record, documents, plugins)
    if store is not None:
        designer = replace(designer, record=designer.save(store))
    return designer


def _held_out(verdict: Verdict, y: Tensor, seed: int) -> tuple[MetricRecord, ...]:
    """How good the judge is on rows that nothing was fitted to."""
    off = (verdict.response - y).abs()
    metrics = []
    for i in range(y.shape[1]):
        value, low, high = bootstrap(off[:, i], generator(seed, "held-out", i))
        name = "held-out-error" if y.shape[1] == 1 else f"held-out-error-{i + 1}"
        metrics.append(MetricRecord(name=name, value=value, ci_low=low, ci_high=high))
    return tuple(metrics)
