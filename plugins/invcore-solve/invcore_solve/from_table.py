"""From a table to a fitted model: a method and a judge, kept and found again."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from invcore.pipeline import Pipeline, Request, build, check_fits
from invcore.plugin import (
    Plugins,
    Problem,
    Progress,
    StoreError,
    Verdict,
    generator,
    installed,
    resolve_device,
)
from invcore.results import MetricRecord, Store, bootstrap
from invcore_solve.designer import Designer
from invcore_solve.tables.response_reach import Reach, check_reach
from invcore_solve.tables.schema import Bounds, TableData
from invcore_solve.tables.sources import Source, as_targets

JUDGE = "conformal-ensemble"
"""Who judges where nobody else is named."""


def fit(
    x: Source,
    y: Source,
    *,
    method: str = "na",
    settings: Mapping[str, Any] | None = None,
    judge: str = JUDGE,
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
        judge: who says how good its proposals are.
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
        UnfitError: a method that needs a simulator.
        ConfigError: a wrong setting.
        UnknownNameError: no such method.

    Example:
        >>> import invcore_solve, torch
        >>> x = torch.rand(200, 2, generator=torch.Generator().manual_seed(0))
        >>> designer = invcore_solve.fit(x, x.sum(1), method="na", preset="quick")
        >>> ranked = designer.propose([[0.7]], candidates=3)
        >>> bool((ranked.predicted - 0.7).abs().max() < 0.1)
        True
    """
    data = TableData.read(x, y, bounds=bounds, whole=whole)
    return fit_pairs(
        data, method=method, settings=settings, judge=judge, preset=preset, seed=seed,
        device=device, store=store, targets=targets, extrapolate=extrapolate, progress=progress,
        plugins=plugins,
    )  # fmt: skip


def fit_pairs(
    data: TableData,
    *,
    method: str = "na",
    settings: Mapping[str, Any] | None = None,
    judge: str = JUDGE,
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
    plugins = plugins or installed()
    reach = Reach.of(data.pairs, seed)
    if targets is not None:
        check_reach(reach, as_targets(targets, data.responses), data.responses, extrapolate)
    part = build(plugins, "method", method, settings, preset=preset)
    check_fits(method, part.component, simulator=False)
    judge_part = build(plugins, "judge", judge, preset=preset)
    config: dict[str, Any] = {"config": part.config, "judge": judge_part.config}
    if judge != JUDGE:
        config["judge_name"] = judge
    request = Request(
        kind="solve",
        task=data.source,
        method=part,
        seed=seed,
        device=resolve_device(device),
        config=config,
        beside=(judge_part.entry,),
        document={
            "kind": "solve", "data": data.checksum, "method": part.name, **config, "seed": seed,
            "designs": data.designs.model_dump(mode="json"), "responses": data.responses.names,
        },
    )  # fmt: skip
    if store is not None:
        if store.path(request.id).exists():
            try:
                return Designer.load(store, request.id, device=device, plugins=plugins)
            except StoreError:
                pass  # damaged: fit again and replace it
        store.check_writable()
    problem = Problem(data.source, data.designs, data.responses)
    pipeline = Pipeline(request, progress=progress, plugins=plugins, store=store)
    pipeline.begin()
    splits = pipeline.pairs(lambda: data.split(seed))
    model = pipeline.fit(problem, splits)
    with pipeline.stage("fit"):
        fitted = judge_part.component.fit(problem, splits, pipeline.env)
        verdict = fitted.predict(splits.test.x)
    record = pipeline.record(
        ranked=model.ranked,
        parameters=sum(value.numel() for value in model.state().values()),
        metrics=_held_out(verdict, splits.test.y, seed),
    )
    designer = Designer(problem, part.name, model, fitted, reach, record, config, plugins)
    return replace(designer, record=pipeline.finish(record, **designer.parts()))


def _held_out(verdict: Verdict, y: Tensor, seed: int) -> tuple[MetricRecord, ...]:
    """How good the judge is on rows that nothing was fitted to."""
    off = (verdict.response - y).abs()
    metrics = []
    for i in range(y.shape[1]):
        value, low, high = bootstrap(off[:, i], generator(seed, "held-out", i))
        name = "held-out-error" if y.shape[1] == 1 else f"held-out-error-{i + 1}"
        metrics.append(MetricRecord(name=name, value=value, ci_low=low, ci_high=high))
    return tuple(metrics)
