"""Loading plugins: the only module that builds a plugin manager. A broken one stops no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

import pluggy

from invcore.base.component_kinds import KINDS, Kind
from invcore.base.errors import PluginError
from invcore.base.text import one_line
from invcore.registry import hookspecs
from invcore.registry.api_version import API_VERSION, api_version, api_version_in_source, other_api
from invcore.registry.component import Component
from invcore.registry.import_limit import importing
from invcore.registry.registry import Entry, Registry
from invcore.registry.requirements import unmet_requirements

if TYPE_CHECKING:
    import click

    from invcore.contracts.events import Event

GROUP = "invcore"
_HOOKS: dict[str, Kind] = {f"invcore_{kind}s": kind for kind in KINDS}


@dataclass(frozen=True)
class PluginInfo:
    """A plugin, and how its loading went.

    Args:
        name: of the distribution.
        version: of the distribution.
        entry_point: ``name = module``.
        components: how many it brought.
        cause: why it cannot be used; empty when all is well.
        api: the ``API_VERSION`` that it was written for; None where that is not known.
    """

    name: str
    version: str
    entry_point: str
    components: int = 0
    cause: str = ""
    api: int | None = None

    @property
    def status(self) -> str:
        """``ok``, ``other API``, or ``broken``."""
        if self.api not in (None, API_VERSION):
            return "other API"
        return "broken" if self.cause else "ok"

    @property
    def complaint(self) -> str:
        """One line that says why it cannot be used; empty when all is well."""
        if not self.cause:
            return ""
        word = "was" if self.status == "other API" else "is broken:"
        return f"plugin {self.name} {self.version} {word} {self.cause}"


class Plugins:
    """The plugins of this environment.

    Args:
        points: entry points to load; those installed, unless a test says otherwise.
    """

    def __init__(self, points: Iterable[EntryPoint] | None = None) -> None:
        self._manager = pluggy.PluginManager("invcore")
        self._manager.add_hookspecs(hookspecs)
        self.registry = Registry()
        self.infos: list[PluginInfo] = []
        points = entry_points(group=GROUP) if points is None else points
        origins = sorted(((*_origin(p), p) for p in points), key=lambda origin: origin[:2])
        for owner, _, version, point in origins:
            self._load(point, owner, version)

    def _load(self, point: EntryPoint, owner: str, version: str) -> None:
        info = PluginInfo(owner, version, f"{point.name} = {point.value}")
        key = f"{owner}:{point.name}"  # two distributions may use one entry-point name
        if self._manager.has_plugin(key):
            cause = f"PluginError: {owner} has two entry points named {point.name!r}"
            self.infos.append(replace(info, cause=cause))
            return
        try:
            with importing(point.module):
                module = point.load()
            info = replace(info, api=api_version(module))
            if info.api == API_VERSION:
                self._manager.register(module, name=key)
                self._check_spelling()
                entries = self._components(key, owner, version)
        except (Exception, SystemExit) as error:  # a plugin may raise anything
            if self._manager.has_plugin(key):
                self._manager.unregister(name=key)
            # Where an old name is gone, the number says more than that it is gone.
            api = api_version_in_source(point.module) if info.api is None else info.api
            info = replace(info, api=api, cause=_cause(error, owner))
        if info.api not in (None, API_VERSION):
            info = replace(info, cause=other_api(owner, info.api))
        if info.cause:
            self.infos.append(info)
            self.registry.note(f"({info.complaint[0].upper()}{info.complaint[1:]})")
            return
        for entry in entries:
            self.registry.add(entry)
        self.infos.append(replace(info, components=len(entries)))

    def _check_spelling(self) -> None:
        """Pluggy passes over a misspelt hook unless asked."""
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            hooks = ", ".join(name for name in vars(hookspecs) if name.startswith("invcore_"))
            raise PluginError(f"{error}; the hooks are {hooks}") from None

    def _components(self, key: str, owner: str, version: str) -> list[Entry]:
        entries = []
        for hook, kind in _HOOKS.items():
            for function in self._implementations(hook, key):
                for component in function() or []:
                    if not isinstance(component, Component):
                        raise PluginError(
                            f"{hook} returned {type(component).__name__}, expected Components"
                        )
                    entries.append(Entry(kind, component, owner, version))
                    if kind == "loop":
                        entries.append(Entry("method", component, owner, version))
        modules: dict[bool, set[str]] = {True: set(), False: set()}
        for entry in entries:
            modules[entry.kind == "metric"].add(entry.component.target.partition(":")[0])
        metrics = frozenset(modules[True] - modules[False])
        return [replace(entry, metric_modules=metrics) for entry in entries]

    def _implementations(self, hook: str, key: str | None = None) -> list[Callable[..., Any]]:
        caller = getattr(self._manager.hook, hook)
        return [
            implementation.function
            for implementation in caller.get_hookimpls()
            if key is None or implementation.plugin_name == key
        ]

    def add_commands(self, group: click.Group) -> list[str]:
        """Let plugins add their commands; the names of plugins that failed, with the cause."""
        return self._each("invcore_commands", group)

    def emit(self, event: Event) -> list[str]:
        """Show an event to all plugins; the names of those that failed, with the cause."""
        return self._each("invcore_on_event", event)

    def _each(self, hook: str, argument: Any) -> list[str]:
        problems = []
        caller = getattr(self._manager.hook, hook)
        for implementation in caller.get_hookimpls():
            try:  # one call each: a plain hook call dies with the first bad implementation
                arguments = [argument][: len(implementation.argnames)]
                implementation.function(*arguments)
            except Exception as error:
                name = implementation.plugin_name
                problems.append(f"plugin {name}: {hook} raised {one_line(error)}")
        return problems


@cache
def installed() -> Plugins:
    """The plugins installed in this environment, loaded once."""
    return Plugins()


def _cause(error: BaseException, owner: str) -> str:
    """Why a plugin cannot be used; where an import failed, what it lacks too."""
    lacks = unmet_requirements(owner) if isinstance(error, ImportError) else ()
    return "; ".join([one_line(error, 300), *(f"{owner} {unmet}" for unmet in lacks)])


def _origin(point: EntryPoint) -> tuple[str, str, str]:
    """A distribution, the entry point's name, and the version; metadata is slow to parse: once."""
    if point.dist is None:
        return point.value.partition(":")[0], point.name, "?"
    metadata = point.dist.metadata
    return metadata["Name"], point.name, metadata["Version"]
