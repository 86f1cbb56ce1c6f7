"""Metrics apart from runs: which judge a run, what code they are, and what numbers they give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from invcore.base.errors import PluginError, UnfitError
from invcore.base.text import one_line
from invcore.pipeline.components import Part, build
from invcore.registry.loader import Plugins
from invcore.registry.metric_code import metric_code
from invcore.storage.run_record import MetricRecord, RunRecord, Scoring

if TYPE_CHECKING:
    from invcore.contracts.metric import Estimate, Evaluation
    from invcore.contracts.task import Task

Settings = Mapping[str, Mapping[str, Any] | bool]


def metric_parts(
    plugins: Plugins, settings: Settings, task: Task[Any] | None, *, preset: str, task_name: str
) -> tuple[dict[str, Part], list[str]]:
    """The metrics that judge a run, by name, and what is wrong with others.

    Args:
        plugins: where they are looked up.
        settings: by metric; false leaves one out.
        task: that they must apply to; None where it is not known.
        preset: of the run.
        task_name: on which presets may depend.

    Raises:
        ConfigError: a wrong setting.
    """
    parts: dict[str, Part] = {}
    problems = []
    entries = plugins.registry.entries("metric")
    for name in dict.fromkeys(entry.component.name for entry in entries):
        own = settings.get(name, True)
        if own is False:
            continue
        try:
            plugins.registry.load("metric", name)
        except PluginError as error:  # one broken metric does not stop all runs
            problems.append(f"left out: {error}")
            continue
        metric = build(
            plugins, "metric", name, own if isinstance(own, Mapping) else None, preset=preset,
            task=task_name,
        )  # fmt: skip
        if task is None or metric.component.applies(task):
            parts[name] = metric
    return parts, problems


def measured(
    metrics: Mapping[str, Part], evaluation: Evaluation, note: Callable[[str], None], *,
    keep_going: bool = True,
) -> tuple[tuple[MetricRecord, ...], dict[str, Scoring]]:  # fmt: skip
    """The numbers of metrics, and how they came about; one that raises gives none.

    Args:
        metrics: by name, built.
        evaluation: what they see of the run.
        note: is told what was left out for a fault, which a user should know.
        keep_going: leave a metric out that fails; off: raise its error.
    """
    numbers: list[MetricRecord] = []
    scoring = {}
    for name, part in metrics.items():
        entry, reason = part.entry, ""
        estimates: list[Estimate] = []
        try:
            estimates = part.component.measure(evaluation)
        except UnfitError as error:  # it has nothing to say of such a run
            reason = one_line(error)
        except Exception as error:  # a metric of others does not cost the run
            if not keep_going:
                raise
            reason = one_line(error)
            note(f"metric {name} left out: {reason}; rescoring tries again")
        numbers += [_recorded(estimate, name) for estimate in estimates]
        scoring[name] = Scoring(
            plugin=entry.plugin, version=entry.version, code=metric_code(entry),
            settings=part.config, created=datetime.now(UTC).isoformat(timespec="seconds"),
            reason=reason,
        )  # fmt: skip
    return tuple(numbers), scoring


def stale(record: RunRecord, metrics: Mapping[str, Part]) -> list[str]:
    """The metrics that have not judged a run yet, or did by another code or other settings."""
    names = []
    for name, part in metrics.items():
        before = record.scoring.get(name)
        if before is None or before.code != metric_code(part.entry):
            names.append(name)
        elif before.settings != part.config:
            names.append(name)
    return names


def merged(
    record: RunRecord, numbers: Iterable[MetricRecord], scoring: Mapping[str, Scoring]
) -> RunRecord:
    """A record with new numbers of some metrics in place of their old ones."""
    kept = [number for number in record.metrics if number.metric not in scoring]
    return record.model_copy(
        update={"metrics": (*kept, *numbers), "scoring": {**record.scoring, **scoring}}
    )


def _recorded(estimate: Estimate, metric: str) -> MetricRecord:
    """An estimate as records have it, where NaN and infinity are no numbers."""
    data = {
        k: None if isinstance(v, float) and not math.isfinite(v) else v
        for k, v in asdict(estimate).items()
    }
    return MetricRecord.parse({**data, "metric": metric, "infinite": estimate.value == math.inf})
