"""What ``invcore check-plugin`` does: find the components, run their checks, report."""

import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from invcore.base.component_kinds import KINDS, Kind
from invcore.base.errors import ConfigError, PluginError, UnknownNameError, close_names
from invcore.base.progress import Progress
from invcore.configs.config import Config, merge
from invcore.configs.settings import apply_settings
from invcore.registry.loader import Plugins
from invcore.testing.cases.component_under_test import Subject
from invcore.testing.catalogue import CHECKS
from invcore.testing.check import Outcome, run_checks
from invcore.testing.expected_failures import expected_failures


@dataclass(frozen=True)
class Report:
    """The outcomes of one component.

    Args:
        kind: of the component.
        name: of the component.
        plugin: that it belongs to.
        outcomes: one for each check that was run.
        not_run: the names of the checks after the failure that ended it.
        strict: whether poor quality is a failure.
    """

    kind: Kind
    name: str
    plugin: str
    outcomes: tuple[Outcome, ...]
    not_run: tuple[str, ...] = ()
    strict: bool = False

    @property
    def conforms(self) -> bool:
        """Whether it keeps its contract, as far as that was checked."""
        return all(o.result != "failed" or o.poor for o in self.outcomes)

    @property
    def quality(self) -> Literal["good", "poor", "unknown"]:
        """What the checks of quality say; unknown if none applies, or none came to an end."""
        if any(outcome.poor for outcome in self.outcomes):
            return "poor"
        own = [o.result for o in self.outcomes if o.check.category == "quality"]
        clear = "passed" in own and not {"failed", "expected failure"} & set(own)
        return "good" if clear and not self.not_run else "unknown"

    @property
    def passed(self) -> bool:
        """Whether it conforms, and, if that counts, its quality is not poor."""
        return self.conforms and not (self.strict and self.quality == "poor")

    @property
    def causes(self) -> dict[str, tuple[str, ...]]:
        """The checks that a failure is reported for, each with those that its cause stops too."""
        failed = [o for o in self.outcomes if o.result == "failed"]
        return {
            first.check.name: tuple(
                o.check.name for o in failed if o.stopped and o.cause == first.check.name
            )
            for first in failed
            if not first.stopped
        }

    def document(self, *, debug: bool = False) -> dict[str, Any]:
        """The report as ``--json`` prints it; with tracebacks of what was raised, if asked for."""
        why = {o.check.name: o.why for o in self.outcomes}
        return {
            "kind": self.kind, "name": self.name, "plugin": self.plugin, "passed": self.passed,
            "conforms": self.conforms, "quality": self.quality,
            "causes": [
                {"check": check, "why": why[check], "stops": list(stopped)}
                for check, stopped in self.causes.items()
            ],
            "checks": [_row(outcome, debug) for outcome in self.outcomes],
            "not_run": list(self.not_run),
        }  # fmt: skip


def _row(o: Outcome, debug: bool) -> dict[str, Any]:
    row = {
        "check": o.check.name, "meaning": o.check.meaning, "category": o.check.category,
        "outcome": o.result, "why": o.why, "cause": o.cause,
    }  # fmt: skip
    return row | ({"traceback": traceback_of(o)} if debug and o.error is not None else {})


def traceback_of(outcome: Outcome) -> str:
    """Where what a component raised came from, as Python shows it; empty if nothing was raised."""
    return "" if outcome.error is None else "".join(traceback.format_exception(outcome.error))


def check_plugin(
    what: str, plugins: Plugins, settings: Sequence[str] = (), progress: Progress | None = None,
    *, fail_fast: bool = False, strict: bool = False,
) -> Iterator[Report]:  # fmt: skip
    """Check what is installed, one component after another.

    Args:
        what: a distribution (all its components), or ``KIND/NAME``.
        plugins: where it is looked up.
        settings: ``key=value``, for each component that has that field.
        progress: shows how many checks are done.
        fail_fast: whether the first failure ends it all.
        strict: whether poor quality is a failure.

    Returns:
        A report for each component, as it is ready.

    Raises:
        UnknownNameError: there is no such distribution or component.
        PluginError: the plugin is broken, brings no components, or has ``expected_failures`` that
            name no check, or one that cannot be excused.
        ConfigError: a malformed setting, or one that no component has.
    """
    subjects = _subjects(what, plugins)
    changes = [(text, _parse(text)) for text in settings]
    for text, value in changes:
        names = {name for s in subjects for name in s[1].component.Config.model_fields}
        key = next(iter(value))
        if key not in names:
            raise ConfigError(f"setting {text!r}: no field {key!r}. {close_names(key, names)}")
    for _, subject in subjects:
        expected_failures(subject.component, CHECKS[subject.kind])
    values, bars = [value for _, value in changes], progress or Progress()
    return _reports(subjects, values, bars, fail_fast, strict)


def _reports(
    subjects: list[tuple[str, Subject]], settings: list[dict[str, Any]], progress: Progress,
    fail_fast: bool, strict: bool,
) -> Iterator[Report]:  # fmt: skip
    for plugin, subject in subjects:
        report = _report(plugin, subject, settings, progress, fail_fast, strict)
        yield report
        if fail_fast and not report.passed:
            return


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
    plugin: str, subject: Subject, settings: list[dict[str, Any]], progress: Progress,
    fail_fast: bool, strict: bool,
) -> Report:  # fmt: skip
    config: type[Config] = subject.component.Config
    own: dict[str, Any] = {}
    for setting in settings:
        if next(iter(setting)) in config.model_fields:
            own = merge(own, setting)
    config.resolve(own, preset=subject.preset, where=f"{subject.kind} {subject.name!r}")
    subject = Subject.of(subject.kind, subject.name, subject.component, settings=own)
    checks = CHECKS[subject.kind]
    outcomes: list[Outcome] = []
    expected = expected_failures(subject.component, checks)
    with progress.stage(f"{subject.kind} {subject.name}", len(checks)) as stage:
        for outcome in run_checks(checks, subject, expected):
            outcomes.append(outcome)
            stage.advance()
            if fail_fast and outcome.result == "failed" and (strict or not outcome.poor):
                break
    rest = tuple(check.name for check in checks[len(outcomes) :])
    return Report(subject.kind, subject.name, plugin, tuple(outcomes), rest, strict)
