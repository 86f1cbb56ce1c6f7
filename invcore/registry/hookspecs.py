"""What a plugin can add. Each hook returns what it adds; nothing registers itself on import."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from invcore.contracts.events import Event
    from invcore.registry.component import Component

hookspec = pluggy.HookspecMarker("invcore")
hookimpl = pluggy.HookimplMarker("invcore")


@hookspec
def invcore_tasks() -> list[Component]:  # type: ignore[empty-body]
    """Return the tasks that this plugin adds: forward systems with spaces of designs, responses."""


@hookspec
def invcore_methods() -> list[Component]:  # type: ignore[empty-body]
    """Return the inverse methods that this plugin adds."""


@hookspec
def invcore_loops() -> list[Component]:  # type: ignore[empty-body]
    """Return the loops that this plugin adds: searches that ask and are told; methods too."""


@hookspec
def invcore_surrogates() -> list[Component]:  # type: ignore[empty-body]
    """Return the surrogates that this plugin adds: models that stand in for the simulator."""


@hookspec
def invcore_judges() -> list[Component]:  # type: ignore[empty-body]
    """Return the judges that this plugin adds: who says how good designs are on a table."""


@hookspec
def invcore_samplers() -> list[Component]:  # type: ignore[empty-body]
    """Return the samplers that this plugin adds: points in the unit cube that drive methods."""


@hookspec
def invcore_metrics() -> list[Component]:  # type: ignore[empty-body]
    """Return the metrics that this plugin adds."""


@hookspec
def invcore_executors() -> list[Component]:  # type: ignore[empty-body]
    """Return the executors that this plugin adds: ways to run many runs."""


@hookspec
def invcore_commands(group: click.Group) -> None:
    """Add commands to the command line; import what is heavy inside the command."""


@hookspec
def invcore_on_event(event: Event) -> None:
    """See a run's life: started, stage ended, finished. An error here is reported, never fatal."""
