"""What this package adds to invcore."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invcore import Component, hookimpl

API_VERSION = 1

if TYPE_CHECKING:
    import click


@hookimpl
def invcore_tasks() -> list[Component]:
    """The task ``proxy``."""
    return [
        Component(
            "proxy",
            "An ensemble of networks that learnt a simulator or a table: --task my-task/.",
            "invcore_proxy.task:ProxyTask",
            references=("Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919",),
            tags=("proxy", "data", "table"),
        )
    ]


@hookimpl
def invcore_commands(group: click.Group) -> None:
    """``proxy``; what is heavy is imported when it is called."""
    from invcore_proxy.commands import proxy

    group.add_command(proxy)
