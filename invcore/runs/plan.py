"""A run whose names have been looked up: what determines its result, and its identity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from invcore.base.component_kinds import Kind
from invcore.base.device import resolve_device
from invcore.configs.run_config import OF_TASK, RunConfig
from invcore.contracts.method import InverseMethod
from invcore.contracts.problem import Problem
from invcore.contracts.task import Task
from invcore.pipeline.components import Part, build
from invcore.pipeline.request import Request
from invcore.registry.loader import Plugins
from invcore.runs.constrained_task import with_constraints
from invcore.runs.derived_task import with_responses
from invcore.runs.scoring import metric_parts
from invcore.runs.wanted import Wanted


@dataclass(frozen=True)
class Plan:
    """A run whose names have been looked up and whose settings are complete.

    Args:
        config: what was asked for.
        parts: task, method and sampler by slot, built.
        metrics: those that judge the run, by name, built; they are no part of its identity.
        device: where.
        problems: metrics that cannot be loaded, and why.
        wanted: what is wanted of the responses; None for the exact test responses.
    """

    config: RunConfig
    parts: dict[Kind, Part]
    metrics: dict[str, Part]
    device: torch.device
    problems: tuple[str, ...] = ()
    wanted: Wanted | None = None

    @classmethod
    def of(cls, config: RunConfig, plugins: Plugins) -> Plan:
        """Look up and build everything that a run needs.

        Raises:
            InvcoreError: an unknown name, a bad setting, a broken plugin, no such device.
        """
        config = config.renamed(plugins.registry.name_of)
        where = {"preset": config.preset, "task": config.task.name}
        parts = {
            slot: build(plugins, slot, choice.name, choice.settings, **where)
            for slot, choice in config.choices.items()
        }
        for name in config.judging:
            plugins.registry.load("metric", name)  # one that is asked for has to be there
        task = with_constraints(parts["task"].component, config.constraints)
        task = with_responses(task, config.responses)
        parts["task"] = replace(parts["task"], component=task)
        wanted = Wanted.of(config, task.responses) if config.want or config.want_file else None
        if wanted is not None and wanted.count is not None:
            config = config.model_copy(update={"targets": wanted.count})
        metrics, problems = metric_parts(
            plugins, config.judging, task, preset=config.preset, task_name=config.task.name
        )
        device = resolve_device(config.device)
        return cls(config, parts, metrics, device, tuple(problems), wanted)

    @property
    def task(self) -> Task[Any]:
        """The task, built."""
        task: Task[Any] = self.parts["task"].component
        return task

    @property
    def method(self) -> InverseMethod[Any]:
        """The method, built."""
        method: InverseMethod[Any] = self.parts["method"].component
        return method

    @cached_property
    def request(self) -> Request:
        """What the pipeline is asked to do."""
        config = self.config
        settings: dict[str, Any] = {
            slot: {"name": p.name, **p.config} for slot, p in self.parts.items()
        }
        if self.task.fingerprint:
            settings["task"]["fingerprint"] = self.task.fingerprint
        apart = {"refine"} if not config.refine else set()  # such runs keep their ids
        apart |= {"device", "metrics", "preset", "want", "want_file", "tolerances"}
        document = config.model_dump(mode="json", exclude=apart | set(OF_TASK)) | settings
        document |= {name: list(texts) for name in OF_TASK if (texts := getattr(config, name))}
        wanted = self.wanted
        document |= {} if wanted is None else wanted.document
        return Request(
            kind="run", task=config.task.name, method=self.parts["method"],
            sampler=self.parts["sampler"], candidates=config.candidates, targets=config.targets,
            seed=config.seed, device=self.device, document=document,
            beside=(self.parts["task"].entry,),
            apart={
                "metrics": dict(config.judging), "preset": config.preset,
                **({} if wanted is None else wanted.facts),
            },
        )  # fmt: skip

    @property
    def id(self) -> str:
        """Of the run."""
        return self.request.id


def problem_of(plan: Plan) -> Problem:
    """What the method may know of the task."""
    task = plan.task
    return Problem(
        plan.config.task.name, task.designs, task.responses, task.differentiable, task.stochastic
    )
