"""One run: data, fit, propose, re-simulate, score, record."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, TypeVar

import torch
from torch import Tensor

from invcore.base.errors import DivergedError, InvcoreError, ShapeError, StoreError
from invcore.base.progress import Progress
from invcore.base.seeding import generator
from invcore.configs.run_config import RunConfig
from invcore.contracts.candidates import Candidates
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.events import Event
from invcore.contracts.method import (
    InverseModel,
    Needs,
    Problem,
    Targets,
)
from invcore.contracts.metric import Estimate, Evaluation
from invcore.contracts.simulator import Simulator
from invcore.data.pairs import Splits, repeated
from invcore.data.scaling import Scaling
from invcore.learning.surrogate import Surrogate, SurrogateConfig, fit_surrogate
from invcore.learning.training_config import TrainingConfig
from invcore.pipeline.propose import draw_points, propose_in_batches, rerank
from invcore.registry.loader import Plugins, installed
from invcore.runs.plan import Plan
from invcore.scoring.errors import squared_error
from invcore.storage.cache import Cache
from invcore.storage.run_record import MetricRecord, RunRecord, Timings
from invcore.storage.store import Store

_RERANK = SurrogateConfig(training=TrainingConfig(epochs=200))

T = TypeVar("T")


def run(
    config: RunConfig,
    *,
    store: Store | None = None,
    plugins: Plugins | None = None,
    progress: Progress | None = None,
    force: bool = False,
    keep_going: bool = True,
) -> RunRecord:
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
        done = _find(store, plan.id)
        if done is not None and not force:
            return done
        store.check_writable()
    return _Run(plan, plugins, progress or Progress(), store, keep_going).go()


def _find(store: Store, run: str) -> RunRecord | None:
    """The finished run of that id; None if it is absent, failed or damaged."""
    if not store.path(run).exists():
        return None
    try:
        record = store.read(run)
    except StoreError:
        return None  # to be done again, and replaced by a whole one
    return record if record.status == "ok" else None


class _Run:
    """The stages of one run, and what they measure."""

    def __init__(
        self,
        plan: Plan,
        plugins: Plugins,
        progress: Progress,
        store: Store | None,
        keep_going: bool,
    ) -> None:
        self.plan, self.plugins, self.progress = plan, plugins, progress
        self.store, self.keep_going = store, keep_going
        self.cache = Cache(store.cache if store is not None else None)
        self.seconds: dict[str, float] = {}
        self.log: list[dict[str, Any]] = []
        self.notes: list[str] = []
        for said in plan.problems:
            self._note(said)
        self.record = blank_record(plan)

    def go(self) -> RunRecord:
        self._emit("run-started", config=self.record.config)
        tensors: dict[str, dict[str, Tensor]] = {}
        try:
            reason = self._unfit()
            if reason:
                record = self.record.model_copy(update={"status": "skipped", "reason": reason})
            else:
                record, tensors = self._measure()
        except Exception as error:  # a method may raise anything; the sweep goes on
            if not self.keep_going:
                raise
            status = "diverged" if isinstance(error, DivergedError) else "error"
            update = {"status": status, "reason": reason_of(error)}
            record = self.record.model_copy(update=update)
        record = record.model_copy(update={"notes": tuple(self.notes)})
        documents = {"model": model_document(self.plan)} if tensors else {}

        def stored() -> RunRecord:
            if self.store is None:
                return record
            return self.store.write(record, tensors=tensors, documents=documents, log=self.log)

        record, lines = stored(), len(self.log)
        self._emit("run-finished", record=record.model_dump(mode="json"))
        return stored() if len(self.log) > lines else record  # what went wrong then is logged too

    def _unfit(self) -> str:
        """Why the method cannot do this task; empty if it can."""
        needs, task = self.plan.method.needs, self.plan.task
        if Needs.GRADIENT in needs and not task.differentiable:
            return f"method {self.plan.config.method.name} needs gradients, the task has none"
        if task.context_shapes and not self.plan.method.uses_context:
            return (
                f"method {self.plan.config.method.name} does not use what is known of each "
                f"problem of the task ({', '.join(task.context_shapes)})"
            )
        return ""

    def _measure(self) -> tuple[RunRecord, dict[str, dict[str, Tensor]]]:
        plan, config = self.plan, self.plan.config
        # Drawn also where nobody learns from the pairs: all methods get the same targets
        data: Splits = self._stage(
            "data", lambda: plan.task.dataset(config.pairs, config.targets, config.seed)
        )
        targets = Targets(data.test.y, data.test.context)
        problem = Problem(
            config.task.name, plan.task.designs, plan.task.responses, plan.task.differentiable
        )
        env = FitEnvironment(config.seed, plan.device, self.progress, self.log.append)
        model: InverseModel = self._stage(
            "fit", lambda: plan.method.fit(problem, data.train, data.val, env)
        )
        judge = Simulator(plan.task)
        candidates, calls = self._stage("propose", lambda: self._propose(model, targets))
        resimulated = self._stage(
            "simulate", lambda: self._resimulate(judge, candidates.x, targets)
        )
        state = model.state()
        timings = Timings(
            fit_s=self.seconds["fit"],
            propose_s=self.seconds["propose"],
            simulate_s=self.seconds["simulate"],
        )
        evaluation = Evaluation(
            designs=plan.task.designs,
            targets=targets.y,
            candidates=candidates.x,
            resimulated=resimulated,
            errors=squared_error(resimulated, targets.y),
            ranked=model.ranked,
            predicted=candidates.predicted,
            timings=timings.model_dump(),
            simulator_calls=calls + judge.calls,
            parameters=sum(value.numel() for value in state.values()),
            seed=config.seed,
            order=self._stage("rerank", lambda: self._rerank(candidates, targets, data))
            if config.rerank
            else None,
            truth=data.test.x,
            log_density=model.log_density(targets, data.test.x),
            task=plan.task,
            context=targets.context,
            cache=self.cache,
        )
        estimates = self._stage("score", lambda: self._score(evaluation))
        record = self.record.model_copy(
            update={
                "ranked": evaluation.ranked,
                "metrics": tuple(MetricRecord.parse(_finite(asdict(e))) for e in estimates),
                "timings": timings,
                "simulator_calls": evaluation.simulator_calls,
                "parameters": evaluation.parameters,
            }
        )
        kept = {
            "targets": evaluation.targets,
            "candidates": evaluation.candidates,
            "resimulated": evaluation.resimulated,
            "errors": evaluation.errors,
        }
        if evaluation.order is not None:
            kept["order"] = evaluation.order
        for name, known in (targets.context or {}).items():
            kept[f"context.{name}"] = known
        if candidates.history is not None:
            for name, values in vars(candidates.history).items():
                kept[f"history.{name}"] = values
        return record, {"candidates": kept, "model": state}

    def _score(self, evaluation: Evaluation) -> list[Estimate]:
        """All metrics; one that raises is left out, and the log says why."""
        estimates: list[Estimate] = []
        for name, metric in self.plan.metrics.items():
            try:
                estimates += metric.measure(evaluation)
            except Exception as error:  # a metric of others does not cost the run
                if not self.keep_going:
                    raise
                said = " ".join(f"{type(error).__name__}: {error}".split())
                self._note(f"metric {name} left out: {said}; --force runs again")
        return estimates

    def _propose(self, model: InverseModel, targets: Targets) -> tuple[Candidates, int]:
        """All candidates, a batch of targets at a time; and the simulator calls that it took."""
        plan, config = self.plan, self.plan.config
        points = draw_points(
            plan.sampler, model, len(targets), config.candidates, generator(config.seed, "points")
        )
        needed = plan.method.needs & (Needs.SIMULATOR | Needs.GRADIENT)
        simulator = Simulator(plan.task) if needed else None
        found = propose_in_batches(model, targets, points, simulator, self.progress)
        shape = (len(targets), config.candidates, plan.task.designs.dim)
        if found.x.shape != shape:
            raise ShapeError(
                f"method {config.method.name}: candidates have shape {tuple(found.x.shape)}, "
                f"expected {shape}"
            )
        return found, simulator.calls if simulator else 0

    def _rerank(self, candidates: Candidates, targets: Targets, data: Splits) -> Tensor:
        """The candidates' places by the opinion of a surrogate, the same for all methods."""
        plan, config = self.plan, self.plan.config
        env = FitEnvironment(config.seed, plan.device, self.progress, self.log.append)
        scaling = Scaling.fit(plan.task.designs, data.train)

        def fitted() -> dict[str, Tensor]:
            surrogate, _ = fit_surrogate(
                _RERANK, scaling, data.train, data.val, env, label="rerank"
            )
            return {name: value.cpu() for name, value in surrogate.state().items()}

        resolved = plan.resolved()
        known = ("task", "pairs", "seed", "device", "targets")
        versions = {key: plan.versions[key] for key in ("invcore", plan.owners["task"])}
        versions["torch"] = torch.__version__
        key = {name: resolved[name] for name in known} | {
            "surrogate": _RERANK.model_dump(mode="json"), "versions": versions
        }  # fmt: skip
        state = self.cache.tensors("surrogate", key, fitted)
        surrogate = Surrogate.restore(_RERANK, plan.task.designs, state)
        return rerank(surrogate, candidates.x, targets)

    def _resimulate(self, judge: Simulator, designs: Tensor, targets: Targets) -> Tensor:
        rows = designs.flatten(0, 1)
        finite = rows.isfinite().all(dim=1, keepdim=True)
        y = judge(torch.where(finite, rows, 0.0), repeated(targets.context, designs.shape[1]))
        finite = finite & y.isfinite().all(dim=1, keepdim=True)  # infinity is no response either
        return torch.where(finite, y, torch.nan).unflatten(0, designs.shape[:2])

    def _stage(self, name: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = work()
        if self.plan.device.type == "cuda":
            torch.cuda.synchronize(self.plan.device)
        self.seconds[name] = time.perf_counter() - start
        self._emit("stage-ended", stage=name, seconds=self.seconds[name])
        return result

    def _note(self, said: str) -> None:
        """What a user should be told of the run, beside its result."""
        self.notes.append(said)
        self.log.append({"warning": said})

    def _emit(self, name: Any, **data: Any) -> None:
        for problem in self.plugins.emit(Event(name, self.record.id, data)):
            self.log.append({"warning": problem})


def blank_record(plan: Plan) -> RunRecord:
    """What is known of a run before it begins."""
    config = plan.config
    return RunRecord(
        id=plan.id,
        task=config.task.name,
        method=config.method.name,
        sampler=config.sampler.name,
        candidates=config.candidates,
        targets=config.targets,
        seed=config.seed,
        device=str(plan.device),
        config=plan.resolved(),
        versions=plan.versions | {"torch": torch.__version__},
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def reason_of(error: BaseException) -> str:
    """One line that says why a run failed."""
    said = " ".join(str(error).split())
    if isinstance(error, InvcoreError) and said:
        return said
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        said = f"out of memory; try fewer candidates, targets or runs at once. {said}".strip()
    return f"{type(error).__name__}: {said or 'no message'}"


def model_document(plan: Plan) -> dict[str, Any]:
    """What ``model.json`` holds: enough to restore the model from its tensors."""
    return {
        "problem": {
            "name": plan.config.task.name,
            "designs": plan.task.designs.model_dump(mode="json"),
            "responses": plan.task.responses.model_dump(mode="json"),
            "differentiable": plan.task.differentiable,
        },
        "method": plan.config.method.name,
        "config": plan.method.config.model_dump(mode="json"),
    }


def _finite(data: dict[str, Any]) -> dict[str, Any]:
    """NaN and infinity as None, for records."""
    return {
        k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in data.items()
    }
