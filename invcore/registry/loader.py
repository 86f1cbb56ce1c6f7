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
from invcore.registry.component import Component
from invcore.registry.registry import Entry, Registry

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
    """

    name: str
    version: str
    entry_point: str
    components: int = 0
    cause: str = ""

    @property
    def status(self) -> str:
        """``ok`` or ``broken``."""
        return "broken" if self.cause else "ok"


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
        label = f"{point.name} = {point.value}"
        key = f"{owner}:{point.name}"  # two distributions may use one entry-point name
        if self._manager.has_plugin(key):
            cause = f"PluginError: {owner} has two entry points named {point.name!r}"
            self.infos.append(PluginInfo(owner, version, label, cause=cause))
            return
        try:
            module = point.load()
            self._manager.register(module, name=key)
            self._check_spelling()
            entries = self._components(key, owner, version)
        except (Exception, SystemExit) as error:  # a plugin may raise anything
            if self._manager.has_plugin(key):
                self._manager.unregister(name=key)
            cause = one_line(error, 300)
            self.infos.append(PluginInfo(owner, version, label, cause=cause))
            self.registry.note(f"(Plugin {owner} is broken: {cause})")
            return
        for entry in entries:
            self.registry.add(entry)
        self.infos.append(PluginInfo(owner, version, label, components=len(entries)))

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


def _origin(point: EntryPoint) -> tuple[str, str, str]:
    """A distribution, the entry point's name, and the version; metadata is slow to parse: once."""
    if point.dist is None:
        return point.value.partition(":")[0], point.name, "?"
    metadata = point.dist.metadata
    return metadata["Name"], point.name, metadata["Version"]
