"""Components from their names and settings: the one place that looks them up and builds them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from invcore.base.component_kinds import Kind
from invcore.configs.configurable import Configurable
from invcore.registry.loader import Plugins
from invcore.registry.registry import Entry

C = TypeVar("C", bound=Configurable[Any])


@dataclass(frozen=True)
class Part:
    """A component that takes part in a piece of work.

    Args:
        entry: its name, and the plugin that brings it.
        component: built.
    """

    entry: Entry
    component: Any

    @property
    def name(self) -> str:
        """What people type."""
        return self.entry.component.name

    @property
    def config(self) -> dict[str, Any]:
        """Its complete settings, as plain data."""
        settings: dict[str, Any] = self.component.config.model_dump(mode="json")
        return settings


def build(
    plugins: Plugins, kind: Kind, name: str, settings: Mapping[str, Any] | None = None, *,
    preset: str = "default", task: str = "",
) -> Part:  # fmt: skip
    """Look a component up, and build it from a preset and settings.

    Args:
        plugins: where names are looked up.
        kind: of the component.
        name: what people type.
        settings: over the preset; plain data.
        preset: ``quick``, ``default`` or ``paper``.
        task: name of the task, for presets that depend on it.

    Raises:
        UnknownNameError: nothing has that name.
        PluginError: two plugins claim it, or it cannot be loaded.
        ConfigError: a wrong setting.

    Example:
        >>> from invcore.plugin import installed
        >>> build(installed(), "sampler", "lhs").config
        {}
    """
    component = plugins.registry.load(kind, name)
    instance = configured(component, f"{kind} {name!r}", settings, preset=preset, task=task)
    return Part(plugins.registry.find(kind, name), instance)


def rebuild(
    plugins: Plugins, kind: Kind, name: str, config: Mapping[str, Any], *, where: str
) -> Part:
    """A component from its complete settings, as ``Part.config`` gave them: no preset applies.

    Raises:
        ConfigError: a wrong setting; the message begins with ``where``, the file.
    """
    component = plugins.registry.load(kind, name)
    instance = component(component.Config.parse(config, where=where))
    return Part(plugins.registry.find(kind, name), instance)


def configured(
    component: type[C], where: str, settings: Mapping[str, Any] | None = None, *,
    preset: str = "default", task: str = "",
) -> C:  # fmt: skip
    """An instance of a component's class, from a preset and settings.

    Raises:
        ConfigError: a wrong setting; the message begins with ``where``.
    """
    config = component.Config.resolve(settings or {}, preset=preset, task=task, where=where)
    return component(config)
