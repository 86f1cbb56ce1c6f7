"""A run whose names have been looked up: what determines its result, and its identity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from invcore.base.device import resolve_device
from invcore.base.errors import PluginError
from invcore.configs.run_config import Choice, RunConfig
from invcore.contracts.method import InverseMethod
from invcore.contracts.metric import Metric
from invcore.contracts.sampler import Sampler
from invcore.contracts.task import Task
from invcore.registry.loader import Plugins
from invcore.registry.registry import Entry
from invcore.registry.versions import versions_of
from invcore.storage.json_text import identity


@dataclass(frozen=True)
class Plan:
    """A run whose names have been looked up and whose settings are complete.

    Args:
        config: what was asked for.
        task: built.
        method: built.
        sampler: built.
        metrics: built, by name.
        device: where.
        versions: of invcore, of all plugins that take part, and of what these share.
        owners: the plugins that bring the task, the method and the sampler.
        problems: metrics that cannot be loaded, and why.
    """

    config: RunConfig
    task: Task[Any]
    method: InverseMethod[Any]
    sampler: Sampler[Any]
    metrics: dict[str, Metric[Any]]
    device: torch.device
    versions: dict[str, str]
    owners: dict[str, str]
    problems: tuple[str, ...] = ()

    @classmethod
    def of(cls, config: RunConfig, plugins: Plugins) -> Plan:
        """Look up and build everything that a run needs.

        Raises:
            InvcoreError: an unknown name, a bad setting, a broken plugin, no such device.
        """
        registry, taking_part = plugins.registry, list[Entry]()
        owners: dict[str, str] = {}

        def build(kind: Any, name: str, settings: dict[str, Any]) -> Any:
            where = f"{kind} {name!r}"
            component = registry.load(kind, name)
            return component(
                component.Config.resolve(
                    settings, preset=config.preset, task=config.task.name, where=where
                )
            )

        def part(kind: Any, choice: Choice) -> Any:
            built = build(kind, choice.name, choice.settings)
            entry = registry.find(kind, choice.name)
            taking_part.append(entry)
            owners[kind] = entry.plugin
            return built

        task: Task[Any] = part("task", config.task)
        method, sampler = part("method", config.method), part("sampler", config.sampler)
        for name in config.metrics:
            registry.load("metric", name)  # one that is asked for has to be there
        metrics: dict[str, Metric[Any]] = {}
        problems = []
        for name in dict.fromkeys(entry.component.name for entry in registry.entries("metric")):
            try:
                registry.load("metric", name)
            except PluginError as error:  # one broken metric does not stop all runs
                problems.append(f"left out: {error}")
                continue
            metric: Metric[Any] = build("metric", name, config.metrics.get(name, {}))
            if metric.applies(task):
                metrics[name] = metric
                taking_part.append(registry.find("metric", name))
        return cls(
            config,
            task,
            method,
            sampler,
            metrics,
            resolve_device(config.device),
            versions_of(taking_part),
            owners,
            tuple(problems),
        )

    def resolved(self) -> dict[str, Any]:
        """All that determines the result, as plain data."""

        def settings(name: str, component: Any) -> dict[str, Any]:
            return {"name": name, **component.config.model_dump(mode="json")}

        task = settings(self.config.task.name, self.task)
        if self.task.fingerprint:
            task["fingerprint"] = self.task.fingerprint
        return {
            **self.config.model_dump(mode="json", exclude={"device", "metrics", "preset"}),
            "task": task,
            "method": settings(self.config.method.name, self.method),
            "sampler": settings(self.config.sampler.name, self.sampler),
            "metrics": {
                name: metric.config.model_dump(mode="json") for name, metric in self.metrics.items()
            },
            "device": self.device.type,
            "versions": self.versions | {"torch": torch.__version__},
        }

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that stand for ``resolved``."""
        return identity(self.resolved())
