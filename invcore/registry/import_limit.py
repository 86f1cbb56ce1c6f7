"""How long a plugin may take to be imported, so that one that hangs does not hang everybody."""

from contextlib import AbstractContextManager

from invcore.base.errors import PluginError
from invcore.base.process.alarm import time_limit

LIMIT_S = 120.0
"""For one import, with all that it imports."""


def importing(what: str) -> AbstractContextManager[None]:
    """Give up an import in the block that takes too long, as ``time_limit`` can.

    Args:
        what: is imported, for the message.

    Raises:
        PluginError: it took too long.

    Example:
        >>> with importing("json"):
        ...     import json
    """
    error = PluginError(f"{what} took more than {LIMIT_S:g} s to be imported")
    return time_limit(LIMIT_S, error)
