"""Commands that are ended at random moments by SIGKILL, SIGTERM and SIGINT, and begun again."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path

from fault_trials.work import WORKS, Work, broken, content, runs, store_of

SIGNALS = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "int": signal.SIGINT}
EXITS = {"kill": (-9,), "term": (143, -15), "int": (130,)}
_PROMPT_S = 20.0  # on a machine that others use too
COUNTS = ("lost", "repeated", "changed", "half-written", "wrong exits", "late", "orphans")


@cache
def undisturbed(name: str) -> tuple[dict[str, str], float]:
    """What the store holds after work that nobody disturbs, and the seconds that it takes."""
    with tempfile.TemporaryDirectory() as root:
        work, folder = WORKS[name], Path(root)
        for _ in range(2):  # the first one may import something
            (folder / "again").mkdir()
            folder = folder / "again"
            start = time.monotonic()
            code = work.command(folder).run()
            seconds = time.monotonic() - start
        if code not in work.good:
            raise RuntimeError(f"{name} ended with {code}: {(folder / 'log').read_text()[-500:]}")
        return content(store_of(folder)), seconds


def ended(name: str, how: str, count: int, seed: int) -> Counter[str]:
    """End one kind of work so often, at random moments; each time it goes on where it was.

    Args:
        name: of the work.
        how: ``kill``, ``term`` or ``int``.
        count: how often.
        seed: of the moments.
    """
    draw, found = random.Random(f"{name} {how} {seed}"), Counter[str]()
    expected, first = undisturbed(name)
    seconds = [first]  # the least that it took, on a machine that others use too
    while found["ends"] < count:
        with tempfile.TemporaryDirectory() as root:
            folder = Path(root)
            if name == "force":  # what is to be replaced is there
                WORKS["run"].command(folder).run()
            _till_done(WORKS[name], how, folder, draw, seconds, count, found)
            compare(content(store_of(folder)), expected, found)
    return found


def _till_done(
    work: Work, how: str, folder: Path, draw: random.Random, seconds: list[float],
    count: int, found: Counter[str],
) -> None:  # fmt: skip
    """Disturb work until it has ended well, or was ended so often."""
    kept: dict[str, bytes] = {}
    for tries in range(20):
        command = work.command(folder).start()
        last = found["ends"] >= count or tries == 19
        if not last:
            begun = time.monotonic()
            command.process.join(draw.uniform(0.0, 1.0) * seconds[0])
            if command.process.exitcode is None:
                command.send(SIGNALS[how])
            else:
                seconds[0] = min(seconds[0], time.monotonic() - begun)
        start = time.monotonic()
        code = command.wait()
        late = not last and time.monotonic() - start > _PROMPT_S
        found["late"] += late
        found["orphans"] += command.orphans()
        look(folder, kept, found, forced=work.name == "force")
        if code in work.good:
            return
        found["ends"] += 1
        found["wrong exits"] += code not in EXITS[how]
        found[f"exit {code}"] += 1


def look(folder: Path, kept: dict[str, bytes], found: Counter[str], *, forced: bool) -> None:
    """What is visible now is whole, and what was finished before is as it was."""
    store = store_of(folder)
    found["half-written"] += len(broken(store))
    now = runs(store)
    for run, data in kept.items():
        if run not in now:
            aside = list(store.root.glob(f".{run}-replaced-*/{run}"))
            found["aside" if aside else "lost"] += 1
        elif now[run] != data and not forced:
            found["repeated"] += 1
    kept.clear()
    kept.update(now)


def compare(now: dict[str, str], expected: dict[str, str], found: Counter[str]) -> None:
    """What the store holds in the end is what it holds without any disturbance."""
    found["lost"] += len(expected.keys() - now.keys())
    found["changed"] += sum(now[run] != expected[run] for run in expected.keys() & now.keys())
    found["changed"] += len(now.keys() - expected.keys())


def workers(count: int, seed: int) -> Counter[str]:
    """Kill workers of a bench with two of them; failed runs are then done again."""
    draw, found = random.Random(f"workers {seed}"), Counter[str]()
    expected = undisturbed("bench")[0]
    retry = Work("jobs", (*WORKS["jobs"].words, "--retry"), (0,))
    while found["ends"] < count:
        with tempfile.TemporaryDirectory() as root:
            folder, kept = Path(root), dict[str, bytes]()
            for _ in range(10):
                command = retry.command(folder).start()
                before = runs(store_of(folder))
                while command.process.is_alive() and found["ends"] < count:
                    time.sleep(draw.uniform(0.0, 3.0))
                    mine = command.workers()
                    # they have begun: some run is done
                    if mine and runs(store_of(folder)) != before:
                        with suppress(ProcessLookupError):
                            os.kill(draw.choice(sorted(mine)), signal.SIGKILL)
                            found["ends"] += 1
                code = command.wait()
                found["orphans"] += command.orphans()
                found[f"exit {code}"] += 1
                store = store_of(folder)
                whole = {r: d for r, d in kept.items() if store.read(r).status == "ok"}
                look(folder, whole, found, forced=False)
                kept = {r: d for r, d in runs(store).items() if store.read(r).status == "ok"}
                if code == 0:
                    break
                found["wrong exits"] += code != 1
            retry.command(folder).run()
            compare(content(store_of(folder)), expected, found)
    return found
