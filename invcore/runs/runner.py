"""One run: data, fit, propose, re-simulate, score, record."""

import math
from dataclasses import asdict
from typing import Any

from torch import Tensor

from invcore.base.errors import UnfitError
from invcore.base.progress import Progress
from invcore.base.text import one_line
from invcore.configs.run_config import RunConfig
from invcore.contracts.candidates import Candidates
from invcore.contracts.events import Event, EventName
from invcore.contracts.method import Problem, Targets
from invcore.contracts.metric import Estimate, Evaluation
from invcore.contracts.simulator import Simulator
from invcore.data.pairs import Splits
from invcore.data.scaling import Scaling
from invcore.learning.surrogate import Surrogate, SurrogateConfig, fit_surrogate
from invcore.learning.training_config import TrainingConfig
from invcore.pipeline.fit import SEARCHES, check_fits
from invcore.pipeline.judge import rerank
from invcore.pipeline.pipeline import Pipeline
from invcore.registry.loader import Plugins, installed
from invcore.runs.plan import Plan
from invcore.scoring.errors import squared_error
from invcore.storage.cache import Cache
from invcore.storage.run_record import MetricRecord, RunRecord
from invcore.storage.store import Store

_RERANK = SurrogateConfig(training=TrainingConfig(epochs=200))

Tensors = dict[str, dict[str, Tensor]]


def run(
    config: RunConfig, *, store: Store | None = None, plugins: Plugins | None = None,
    progress: Progress | None = None, force: bool = False, keep_going: bool = True,
) -> RunRecord:  # fmt: skip
    """Do one run, or find it done.

    Args:
        config: what to run.
        store: where the run is kept, and looked for; None keeps nothing.
        plugins: where names are looked up; those installed.
        progress: shows what goes on; silent.
        force: run again even if the store has it.
        keep_going: make a failure of the method a record; off: raise it.

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
    plan = Plan.of(config, plugins)
    if store is not None:
        stored = store.get(plan.id)
        if stored is not None and stored.status == "ok" and not force:
            return stored
        store.check_writable()
    return _Run(plan, plugins, progress or Progress(), store, keep_going).go()


class _Run:
    """The steps of the pipeline for one run, then its score and its record."""

    def __init__(
        self, plan: Plan, plugins: Plugins, progress: Progress, store: Store | None,
        keep_going: bool,
    ) -> None:  # fmt: skip
        self.plan, self.plugins, self.store, self.keep_going = plan, plugins, store, keep_going
        self.cache = Cache(store.cache if store is not None else None)
        self.request = plan.request
        self.pipeline = Pipeline(self.request, progress=progress, on_stage=self._stage_ended)
        for problem in plan.problems:
            self.pipeline.note(problem)

    def go(self) -> RunRecord:
        self._emit("run-started", config=self.pipeline.record().config)
        tensors: Tensors = {}
        try:
            check_fits(
                self.request.method.name, self.plan.method, contexts=self.plan.task.context_shapes,
                differentiable=self.plan.task.differentiable,
            )  # fmt: skip
            record, tensors = self._measure()
        except UnfitError as error:
            record = self.pipeline.failed(error)
        except Exception as error:  # a method may raise anything; the sweep goes on
            if not self.keep_going:
                raise
            record = self.pipeline.failed(error)
        log = self.pipeline.log
        documents = {"model": model_document(self.plan)} if tensors else {}

        def stored() -> RunRecord:
            if self.store is None:
                return record
            return self.store.write(record, tensors=tensors, documents=documents, log=log)

        record, lines = stored(), len(log)
        self._emit("run-finished", record=record.model_dump(mode="json"))
        return stored() if len(log) > lines else record  # what went wrong then is logged too

    def _measure(self) -> tuple[RunRecord, Tensors]:
        plan, config, pipeline = self.plan, self.plan.config, self.pipeline
        # Drawn also where nobody learns from the pairs: all methods get the same targets
        data = pipeline.pairs(lambda: plan.task.dataset(config.pairs, config.targets, config.seed))
        targets = Targets(data.test.y, data.test.context)
        problem = problem_of(plan)
        model = pipeline.fit(problem, data)
        simulator = Simulator(plan.task) if plan.method.needs & SEARCHES else None
        candidates = pipeline.propose(model, problem, targets, simulator)
        judge = Simulator(plan.task)
        resimulated = pipeline.resimulate(judge, candidates.x, targets)
        state = model.state()
        order = self._rerank(candidates, targets, data) if config.rerank else None
        evaluation = Evaluation(
            designs=plan.task.designs, targets=targets.y, candidates=candidates.x,
            resimulated=resimulated, errors=squared_error(resimulated, targets.y),
            ranked=model.ranked, predicted=candidates.predicted,
            timings=pipeline.timings.model_dump(),
            simulator_calls=judge.calls + (simulator.calls if simulator else 0),
            parameters=sum(value.numel() for value in state.values()), seed=config.seed,
            order=order, truth=data.test.x, log_density=model.log_density(targets, data.test.x),
            task=plan.task, context=targets.context, cache=self.cache,
        )  # fmt: skip
        with pipeline.stage("score"):
            metrics = self._score(evaluation)
        record = pipeline.record(
            ranked=evaluation.ranked, metrics=metrics, parameters=evaluation.parameters,
            simulator_calls=evaluation.simulator_calls,
        )  # fmt: skip
        return record, {"candidates": stored_tensors(evaluation, candidates), "model": state}

    def _score(self, evaluation: Evaluation) -> tuple[MetricRecord, ...]:
        """All metrics; one that raises is left out, and the log says why."""
        estimates: list[Estimate] = []
        for name, metric in self.plan.metrics.items():
            try:
                estimates += metric.component.measure(evaluation)
            except Exception as error:  # a metric of others does not cost the run
                if not self.keep_going:
                    raise
                self.pipeline.note(
                    f"metric {name} left out: {one_line(error)}; force=True runs again"
                )
        return tuple(MetricRecord.parse(_finite(asdict(estimate))) for estimate in estimates)

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
        key = {name: resolved[name] for name in ("task", "pairs", "seed", "device", "targets")} | {
            "surrogate": _RERANK.model_dump(mode="json"),
            "versions": {owner: self.request.versions[owner] for owner in owners},
        }
        with self.pipeline.stage("rerank"):
            state = self.cache.tensors("surrogate", key, fitted)
            return rerank(Surrogate.restore(_RERANK, designs, state), candidates.x, targets)

    def _stage_ended(self, stage: str, seconds: float) -> None:
        self._emit("stage-ended", stage=stage, seconds=seconds)

    def _emit(self, name: EventName, **data: Any) -> None:
        for problem in self.plugins.emit(Event(name, self.request.id, data)):
            self.pipeline.log.append({"warning": problem})


def problem_of(plan: Plan) -> Problem:
    """What the method may know of the task."""
    task = plan.task
    return Problem(plan.config.task.name, task.designs, task.responses, task.differentiable)


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


def stored_tensors(evaluation: Evaluation, candidates: Candidates) -> dict[str, Tensor]:
    """What ``candidates.safetensors`` holds."""
    tensors = {
        name: getattr(evaluation, name)
        for name in ("targets", "candidates", "resimulated", "errors", "order")
        if getattr(evaluation, name) is not None
    }
    tensors |= {f"context.{name}": value for name, value in (evaluation.context or {}).items()}
    history = candidates.history
    return tensors | {f"history.{k}": v for k, v in (vars(history) if history else {}).items()}


def _finite(data: dict[str, Any]) -> dict[str, Any]:
    """NaN and infinity as None, for records."""
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in data.items()
    }
