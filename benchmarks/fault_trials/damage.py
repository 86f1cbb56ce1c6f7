"""Files that are cut short or have a flipped bit, then read: noticed, or without effect."""

from __future__ import annotations

import random
import signal
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from fault_trials import subjects
from fault_trials.subjects import Subject
from invcore.plugin import InvcoreError

KINDS: dict[str, Callable[[Path], Subject]] = {
    "run": subjects.run, "alone": subjects.alone, "cache": subjects.cache,
    "batch": subjects.batch, "trial": subjects.trial, "events": subjects.events,
    "state": subjects.state, "campaign": subjects.campaign, "manifest": subjects.manifest,
    "bundle": subjects.bundle, "cells": subjects.cells, "shards": subjects.shards,
    "published": subjects.published, "commands": subjects.commands,
}  # fmt: skip
HOW = ("flip", "cut", "lose")
_HANG_S = 60


class _HangError(Exception):
    """A reader does not come back."""


def damaged(kind: str, how: str, count: int, seed: int) -> Counter[str]:
    """Damage files of one kind so often, one at a time.

    Args:
        kind: of the files.
        how: ``flip`` a bit, ``cut`` the end off, or ``lose`` the file.
        count: how often.
        seed: of the files and places.

    Returns:
        Trials by their outcome: ``noticed`` (an error of one line that names a file), ``again``
        (done again, and said so), ``no effect`` (what was read is the same), ``silent`` (it is
        another, and nobody said so), ``internal errors``, ``hangs``.
    """
    draw, found = random.Random(f"{kind} {how} {seed}"), Counter[str]()
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root) / "place"
        subject = KINDS[kind](folder)
        kept = _bytes(folder)
        expected = subject.read()
        _restore(folder, kept)
        for _ in range(count):
            path = draw.choice(subject.files)
            _hurt(path, how, draw)
            outcome = _outcome(subject, expected)
            found["trials"] += 1
            found[outcome] += 1
            _restore(folder, kept)
    for name in ("silent", "internal errors", "hangs"):
        found[name] += 0
    return found


def _hurt(path: Path, how: str, draw: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if how == "lose":
        path.unlink()
        return
    if how == "cut":
        del data[draw.randrange(len(data)) :]
    else:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(bytes(data))


def _outcome(subject: Subject, expected: Any) -> str:
    subject.said.clear()
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(_HANG_S)
    try:
        now = subject.read()
    except InvcoreError as error:
        text = str(error)
        return "noticed" if "\n" not in text and len(text) < 600 else f"unclear: {text[:80]!r}"
    except _HangError:
        return "hangs"
    except BaseException as error:
        signal.alarm(0)
        found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
        print(f"internal: {found}", flush=True)
        return "internal errors"
    finally:
        signal.alarm(0)
    same = _same(now, expected)
    if subject.said:
        return "again" if same else "noticed"
    return "no effect" if same else "silent"


def _too_long(number: int, frame: object) -> None:
    raise _HangError


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and torch.equal(
            a.nan_to_num(7.0), b.nan_to_num(7.0)
        )  # fmt: skip
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_same(a[name], b[name]) for name in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return bool(a == b)


def _bytes(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _restore(folder: Path, kept: dict[Path, bytes]) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()
    for path, data in kept.items():
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)
