"""Names and their components: who owns what, and what to say when a name is wrong or taken."""

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, cast

from invcore.base.component_kinds import KINDS, Kind
from invcore.base.errors import PluginError, UnknownNameError, close_names
from invcore.registry.component import SEPARATOR, Component
from invcore.registry.requirements import unmet_requirements

_CONTRACTS = {
    "task": "invcore.contracts.task:Task",
    "method": "invcore.contracts.method:InverseMethod",
    "loop": "invcore.contracts.loop:Loop",
    "surrogate": "invcore.contracts.surrogate:SurrogateModel",
    "judge": "invcore.contracts.judge:Judge",
    "sampler": "invcore.contracts.sampler:Sampler",
    "metric": "invcore.contracts.metric:Metric",
    "executor": "invcore.contracts.executor:Executor",
}


@dataclass(frozen=True)
class Entry:
    """A component and the plugin that owns it.

    Args:
        kind: what it is.
        component: name, summary, target. Where another plugin has the same name, the registry gives
            it with the qualified one, ``plugin:name``.
        plugin: the distribution that brought it.
        version: of that distribution.
        metric_modules: where the metrics of the same plugin are, and nothing else of it.
    """

    kind: Kind
    component: Component
    plugin: str
    version: str
    metric_modules: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """As its plugin calls it, whoever else has that name."""
        return self.component.name.rpartition(SEPARATOR)[2]

    @property
    def qualified(self) -> str:
        """The name with the plugin before it, which is good everywhere."""
        return f"{self.plugin}{SEPARATOR}{self.name}"


class Registry:
    """All components of all plugins.

    Example:
        >>> registry = Registry()
        >>> entry = Entry("method", Component("na", "Neural adjoint.", "a.b:C"), "invcore-na", "1")
        >>> registry.add(entry)
        >>> registry.find("method", "na").plugin
        'invcore-na'
    """

    def __init__(self) -> None:
        self._entries: dict[Kind, dict[str, list[Entry]]] = {
            kind: defaultdict(list) for kind in KINDS
        }
        self._notes: list[str] = []

    def add(self, entry: Entry) -> None:
        """Add a component; one name with two owners is kept, to be an error when it is used."""
        self._entries[entry.kind][entry.component.name].append(entry)

    def note(self, text: str) -> None:
        """Remember something to say when a name is not found: a broken plugin and its cause."""
        self._notes.append(text)

    def entries(self, kind: Kind) -> list[Entry]:
        """All components of a kind, by name; each has the name that people type."""
        return [_typed(entry, group) for _, group in self._groups(kind) for entry in group]

    def status(self, entry: Entry) -> str:
        """``ok``, or why the component cannot be used by its name alone."""
        owners = _owners(self._entries[entry.kind].get(entry.name, []))
        return "ok" if len(owners) == 1 else f"name taken by {' and '.join(owners)}"

    def clashes(self, kind: Kind) -> list[str]:
        """A line for each name that several plugins claim: who they are, and what to type."""
        return [_clash(kind, name, group) for name, group in self._groups(kind) if len(group) > 1]

    def find(self, kind: Kind, name: str) -> Entry:
        """The one component with that name, or with that qualified name: ``plugin:name``.

        Its ``component.name`` is the shortest name that is its alone, however it was asked for.

        Raises:
            UnknownNameError: nothing has that name; the message has the close ones.
            PluginError: two plugins own it; the message has the qualified names.
        """
        plugin, _, bare = name.rpartition(SEPARATOR)
        group = self._entries[kind].get(bare, [])
        own = [e for e in group if not plugin or _canonical(e.plugin) == _canonical(plugin)]
        if not own:
            choices = [e.qualified for e in group] if plugin else [*self._entries[kind]]
            close = close_names(name, choices or self._entries[kind])
            raise UnknownNameError(" ".join([f"no {kind} {name!r}. {close}", *self._notes]))
        if len(own) > 1:
            raise PluginError(_clash(kind, bare, own))
        return _typed(own[0], group)

    def name_of(self, kind: Kind, name: str) -> str:
        """The shortest name that a component has alone, for the one that was typed.

        Raises:
            UnknownNameError: nothing has that name.
            PluginError: two plugins own it.
        """
        return self.find(kind, name).component.name

    def load(self, kind: Kind, name: str) -> Any:
        """The class of a component, imported now.

        Raises:
            PluginError: it cannot be imported, or is no class of that kind.
        """
        entry = self.find(kind, name)
        loaded = _class_of(entry)
        if kind == "method":  # every loop is one
            loaded = as_method(loaded)
        contract = _contract(kind)
        if not (isinstance(loaded, type) and issubclass(loaded, contract)):
            raise PluginError(
                f"{kind} {name!r} of {entry.plugin}: {entry.component.target} is not a "
                f"{contract.__name__} subclass"
            )
        missing = sorted(getattr(loaded, "__abstractmethods__", ()))
        if missing:
            raise PluginError(
                f"{kind} {name!r} of {entry.plugin}: {loaded.__name__} does not define "
                f"{', '.join(missing)}"
            )
        clashes = {"name", "settings"} & set(cast(Any, loaded).Config.model_fields)
        if clashes:  # a run's file says `name` beside the fields
            raise PluginError(
                f"{kind} {name!r} of {entry.plugin}: a config cannot have a field {min(clashes)!r}"
            )
        return loaded

    def _groups(self, kind: Kind) -> list[tuple[str, list[Entry]]]:
        return sorted(self._entries[kind].items())


def _typed(entry: Entry, group: list[Entry]) -> Entry:
    """An entry by the name that people type, given all that have its own."""
    if len(group) == 1:
        return entry
    return replace(entry, component=entry.component.qualified(entry.plugin))


def _owners(group: list[Entry]) -> list[str]:
    return sorted(e.plugin + " " + e.version for e in group)


def _clash(kind: Kind, name: str, group: list[Entry]) -> str:
    """What to say of a name that several have."""
    owners, names = _owners(group), sorted({e.qualified for e in group})
    if len(names) == 1:  # one plugin, which the names cannot tell apart
        return f"{kind} {name!r} is twice in {owners[0]}: tell its authors"
    return f"{kind} {name!r} is claimed by {' and '.join(owners)}: say {' or '.join(names)}"


def _canonical(distribution: str) -> str:
    """A distribution's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _class_of(entry: Entry) -> Any:
    """The class of a component; where it cannot be imported, what its plugin lacks is said too."""
    try:
        return entry.component.load()
    except PluginError as error:
        lacks = unmet_requirements(entry.plugin)
        if not (isinstance(error.__cause__, ImportError) and lacks):
            raise
        reasons = "; ".join(f"{entry.plugin} {unmet}" for unmet in lacks)
        raise PluginError(f"{error} ({reasons})") from error.__cause__


@cache
def _contract(kind: Kind) -> Any:
    """The class that all components of a kind are made from."""
    return Component(kind, kind, _CONTRACTS[kind]).load()


def as_method(loaded: Any) -> Any:
    """A class, or the inverse method that it is if it is a loop."""
    from invcore.contracts.loop import Loop  # here: listings need no torch
    from invcore.search.loop_method import method_of

    return method_of(loaded) if isinstance(loaded, type) and issubclass(loaded, Loop) else loaded
