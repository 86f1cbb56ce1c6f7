"""From a table to a fitted judge and its proposers, kept and found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from invcore.pipeline import Part, Pipeline, Request, build, check_fits, rebuild
from invcore.plugin import (
    ConfigError,
    FittedJudge,
    InverseModel,
    Plugins,
    Problem,
    Progress,
    Splits,
    StoreError,
    SurrogateModel,
    generator,
    installed,
    resolve_device,
)
from invcore.results import MetricRecord, Store, bootstrap
from invcore_solve.designer import Designer
from invcore_solve.judging.fitted_stack import FittedStack
from invcore_solve.judging.response_codes import CURVE
from invcore_solve.judging.stacked_surrogates import StackedSurrogates
from invcore_solve.proposals.inverse_regression import InverseRegression
from invcore_solve.schema.choices import Choices
from invcore_solve.tables.beside import beside
from invcore_solve.tables.raw_table import RawTable
from invcore_solve.tables.read import read
from invcore_solve.tables.sampled_rows import sampled_rows
from invcore_solve.tables.sources import Source, as_targets
from invcore_solve.tables.table_data import Bounds, TableData

JUDGE = "stacked-surrogates"
"""Who judges where nobody else is named."""

MIXES = "mixes"
"""What records call the proposals of the table's own rows."""


def fit(
    x: Source, y: Source | None = None, *, responses: Sequence[str] = (),
    designs: Sequence[str] | None = None, method: str | Sequence[str] = (),
    settings: Mapping[str, Any] | None = None, judge: str = JUDGE,
    judge_settings: Mapping[str, Any] | None = None,
    surrogates: Mapping[str, SurrogateModel[Any]] | None = None, preset: str = "default",
    bounds: Bounds | None = None, whole: Sequence[str] = (), choices: Choices | None = None,
    among: Source | None = None, novelty: float = 1.0, seed: int = 0, device: str = "auto",
    store: Store | None = None, targets: Source | None = None, strict: bool = False,
    progress: Progress | None = None, plugins: Plugins | None = None,
) -> Designer:  # fmt: skip
    """Fit a judge to a table of designs and responses, and the methods that shall propose.

    Args:
        x: designs (N, Dx): a data frame, a file (CSV, Excel, Parquet, NPZ), a tensor, an array or
            lists; with both designs and responses if ``y`` is None.
        y: responses (N, Dy), likewise.
        responses: columns of responses, where ``x`` holds both.
        designs: columns of designs; None: all others that are usable.
        method: inverse methods that propose beside the table's own mixes of rows.
        settings: of the method; plain data.
        judge: who says what to expect of designs.
        judge_settings: its settings; plain data.
        surrogates: further surrogates for the judge, by name, such as a
            ``invcore_surrogates.RegressorSurrogate`` around one of scikit-learn.
        preset: ``quick``, ``default`` or ``paper``, for methods.
        bounds: by design column, (low, high): what can be made; None: the data's range.
        whole: design columns that take whole numbers only.
        choices: what else is said of the columns.
        among: designs to choose from; None: any that are typical of the table.
        novelty: factor of how far designs may be from the table's rows.
        seed: root of all randomness.
        device: ``auto``, ``cpu``, ``cuda``, … of methods' networks.
        store: where the fitted model is kept, and found again; None keeps nothing.
        targets: if given, checked before anything is fitted.
        strict: refuse targets out of reach.
        progress: shows what goes on.
        plugins: where names are looked up; those installed.

    Raises:
        DataError: the tables cannot be used; the message has file, row and column.
        UnfitError: a method that needs a simulator.
        ConfigError: a wrong setting.
        UnknownNameError: no such method or judge.

    Example:
        >>> import invcore_solve, torch
        >>> x = torch.rand(80, 2, generator=torch.Generator().manual_seed(0))
        >>> designer = invcore_solve.fit(x, x.sum(1))
        >>> ranked = designer.propose([[0.7]], candidates=3)
        >>> bool((ranked.predicted - 0.7).abs().max() < 0.1)
        True
    """
    said = (choices or Choices()).saying("whole", whole).giving("bounds", bounds or {})
    named = {"designs": None if designs is None else tuple(designs)}
    named |= {"responses": tuple(responses) or said.responses}
    said = said.model_copy(
        update=named if designs is not None else {"responses": named["responses"]}
    )
    if y is None:
        if not said.responses:
            raise ConfigError("say which columns are responses: responses=[…], or give them as y")
        table = read(x)
    else:
        table, said = beside(read(x, prefix="x"), read(y, prefix="y"), said)
    return fit_table(
        table, said, among=among, methods=method, settings=settings, judge=judge,
        judge_settings=judge_settings, surrogates=surrogates, preset=preset, novelty=novelty,
        seed=seed, device=device, store=store, targets=targets, strict=strict, progress=progress,
        plugins=plugins,
    )  # fmt: skip


def fit_table(
    table: RawTable, said: Choices, *, among: Source | None = None,
    methods: str | Sequence[str] = (), **options: Any,
) -> Designer:  # fmt: skip
    """Fit to a table that was read, with what is said of its columns; otherwise like ``fit``."""
    own = [n for n in said.responses if said.of(n).positive or said.of(n).log]
    if own:
        given = dict(options.get("judge_settings") or {})
        options["judge_settings"] = {"positive": own} | given
    listed = None if among is None else read(among, prefix="x")
    table = sampled_rows(table, said.responses, options.get("seed", 0))
    data = TableData.of(table, said, listed)
    return fit_pairs(data, method=methods, choices=said, **options)


def fit_pairs(
    data: TableData, *, method: str | Sequence[str] = (),
    settings: Mapping[str, Any] | None = None, judge: str = JUDGE,
    judge_settings: Mapping[str, Any] | None = None,
    surrogates: Mapping[str, SurrogateModel[Any]] | None = None, preset: str = "default",
    novelty: float = 1.0, seed: int = 0, device: str = "auto", store: Store | None = None,
    targets: Source | None = None, strict: bool = False, progress: Progress | None = None,
    plugins: Plugins | None = None, choices: Choices | None = None, near: bool = True,
    method_configs: Mapping[str, Mapping[str, Any]] | None = None, parent: Designer | None = None,
) -> Designer:  # fmt: skip
    """Fit to pairs whose spaces are known; otherwise like ``fit``.

    Where ``near`` is off, as where a simulator says what is right, the table's own mixes do not
    propose, and designs need not stay near its rows. ``method_configs`` are complete settings of
    methods, in place of ``settings`` and ``preset``; ``parent`` is the model that this one goes on
    from.
    """
    plugins = plugins or installed()
    if targets is not None:
        as_targets(targets, data.responses)
    names = [method] if isinstance(method, str) else [*method]
    if settings and not names:
        raise ConfigError("settings are those of a method: name one")
    complete = method_configs or {}
    parts = [
        rebuild(plugins, "method", name, complete[name], where="the model")
        if name in complete
        else build(plugins, "method", name, settings, preset=preset)
        for name in dict.fromkeys(names)
    ]  # fmt: skip
    for part in parts:
        check_fits(part.name, part.component, simulator=False)
    judge_part = build(plugins, "judge", judge, judge_settings, preset=preset)
    config: dict[str, Any] = {
        "judge_name": judge_part.name, "judge": judge_part.config,
        "methods": {part.name: part.config for part in parts},
        "choices": None if choices is None else choices.model_dump(mode="json", exclude_unset=True),
    }  # fmt: skip
    stacks = isinstance(judge_part.component, StackedSurrogates)
    stacked = judge_part.config["members"] if stacks else ()
    members = [plugins.registry.find("surrogate", name) for name in stacked]
    before = "" if parent is None else parent.record.id
    own = [MIXES] * near + [part.name for part in parts]
    request = Request(
        kind="solve",
        task=data.source,
        method=None,
        proposer="+".join(own),
        seed=seed,
        device=resolve_device(device),
        config=config | ({"parent": before} if before else {}),
        beside=(judge_part.entry, *members, *(part.entry for part in parts)),
        document={
            "kind": "solve", "data": data.checksum, **config, "seed": seed, "near": near,
            "novelty": novelty, "parent": before, "surrogates": sorted(surrogates or {}),
            "designs": data.designs.model_dump(mode="json"), "responses": data.responses.names,
        },
    )  # fmt: skip
    if store is not None:
        if store.path(request.id).exists():
            try:
                return Designer.load(
                    store, request.id, device=device, plugins=plugins, surrogates=surrogates
                )
            except StoreError:
                pass  # damaged: fit again and replace it
        store = store.absolute()  # wherever a plugin goes
        store.check_writable()
    work = _Fit(Pipeline(request, progress=progress, plugins=plugins, store=store), data)
    start = None if parent is None else parent.judge
    designer = work.designer(
        judge_part, parts, surrogates or {}, config, plugins, near, novelty, start
    )
    if targets is not None:
        designer.check_reach(targets, strict)
    return designer


class _Fit:
    """The work of one fit, stage by stage."""

    def __init__(self, pipeline: Pipeline, data: TableData) -> None:
        self.pipeline, self.data = pipeline, data
        self.problem = Problem(data.source, data.designs, data.responses)

    def designer(
        self, judge: Part, methods: Sequence[Part], surrogates: Mapping[str, SurrogateModel[Any]],
        config: dict[str, Any], plugins: Plugins, near: bool, novelty: float,
        start: FittedJudge | None,
    ) -> Designer:  # fmt: skip
        """Fit methods and judge, and keep them; a judge of before is where this one starts."""
        self.pipeline.begin()
        with self.pipeline.settled():
            designer = self._fitted(
                judge, methods, surrogates, config, plugins, near, novelty, start
            )
        return replace(designer, record=self.pipeline.finish(designer.record, **designer.parts()))

    def _fitted(
        self, judge: Part, methods: Sequence[Part], surrogates: Mapping[str, SurrogateModel[Any]],
        config: dict[str, Any], plugins: Plugins, near: bool, novelty: float,
        start: FittedJudge | None,
    ) -> Designer:  # fmt: skip
        pipeline, data = self.pipeline, self.data
        splits = pipeline.pairs(lambda: data.split(pipeline.request.seed))
        models: dict[str, InverseModel] = {
            part.name: pipeline.fit(self.problem, splits, part) for part in methods
        }
        component = judge.component
        if surrogates:
            if not isinstance(component, StackedSurrogates):
                raise ConfigError(f"judge {judge.name!r} takes no surrogates")
            component = StackedSurrogates(component.config, surrogates)
        with pipeline.stage("fit"):
            warm = isinstance(component, StackedSurrogates) and isinstance(start, FittedStack)
            how = {"start": start} if warm else {}
            fitted = component.fit(self.problem, splits, pipeline.env, **how)
            inverse = self._inverse() if near else None
        record = pipeline.record(
            ranked=True,
            parameters=sum(v.numel() for model in models.values() for v in model.state().values()),
            metrics=self._held_out(fitted, splits),
        )
        return Designer(data, fitted, models, inverse, record, config, plugins, near, novelty)

    def _inverse(self) -> InverseRegression | None:
        """Where responses are a curve that has more to say than designs have numbers."""
        whole = self.data.pairs.whole()
        if whole.y.shape[1] < max(CURVE, 2 * whole.x.shape[1]) or len(whole) < 20:
            return None
        seed = self.pipeline.env.derive("inverse-regression")
        return InverseRegression.fit(self.data.designs, whole.x.numpy(), whole.y.numpy(), seed)

    def _held_out(self, judge: FittedJudge, splits: Splits) -> tuple[MetricRecord, ...]:
        """How good the judge is on rows that it did not see, in each response's own unit."""
        names, seed = self.data.responses.names, self.pipeline.request.seed
        if isinstance(judge, FittedStack):
            off = judge.held_out_errors
        elif len(splits.test):
            off = (judge.predict(splits.test.x).response - splits.test.y).abs()
        else:
            return ()
        metrics = []
        for i, name in enumerate(names[:_METRICS]):
            known = off[:, i][~off[:, i].isnan()]
            value, low, high = bootstrap(known, generator(seed, "held-out", i))
            own = "held-out-error" if len(names) == 1 else f"held-out-error of {name}"
            metrics.append(MetricRecord(name=own, value=value, ci_low=low, ci_high=high))
        return tuple(metrics)


_METRICS = 12  # responses whose errors are recorded by themselves
