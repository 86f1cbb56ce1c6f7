"""What a plugin says of a component, without importing it."""

import importlib
import re
import sys
from copy import copy
from dataclasses import dataclass
from typing import Any

from invcore.base.errors import PluginError
from invcore.base.text import one_line
from invcore.registry.import_limit import importing

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
# Between a distribution and a name: neither can hold a colon. A slash is a task's folder, or that
# of KIND/NAME; a dot stands in keys of settings, and in names of distributions; a space or # would
# have to be quoted somewhere. zsh and fish complete it; bash does until the colon is typed, and
# would stop at @ as well.
SEPARATOR = ":"
_TARGET = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Component:
    """A named part of a plugin; its class is imported on first use.

    Args:
        name: what people type, for instance ``neural-adjoint``.
        summary: one line for the listings.
        target: ``package.module:Class``.
        references: papers or pages that it comes from.
        tags: words to find it by.

    Raises:
        PluginError: the name or the target is not of that form, the summary is empty, or
            ``references`` or ``tags`` is one text.

    Example:
        >>> Component("na", "Neural adjoint.", "invcore_na.method:NeuralAdjoint").name
        'na'
    """

    name: str
    summary: str
    target: str
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise PluginError(
                f"component name {self.name!r}: use letters, digits, '-' and '_', a letter first"
            )
        if not _TARGET.fullmatch(self.target):
            raise PluginError(
                f"component {self.name!r}: target {self.target!r} is not 'package.module:Class'"
            )
        if not self.summary.strip():
            raise PluginError(f"component {self.name!r}: the summary is empty")
        for field in ("references", "tags"):
            items = getattr(self, field)
            if isinstance(items, str):  # its letters would become the items
                raise PluginError(f"component {self.name!r}: {field} must be a list of texts")
            object.__setattr__(self, field, tuple(items))

    def qualified(self, distribution: str) -> "Component":
        """The same by the name that it has beside one of another plugin: ``invcore-foo:na``."""
        other = copy(self)
        object.__setattr__(other, "name", f"{distribution}{SEPARATOR}{self.name}")
        return other

    def load(self) -> Any:
        """Import the class behind ``target``.

        Raises:
            PluginError: the module cannot be imported or has no such name; the cause is chained.
        """
        module, _, attribute = self.target.partition(":")
        imported = sys.modules.get(module)
        if imported is not None and attribute in vars(imported):
            return vars(imported)[attribute]
        try:
            with importing(module):
                return getattr(importlib.import_module(module), attribute)
        except (Exception, SystemExit) as cause:  # a plugin may raise anything
            raise PluginError(
                f"component {self.name!r}: cannot load {self.target}: {one_line(cause)}"
            ) from cause
