"""Disks that are full, read-only or fail, a clock that jumps, and two processes on one store."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fault_trials.ends import undisturbed
from fault_trials.processes import Hurt, failing, jumping_clock, small_files
from fault_trials.work import WORKS, broken, content, runs, store_of

NAMES = ("bench", "run", "solve")
_CALLS = ("replace", "rename", "fsync", "mkdir", "link")
_NUMBERS = (errno.EIO, errno.ENOSPC, errno.EXDEV, errno.EPERM)
_STORE, _WELL, _SOME_FAILED, _OWN = 3, 0, 1, 4
_USAGE = 2  # where --out cannot be written, which is no part of the store


def _judged(
    name: str, folder: Path, code: int | None, found: Counter[str], allowed: tuple[int, ...]
) -> None:
    """After a fault: a fair exit code, and nothing that is half-written; then all goes on."""
    found["trials"] += 1
    found[f"exit {code}"] += 1
    found["hangs"] += code is None
    found["internal errors"] += code == 70
    found["wrong exits"] += (wrong := code not in (None, 70, *allowed))
    if wrong or code == 70:
        found[_last_word(folder)] += 1
    found["half-written"] += len(broken(store_of(folder)))
    store = store_of(folder)  # a solve gives its answer anew, by the rows that are there
    look = content if name == "solve" else runs
    before = look(store)
    ok = {r for r in before if store.read(r).status == "ok"}
    again = WORKS[name].command(folder)
    if name == "bench":
        again.words = [*again.words, "--retry"]
    code = again.run()
    found["not resumed"] += code not in WORKS[name].good
    after = look(store)
    found["repeated"] += sum(after.get(r) != before[r] for r in ok)
    expected = undisturbed(name)[0]
    now = content(store_of(folder))
    found["lost"] += len(expected.keys() - now.keys())
    found["changed"] += sum(now[r] != expected[r] for r in expected.keys() & now.keys())
    if code not in WORKS[name].good:
        found[_last_word(folder)] += 1


def _last_word(folder: Path) -> str:
    """What a command said last, as a name to count it by."""
    lines = (folder / "log").read_text().strip().splitlines()
    return f"said: {lines[-1][:150] if lines else 'nothing'}"


def _hurt(name: str, hurt: Hurt, found: Counter[str], allowed: tuple[int, ...]) -> None:
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        code = WORKS[name].command(folder, hurt=hurt).run()
        _judged(name, folder, code, found, allowed)


def large_files(count: int, seed: int) -> Counter[str]:
    """No file can grow beyond a random size, as where there is no room for more."""
    draw, found = random.Random(f"files {seed}"), Counter[str]()
    for _ in range(count):
        most = int(2 ** draw.uniform(4.0, 16.0))
        _hurt(draw.choice(NAMES), small_files(most), found, (_WELL, _SOME_FAILED, _STORE, _OWN))
    return found


def failing_calls(count: int, seed: int) -> Counter[str]:
    """From a random call on, one that renames, syncs, links or makes folders fails."""
    draw, found = random.Random(f"calls {seed}"), Counter[str]()
    for _ in range(count):
        hurt = failing(draw.choice(_CALLS), draw.randint(1, 12), draw.choice(_NUMBERS))
        _hurt(draw.choice(NAMES), hurt, found, (_WELL, _SOME_FAILED, _STORE, _OWN))
    return found


def jumps(count: int, seed: int) -> Counter[str]:
    """The clock jumps by up to ten years, back or forth."""
    draw, found = random.Random(f"clock {seed}"), Counter[str]()
    for _ in range(count):
        shift = draw.choice((-1, 1)) * 10 ** draw.uniform(1.0, 8.5)
        _hurt(draw.choice(NAMES), jumping_clock(shift, draw.randint(0, 30)), found, (_WELL,))
    return found


@contextmanager
def _disk(folder: Path, size: int) -> Iterator[Path]:
    """A small disk of its own; that takes rights that not everyone has."""
    place = folder / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)


def _remount(place: Path, how: str) -> None:
    mount = ["mount", "-o", f"remount,{how}", str(place)]
    subprocess.run(mount, check=True, capture_output=True)


def can_mount() -> bool:
    """Whether this process may mount disks."""
    try:
        with tempfile.TemporaryDirectory() as root, _disk(Path(root), 4096):
            return True
    except (OSError, subprocess.CalledProcessError):
        return False


def full(count: int, seed: int) -> Counter[str]:
    """A disk of a random size runs full; then it is made larger."""
    draw, found = random.Random(f"full {seed}"), Counter[str]()
    for _ in range(count):
        name = draw.choice(NAMES)
        with tempfile.TemporaryDirectory() as root:
            size = int(2 ** draw.uniform(12.0, 18.0))
            with _disk(Path(root), size) as place:
                code = WORKS[name].command(Path(root)).run()
                _remount(place, "size=64m")
                allowed = (_WELL, _SOME_FAILED, _STORE, _OWN)
                _judged(name, Path(root), code, found, allowed)
    return found


def read_only(count: int, seed: int) -> Counter[str]:
    """A store that cannot be written, empty or with a part of the work done."""
    draw, found = random.Random(f"read-only {seed}"), Counter[str]()
    for _ in range(count):
        name = draw.choice(NAMES)
        with tempfile.TemporaryDirectory() as root, _disk(Path(root), 2**26) as place:
            folder = Path(root)
            command = WORKS[name].command(folder)
            if draw.random() < 0.5:
                command.start()
                time.sleep(draw.uniform(0, 1) * undisturbed(name)[1])
                command.process.kill()
                command.wait()
            _remount(place, "ro")
            before = sorted((p, p.stat().st_mtime_ns) for p in place.rglob("*"))
            code = WORKS[name].command(folder).run()
            found["changed"] += before != sorted(
                (p, p.stat().st_mtime_ns) for p in place.rglob("*")
            )
            _remount(place, "rw")
            # done before, there is nothing to write
            allowed = (_STORE, _WELL, *((_USAGE,) if name == "solve" else ()))
            _judged(name, folder, code, found, allowed)
    return found


def two_at_once(count: int, seed: int) -> Counter[str]:
    """The same work twice at the same time, on one store."""
    draw, found = random.Random(f"two {seed}"), Counter[str]()
    for _ in range(count):
        name = draw.choice(NAMES)
        with tempfile.TemporaryDirectory() as root:
            folder = Path(root)
            first = WORKS[name].command(folder).start()
            time.sleep(draw.uniform(0.0, 0.3))
            second = WORKS[name].command(folder).start()
            codes = [first.wait(), second.wait()]
            found["half-written"] += len(broken(store_of(folder)))
            found["wrong exits"] += sum(code not in WORKS[name].good for code in codes)
            _judged(name, folder, codes[0], found, WORKS[name].good)
            left = [p for p in (folder / "disk").rglob("*") if p.name.startswith(".writing-")]
            found["left behind"] += len(left)
    return found


def links(count: int, seed: int) -> Counter[str]:
    """Links in a store that lead out of it: nothing outside is ever read or written."""
    draw, found = random.Random(f"links {seed}"), Counter[str]()
    places = ("run", "run.json", "candidates.safetensors", ".cache", "benches", "manifest")
    for _ in range(count):
        with tempfile.TemporaryDirectory() as root:
            folder, place = Path(root), draw.choice(places)
            store = store_of(folder)
            WORKS["bench"].command(folder).run()
            run = draw.choice(store.ids())
            own = store.path(run)
            target = {
                "run": own, ".cache": store.cache, "benches": store.root / "benches",
                "manifest": store.root / "benches" / "tiny.json",
            }.get(place, own / place)  # fmt: skip
            away = folder / "away"
            os.rename(target, away)
            target.symlink_to(away)
            before = _bytes(away)
            code = WORKS["bench"].command(folder).run()
            found["trials"] += 1
            found[f"exit {code}"] += 1
            found["wrong exits"] += code not in (_WELL, _STORE)
            found["internal errors"] += code == 70
            found["written outside"] += _bytes(away) != before
            log = (folder / "log").read_text() + "".join(
                p.read_text() for p in store.root.glob("*/log.jsonl")
            )
            found["unsaid"] += "is a link" not in log
    return found


def _bytes(path: Path) -> dict[str, bytes]:
    parts = [path, *path.rglob("*")]
    return {str(part): part.read_bytes() for part in parts if part.is_file()}
