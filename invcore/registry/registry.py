"""Names and their components: who owns what, and what to say when a name is wrong or taken."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, cast

from invcore.base.component_kinds import KINDS, Kind
from invcore.base.errors import PluginError, UnknownNameError, close_names
from invcore.registry.component import Component
from invcore.registry.requirements import unmet_requirements

_CONTRACTS = {
    "task": "invcore.contracts.task:Task",
    "method": "invcore.contracts.method:InverseMethod",
    "sampler": "invcore.contracts.sampler:Sampler",
    "metric": "invcore.contracts.metric:Metric",
    "executor": "invcore.contracts.executor:Executor",
}


@dataclass(frozen=True)
class Entry:
    """A component and the plugin that owns it.

    Args:
        kind: what it is.
        component: name, summary, target.
        plugin: the distribution that brought it.
        version: of that distribution.
        metric_modules: where the metrics of the same plugin are, and nothing else of it.
    """

    kind: Kind
    component: Component
    plugin: str
    version: str
    metric_modules: frozenset[str] = frozenset()


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
        """All components of a kind, by name."""
        return [entry for _, group in sorted(self._entries[kind].items()) for entry in group]

    def status(self, entry: Entry) -> str:
        """``ok``, or why the component cannot be used by its name."""
        owners = self._owners(entry.kind, entry.component.name)
        return "ok" if len(owners) == 1 else f"name taken by {' and '.join(owners)}"

    def find(self, kind: Kind, name: str) -> Entry:
        """The one component with that name.

        Raises:
            UnknownNameError: nothing has that name; the message has the close ones.
            PluginError: two plugins own it; the message names both.
        """
        if name not in self._entries[kind]:
            message = f"no {kind} {name!r}. {close_names(name, self._entries[kind])}"
            raise UnknownNameError(" ".join([message, *self._notes]))
        owners = self._owners(kind, name)
        if len(owners) > 1:
            raise PluginError(
                f"{kind} {name!r} is claimed by {' and '.join(owners)}: uninstall one of them"
            )
        return self._entries[kind][name][0]

    def load(self, kind: Kind, name: str) -> Any:
        """The class of a component, imported now.

        Raises:
            PluginError: it cannot be imported, or is no class of that kind.
        """
        entry = self.find(kind, name)
        loaded = _class_of(entry)
        contract = Component(kind, kind, _CONTRACTS[kind]).load()
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

    def _owners(self, kind: Kind, name: str) -> list[str]:
        return sorted(e.plugin + " " + e.version for e in self._entries[kind].get(name, []))


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
