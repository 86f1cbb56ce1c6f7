"""Standard output of a command with ``--json``: the document, whatever plugins print."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import click

_NO_DOCUMENT = {"-h", "--help", "--version"}
_STDOUT, _STDERR = 1, 2  # descriptors
_write: Callable[[str], None] | None = None


def emit(text: str) -> None:
    """Write a document's text, and a line break, to where the command's document goes."""
    (_write or click.echo)(text)


def wants_json(line: Sequence[str]) -> bool:
    """Whether a command line asks for a document.

    Example:
        >>> wants_json(["plugins", "--json"]), wants_json(["plugins", "--json", "--help"])
        (True, False)
    """
    options = set(line[: line.index("--")] if "--" in line else line)
    return "--json" in options and not options & _NO_DOCUMENT


@contextmanager
def document_alone(*, ends_process: bool) -> Iterator[None]:
    """Within the block only ``emit`` reaches standard output; all else goes to standard error.

    All else is what Python prints, and what C code and child processes write to descriptor 1.

    Args:
        ends_process: whether the process ends with the block; then standard output stays closed to
            others, since what C code has buffered, and what runs at exit, is written later.
    """
    global _write
    stream, before = sys.stdout, _write
    if _is_stdout(stream):
        stream.flush()
        document = os.dup(_STDOUT)  # which children do not inherit
        _to_stderr()
        _write = _writer(document)
        try:
            yield
        finally:
            _write = before
            if not ends_process:
                stream.flush()
                os.dup2(document, _STDOUT)
                os.close(document)
    else:  # a test's, or that of a notebook: there are no descriptors to turn round
        _write, sys.stdout = (lambda text: click.echo(text, file=stream)), sys.stderr
        try:
            yield
        finally:
            _write, sys.stdout = before, stream


def _is_stdout(stream: object) -> bool:
    """Whether a stream writes to the descriptor of standard output."""
    try:
        return stream.fileno() == _STDOUT  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):  # None, one in memory, a closed one
        return False


def _to_stderr() -> None:
    """Let descriptor 1 be where standard error goes; nowhere, if that is closed."""
    try:
        os.dup2(_STDERR, _STDOUT)
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, _STDOUT)
        os.close(nowhere)


def _writer(descriptor: int) -> Callable[[str], None]:
    def write(text: str) -> None:
        rest = f"{text}\n".encode()
        while rest:  # a pipe may take a part
            rest = rest[os.write(descriptor, rest) :]

    return write
