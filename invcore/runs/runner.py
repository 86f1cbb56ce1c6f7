"""One run: data, fit, propose, re-simulate, score, record."""

from typing import Any

import torch
from torch import Tensor

from invcore.base.errors import PluginError, UnfitError
from invcore.base.process.interrupts import watched
from invcore.base.process.signs import sign
from invcore.base.progress import Progress
from invcore.base.types import Files
from invcore.configs.run_config import OF_TASK, RunConfig
from invcore.contracts.candidates import Candidates
from invcore.contracts.metric import Evaluation
from invcore.contracts.problem import Targets
from invcore.data.pairs import Splits
from invcore.data.scaling import Scaling
from invcore.learning.surrogate.config import SurrogateConfig
from invcore.learning.surrogate.fitting import fit_surrogate
from invcore.learning.surrogate.network import Surrogate
from invcore.learning.training_config import TrainingConfig
from invcore.pipeline.fit import check_fits
from invcore.pipeline.judge import rerank
from invcore.pipeline.pipeline import Pipeline
from invcore.pipeline.record import reason_of
from invcore.registry.loader import Plugins, installed
from invcore.runs.answers import search_and_judge
from invcore.runs.data import run_data, targets_of
from invcore.runs.evaluation import bounded, exact_responses, stored_tensors
from invcore.runs.plan import Plan, problem_of
from invcore.runs.rescoring import score_again
from invcore.runs.scoring import measured, stale
from invcore.scoring.errors import errors_of
from invcore.storage.cache import Cache
from invcore.storage.locks import alone
from invcore.storage.run_record import RunRecord
from invcore.storage.store import Store

_LOCKS = "runs.lock"
_RERANK = SurrogateConfig(training=TrainingConfig(epochs=200))

Tensors = dict[str, dict[str, Tensor]]


def run(
    config: RunConfig, *, store: Store | None = None, plugins: Plugins | None = None,
    progress: Progress | None = None, force: bool = False, keep_going: bool = True, bench: str = "",
) -> RunRecord:  # fmt: skip
    """Do one run, or find it done.

    Args:
        config: what to run.
        store: where the run is kept, and looked for; None keeps nothing.
        plugins: where names are looked up; those installed.
        progress: shows what goes on; silent.
        force: run again even if the store has it.
        keep_going: make a failure of the method a record; off: raise it.
        bench: that the run is a part of, for trackers.

    Raises:
        InvcoreError: a wrong name, setting or device, or a store that cannot be written: before
            anything is computed.

    Example:
        >>> import invcore
        >>> config = invcore.RunConfig.resolve(
        ...     {"targets": 20, "candidates": 4, "pairs": 200,
        ...      "method": {"name": "na", "surrogate": {"training": {"epochs": 2}}}})
        >>> invcore.run(config).status
        'ok'
    """
    plugins = plugins or installed()
    return run_planned(
        Plan.of(config, plugins), store=store, plugins=plugins, progress=progress, force=force,
        keep_going=keep_going, bench=bench,
    )  # fmt: skip


def run_planned(
    plan: Plan, *, store: Store | None = None, plugins: Plugins, progress: Progress | None = None,
    force: bool = False, keep_going: bool = True, bench: str = "",
) -> RunRecord:  # fmt: skip
    """``run`` for who has looked the names up already.

    Args:
        plan: of the run, by the names in ``plugins``.
        store: as for ``run``; so is all that follows.
        plugins: see ``run``.
        progress: see ``run``.
        force: see ``run``.
        keep_going: see ``run``.
        bench: see ``run``.
    """
    if store is not None:
        store = store.absolute()  # what a plugin makes of the working directory is not ours
        found = None if force else _found(plan, store, progress)
        if found is not None:
            return found
        store.check_writable()
    work = _Run(plan, plugins, progress or Progress(), store, keep_going, bench)
    if store is None:
        return work.go()
    sign("waits for the same run elsewhere")
    with alone(store.cache / _LOCKS, int(plan.id, 16)):
        if not force:
            found = _found(plan, store, progress)  # another process has done it meanwhile
            if found is not None:
                return found
            if damage := store.damage(plan.id):
                work.pipeline.warn(f"the run is done again: {damage}")
        return work.go()


def _found(plan: Plan, store: Store, progress: Progress | None) -> RunRecord | None:
    """The run as it is stored, with its numbers as they are asked for now; None: it is to be done.

    Raises:
        StoreError: new numbers cannot be written.
    """
    record = store.get(plan.id)
    if record is None or record.status != "ok":
        return None
    parts = {name: plan.metrics[name] for name in stale(record, plan.metrics)}
    if parts:
        record = score_again(store, record, parts, plan.task, progress=progress)
    return record.model_copy(update={"stored": True})


class _Run:
    """The steps of the pipeline for one run, then its score and its record."""

    def __init__(
        self, plan: Plan, plugins: Plugins, progress: Progress, store: Store | None,
        keep_going: bool, bench: str,
    ) -> None:  # fmt: skip
        self.plan, self.keep_going = plan, keep_going
        self.request = plan.request
        self.pipeline = Pipeline(
            self.request, progress=progress, plugins=plugins, store=store, bench=bench
        )
        self.cache = Cache(store.cache if store is not None else None, self.pipeline.warn)
        for problem in plan.problems:
            self.pipeline.note(problem)

    def go(self) -> RunRecord:
        self.pipeline.begin()
        tensors: Tensors = {}
        files: Files = {}
        with watched() as interrupts:
            try:
                with self.pipeline.settled():
                    check_fits(
                        self.plan.parts["method"].name, self.plan.method,
                        contexts=self.plan.task.context_shapes,
                        differentiable=self.plan.task.differentiable,
                    )  # fmt: skip
                    record, tensors, files = self._measure()
            except UnfitError as error:
                record = self.pipeline.failed(error)
            except BaseException as error:  # a method may raise anything; the sweep goes on
                if interrupts.explain(error):
                    raise
                if not self.keep_going:
                    if isinstance(error, Exception):
                        raise
                    raise PluginError(reason_of(error)) from error  # it would end the process
                record = self.pipeline.failed(error)
        documents = {"model": model_document(self.plan)} if tensors else {}
        return self.pipeline.finish(record, tensors=tensors, documents=documents, files=files)

    def _measure(self) -> tuple[RunRecord, Tensors, Files]:
        plan, pipeline = self.plan, self.pipeline
        with pipeline.stage("data"):
            drawn = run_data(plan, self.cache)
        data = drawn.splits
        targets = targets_of(plan, drawn)
        model = pipeline.fit(problem_of(plan), data)
        proposed = search_and_judge(plan, pipeline, model, targets, drawn)
        state = model.state()
        rerank = plan.config.rerank
        order = self._rerank(proposed.candidates, targets, data) if rerank else None
        exact = targets.exact and torch.equal(targets.y, data.test.y)  # whose designs are known
        log_density = model.log_density(targets, data.test.x) if exact else None
        evaluation = Evaluation(
            designs=plan.task.designs, responses=plan.task.responses,
            targets=exact_responses(targets), candidates=proposed.candidates.x,
            resimulated=proposed.responses,
            errors=errors_of(proposed.responses, targets), ranked=proposed.ranked,
            specification=None if plan.wanted is None else targets, known=drawn.known(targets),
            predicted=proposed.candidates.predicted, timings=pipeline.timings.model_dump(),
            simulator_calls=proposed.calls, search_calls=proposed.search_calls,
            training_calls=drawn.training_calls, history=proposed.history,
            parameters=sum(value.numel() for value in state.values()), seed=plan.config.seed,
            order=order, truth=data.test.x if exact else None, log_density=log_density,
            penalty=drawn.penalty(targets), variance=drawn.variance, draws=proposed.draws,
            independent=plan.parts["sampler"].component.independent,
            context=targets.context, cache=self.cache,
            **bounded(plan.task, proposed.candidates.x[..., 0].numel()),
        )  # fmt: skip
        with pipeline.stage("score"):
            metrics, scoring = measured(
                plan.metrics, evaluation, pipeline.note, keep_going=self.keep_going
            )
        record = pipeline.record(
            ranked=evaluation.ranked, metrics=metrics, scoring=scoring,
            parameters=evaluation.parameters, simulator_calls=evaluation.simulator_calls,
            search_calls=evaluation.search_calls, training_calls=evaluation.training_calls,
            answered=float(evaluation.errors.isfinite().any(dim=1).double().mean()),
            candidates=evaluation.candidates.shape[1],
        )  # fmt: skip
        return record, stored_tensors(evaluation) | {"model": state}, model.files()

    def _rerank(self, candidates: Candidates, targets: Targets, data: Splits) -> Tensor:
        """The candidates' places by the opinion of a surrogate, the same for all methods."""
        designs, resolved = self.plan.task.designs, self.request.resolved
        env = self.pipeline.env

        def fitted() -> dict[str, Tensor]:
            scaling = Scaling.fit(designs, data.train)
            surrogate, _ = fit_surrogate(
                _RERANK, scaling, data.train, data.val, env, label="rerank"
            )
            return {name: value.cpu() for name, value in surrogate.state().items()}

        owners = ("invcore", self.plan.parts["task"].entry.plugin, "torch")
        names = ("task", "pairs", "seed", "device", "targets", *OF_TASK)
        key = {name: resolved[name] for name in names if name in resolved} | {
            "surrogate": _RERANK.model_dump(mode="json"),
            "versions": {owner: self.request.versions[owner] for owner in owners},
            "code": {owner: self.request.code.get(owner) for owner in owners},
        }
        with self.pipeline.stage("rerank"):
            state = self.cache.tensors("surrogate", key, fitted)
            return rerank(Surrogate.restore(_RERANK, designs, state), candidates.x, targets)


def model_document(plan: Plan) -> dict[str, Any]:
    """What ``model.json`` holds: enough to restore the model from its tensors."""
    problem, method = problem_of(plan), plan.parts["method"]
    return {
        "problem": {
            "name": problem.name,
            "designs": problem.designs.model_dump(mode="json"),
            "responses": problem.responses.model_dump(mode="json"),
            "differentiable": problem.differentiable,
        },
        "method": method.name, "config": method.config,
    }  # fmt: skip
