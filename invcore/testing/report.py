"""What ``invcore check-plugin`` does: find the components, run their checks, report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from invcore.base.component_kinds import KINDS, Kind
from invcore.base.errors import ConfigError, PluginError, UnknownNameError, close_names
from invcore.base.progress import Progress
from invcore.configs.config import Config, merge
from invcore.configs.settings import apply_settings
from invcore.registry.loader import Plugins
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.catalogue import CHECKS
from invcore.testing.check import Outcome, run_checks


@dataclass(frozen=True)
class Report:
    """The outcomes of one component.

    Args:
        kind: of the component.
        name: of the component.
        plugin: that it belongs to.
        outcomes: one for each check.
    """

    kind: Kind
    name: str
    plugin: str
    outcomes: tuple[Outcome, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return all(outcome.result != "failed" for outcome in self.outcomes)

    def document(self) -> dict[str, Any]:
        """The report as ``--json`` prints it."""
        checks = [
            {"check": o.check.name, "meaning": o.check.meaning, "outcome": o.result, "why": o.why}
            for o in self.outcomes
        ]
        facts = {"kind": self.kind, "name": self.name, "plugin": self.plugin}
        return facts | {"passed": self.passed, "checks": checks}


def check_plugin(
    what: str, plugins: Plugins, settings: Sequence[str] = (), progress: Progress | None = None
) -> Iterable[Report]:
    """Check what is installed, one component after another.

    Args:
        what: a distribution (all its components), or ``KIND/NAME``.
        plugins: where it is looked up.
        settings: ``key=value``, for each component that has that field.
        progress: shows how many checks are done.

    Returns:
        A report for each component, as it is ready.

    Raises:
        UnknownNameError: there is no such distribution or component.
        PluginError: the plugin is broken, or brings no components.
        ConfigError: a malformed setting, or one that no component has.
    """
    subjects = _subjects(what, plugins)
    changes = [(text, _parse(text)) for text in settings]
    for text, value in changes:
        names = {name for s in subjects for name in s[1].component.Config.model_fields}
        key = next(iter(value))
        if key not in names:
            raise ConfigError(f"setting {text!r}: no field {key!r}. {close_names(key, names)}")
    values, bars = [value for _, value in changes], progress or Progress()
    return (_report(plugin, subject, values, bars) for plugin, subject in subjects)


def _subjects(what: str, plugins: Plugins) -> list[tuple[str, Subject]]:
    """Each with its plugin's name."""
    registry = plugins.registry
    kind, slash, name = what.partition("/")
    if slash:
        if kind not in KINDS:
            raise UnknownNameError(f"{what!r}: no kind {kind!r}. {close_names(kind, KINDS)}")
        entries = [registry.find(kind, name)]
    else:
        own = [info for info in plugins.infos if info.name == what]
        if not own:
            names = {info.name for info in plugins.infos}
            raise UnknownNameError(
                f"no plugin {what!r} is installed. {close_names(what, names)} "
                "A component is KIND/NAME, for instance method/na."
            )
        for broken in (info for info in own if info.cause):
            raise PluginError(broken.complaint)
        entries = [e for k in KINDS for e in registry.entries(k) if e.plugin == what]
        if not entries:
            raise PluginError(f"plugin {what} brings no components: there is nothing to check")
    return [
        (e.plugin, Subject.of(e.kind, e.component.name, registry.load(e.kind, e.component.name)))
        for e in entries
    ]


def _parse(text: str) -> dict[str, Any]:
    """``a.b=1`` as nested plain data; any slot of a run would read it so."""
    settings: dict[str, Any] = apply_settings({}, [f"method.{text}"], {})["method"]["settings"]
    return settings


def _report(
    plugin: str, subject: Subject, settings: list[dict[str, Any]], progress: Progress
) -> Report:
    config: type[Config] = subject.component.Config
    own: dict[str, Any] = {}
    for setting in settings:
        if next(iter(setting)) in config.model_fields:
            own = merge(own, setting)
    config.resolve(own, preset=subject.preset, where=f"{subject.kind} {subject.name!r}")
    subject = Subject.of(subject.kind, subject.name, subject.component, settings=own)
    checks, outcomes = CHECKS[subject.kind], []
    with progress.stage(f"{subject.kind} {subject.name}", len(checks)) as stage:
        for outcome in run_checks(checks, subject):
            outcomes.append(outcome)
            stage.advance()
    return Report(subject.kind, subject.name, plugin, tuple(outcomes))
