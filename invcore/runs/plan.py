"""A run whose names have been looked up: what determines its result, and its identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from invcore.base.component_kinds import Kind
from invcore.base.device import resolve_device
from invcore.base.errors import PluginError
from invcore.configs.run_config import RunConfig
from invcore.contracts.method import InverseMethod
from invcore.contracts.task import Task
from invcore.pipeline.components import Part, build
from invcore.pipeline.request import Request
from invcore.registry.loader import Plugins


@dataclass(frozen=True)
class Plan:
    """A run whose names have been looked up and whose settings are complete.

    Args:
        config: what was asked for.
        parts: task, method and sampler by slot, built.
        metrics: those that apply to the task, by name, built.
        device: where.
        problems: metrics that cannot be loaded, and why.
    """

    config: RunConfig
    parts: dict[Kind, Part]
    metrics: dict[str, Part]
    device: torch.device
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: RunConfig, plugins: Plugins) -> Plan:
        """Look up and build everything that a run needs.

        Raises:
            InvcoreError: an unknown name, a bad setting, a broken plugin, no such device.
        """
        where = {"preset": config.preset, "task": config.task.name}
        parts = {
            slot: build(plugins, slot, choice.name, choice.settings, **where)
            for slot, choice in config.choices.items()
        }
        for name in config.metrics:
            plugins.registry.load("metric", name)  # one that is asked for has to be there
        metrics: dict[str, Part] = {}
        problems = []
        entries = plugins.registry.entries("metric")
        for name in dict.fromkeys(entry.component.name for entry in entries):
            try:
                plugins.registry.load("metric", name)
            except PluginError as error:  # one broken metric does not stop all runs
                problems.append(f"left out: {error}")
                continue
            metric = build(plugins, "metric", name, config.metrics.get(name), **where)
            if metric.component.applies(parts["task"].component):
                metrics[name] = metric
        return cls(config, parts, metrics, resolve_device(config.device), tuple(problems))

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

    @property
    def request(self) -> Request:
        """What the pipeline is asked to do."""
        config = self.config
        settings: dict[str, Any] = {
            slot: {"name": p.name, **p.config} for slot, p in self.parts.items()
        }
        if self.task.fingerprint:
            settings["task"]["fingerprint"] = self.task.fingerprint
        document = config.model_dump(mode="json", exclude={"device", "metrics", "preset"})
        metrics = {name: metric.config for name, metric in self.metrics.items()}
        return Request(
            kind="run", task=config.task.name, method=self.parts["method"],
            sampler=self.parts["sampler"], candidates=config.candidates, targets=config.targets,
            seed=config.seed, device=self.device,
            document={**document, **settings, "metrics": metrics},
            beside=(self.parts["task"].entry, *(metric.entry for metric in self.metrics.values())),
        )  # fmt: skip

    @property
    def id(self) -> str:
        """Of the run."""
        return self.request.id
