"""The versions that a result depends on."""

import re
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version

import invcore
from invcore.registry.registry import Entry


def versions_of(entries: Iterable[Entry]) -> dict[str, str]:
    """The versions of invcore, of components' plugins, and of what these share.

    Where a plugin requires a distribution that requires invcore itself, as `invcore-inn` requires
    `invcore-invertible`, its results are made by that one too; so are they by a library that the
    plugin requires and the core does not.

    Args:
        entries: components that take part.

    Returns:
        By the names of distributions, in their order.

    Example:
        >>> from invcore.plugin import installed
        >>> method = installed().registry.find("method", "inn")
        >>> sorted(versions_of([method]))
        ['freia', 'invcore', 'invcore-inn', 'invcore-invertible']
    """
    versions = {"invcore": invcore.__version__}
    for entry in entries:
        for plugin in (entry.plugin, *shared_of(entry.plugin)):
            versions |= _foreign(plugin)
        versions |= shared_of(entry.plugin) | {entry.plugin: entry.version}
    return dict(sorted(versions.items()))


@cache
def shared_of(plugin: str) -> dict[str, str]:
    """The versions of what a plugin shares with others: what it requires that requires invcore."""
    versions: dict[str, str] = {}
    waiting = [plugin]
    while waiting:
        for name in _required(waiting.pop()) - versions.keys():
            if "invcore" in _required(name):
                versions[name] = version(name)
                waiting.append(name)
    return versions


@cache
def _foreign(plugin: str) -> dict[str, str]:
    """The versions of what a plugin itself requires of others, beside what the core does."""
    versions = {}
    for name in _required(plugin) - _required("invcore") - {"invcore"}:
        with suppress(PackageNotFoundError):  # a requirement of another system
            versions[name] = version(name)
    return versions


@cache
def _required(distribution: str) -> frozenset[str]:
    """What a distribution requires, but for extras; nothing if it is not installed as one."""
    try:
        lines = requires(distribution) or []
    except PackageNotFoundError:
        return frozenset()
    names = (re.match(r"[\w.-]+", line) for line in lines if "extra ==" not in line)
    return frozenset(name[0].lower().replace("_", "-") for name in names if name)
