"""One family of errors; each is also a fitting built-in, and each message is one clear line."""

from collections.abc import Iterable

_LISTED = 30  # names in one message
_LONGEST, _END = 1000, 300  # characters of a message, and of what it ends with


class InvcoreError(Exception):
    """Base of all errors that invcore raises on purpose; the command line prints one line.

    Args:
        message: what is wrong: where, what was expected, what came.
        remedy: the argument that mends it, and what that does: ``"force=True repeats the run"``.
            The command line names its option instead.

    Example:
        >>> str(InvcoreError("it is damaged", remedy="force=True repeats the run"))
        'it is damaged; force=True repeats the run'
    """

    def __init__(self, message: str = "", *, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy

    @property
    def message(self) -> str:
        r"""What is wrong, without the remedy: one printable line, long ones without their middle.

        Example:
            >>> InvcoreError("no column \x1b[31m\nred").message
            'no column \\x1b[31m red'
        """
        text = str(self.args[0]) or self.__class__.__name__
        if not text.isprintable():
            line = " ".join(text.split())
            text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
        if len(text) > _LONGEST:
            text = f"{text[: _LONGEST - _END]} … {text[-_END:]}"
        return text

    def __str__(self) -> str:  # KeyError would print the repr of its argument
        return f"{self.message}; {self.remedy}" if self.remedy else self.message


class ConfigError(InvcoreError, ValueError):
    """A configuration has an unknown or out-of-range field, or cannot be read."""

    place: tuple[str | int, ...] = ()
    """Keys and indices that lead to the field, where known, for whoever can say its line."""


class UnknownNameError(InvcoreError, KeyError):
    """A component, run or column with that name does not exist."""


class PluginError(InvcoreError, ImportError):
    """A plugin or one of its components cannot be used."""


class DataError(InvcoreError, ValueError):
    """A table, target or pair of tables cannot be used as it is."""


class ShapeError(InvcoreError, ValueError):
    """A tensor has another shape than the contract says."""


class StoreError(InvcoreError, OSError):
    """A run folder cannot be written, or what it holds is not what was written."""


class DeviceError(InvcoreError, RuntimeError):
    """There is no such device on this machine."""


class BudgetError(InvcoreError, RuntimeError):
    """More simulator calls were asked for than the budget allows."""


class SimulatorError(InvcoreError, RuntimeError):
    """A user's own simulator raised, hung, or gave something else than responses."""


class UnfitError(ConfigError):
    """A method cannot do a task: it needs what the task has not, or makes no use of what it has."""


class DivergedError(InvcoreError, ArithmeticError):
    """Training or a proposal gave numbers that are not finite."""


def close_names(name: str, choices: Iterable[str]) -> str:
    """Say which known names are close to a wrong one.

    Args:
        name: what was asked for.
        choices: the names that exist.

    Returns:
        A sentence to end an error message with.

    Example:
        >>> close_names("ipgae", ["ipage", "na"])
        "Did you mean 'ipage'?"
    """
    import difflib  # rarely needed, and not free

    names = sorted(choices)
    close = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    if close:
        return "Did you mean " + " or ".join(repr(match) for match in close) + "?"
    more = f", … ({len(names) - _LISTED} more)" if len(names) > _LISTED else ""
    return "Known: " + (", ".join(names[:_LISTED]) or "none") + more + "."
