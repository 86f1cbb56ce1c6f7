"""Searches for costly simulators, compared at equal simulator calls.

    pip install -r benchmarks/equal_calls/requirements.txt
    OMP_NUM_THREADS=1 python benchmarks/few_calls.py [PART …] [--tasks NAME …]
        [--competitors NAME …] [--seeds 0 1 2] [--rows few_calls.jsonl] [--beside FILE …]
        [--curves few-calls.png] [--barrel crossed_barrel.csv] [--targets N] [--cap N] [--pairs N]

Each measurement is appended to a file as a line of JSON, and one that is there is not done again,
so that no figure needs one long sitting; at the end the tables of all lines are printed. What was
measured for the results' page is in ``benchmarks/equal_calls/measured.jsonl.gz``, to three digits:
``--beside`` reads it. Parts:

    single       one exact target at a time: 20 targets, until an error of 1e-12 or the cap of 100
                 (closed-loop) or 200 calls (others); those that take long have 60 calls, 5 targets
                 and 3 tasks
    joint        50 targets at once, which loops of invcore search for; up to 40 calls for each
    known        50 targets at once, after 4,000 pairs that cost no call and that all targets share
                 (--pairs says how many): nanoshell, whose pairs teach too little; 40 calls for each
    constrained  engineering tasks with a response to minimise and limits on others, 200 calls
    campaign     a table of measured structures as a laboratory: which is toughest?
    ask          how long an ask of a loop takes with 200 and 1,000 rows known

A seed decides targets, starts and all that is drawn; a target is a response of a design of the
prior. The error of a target is the mean squared difference over responses, relative to the mean of
the responses' variances among 400 other rows. Settings of ours were chosen on seeds from 100 on.
Without names the part's seeds are 0 to 2, of slow competitors 0 to 4, of ``constrained`` and
``campaign`` 0 to 19.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from equal_calls import campaign, constrained, loops, peers, problems, tables
from equal_calls.counting import Counted
from equal_calls.rows import LEVELS, Line, Rows, calls_to, falls, key_of

TARGETS, JOINT, SLOW_TARGETS = 20, 50, 5
CAP, JOINT_CAP = 200, 40
CAPS = {"closed-loop": 100}  # of loops whose asks take longer
FEW = {"meta-material-solver": 3}  # targets of a simulator that takes long
SLOW_TASKS = ("robotic-arm", "borehole", "welded-beam")
SLOW_CONSTRAINED = ("welded-beam", "speed-reducer", "concrete-mixture")
SEEDS, SLOW_SEEDS, MANY_SEEDS = range(3), range(5), range(20)
EACH = (1, 5)
KNOWN_TASKS, PAIRS = ("nanoshell",), 4000
KNOWN_ROWS, ASKS, ASK_TASKS = (200, 1000), 10, ("robotic-arm", "thin-film")

Options = argparse.Namespace
Cells = Iterator[list[Line]]
system = cache(problems.system)


def chosen(options: Options, name: str, known: Any) -> list[Any]:
    """What the command line names, or all that is known."""
    given = getattr(options, name)
    return [each for each in known if each in given] if given else list(known)


def peers_of(options: Options, known: dict[str, peers.Peer]) -> dict[str, peers.Peer | None]:
    """Competitors whose packages are there; loops of invcore, which have no ``Peer``."""
    found: dict[str, peers.Peer | None] = dict.fromkeys(loops.loop_names())
    for name, peer in known.items():
        if peer.installed:
            found[name] = peer
        else:
            print(f"{name}: the package {peer.package} is not installed", file=sys.stderr)
    return {name: found[name] for name in chosen(options, "competitors", found)}


def seeds_of(options: Options, usual: range, peer: peers.Peer | None) -> list[int]:
    """Seeds that the command line names, or the usual ones."""
    return options.seeds or list(SLOW_SEEDS if peer is not None and peer.slow else usual)


def facts(counted: Counted, seconds: float) -> list[Line]:
    """What is written of each target of a search: (T,)."""
    shared = len(counted.targets)
    found = []
    for column in counted.errors.T.tolist():
        best = [[call / shared, error] for call, error in falls(column)]
        found.append({
            "cap": counted.cap / shared, "calls": counted.calls / shared, "best": best,
            "levels": {f"{level:.0e}": calls_to(best, level) for level in LEVELS},
            "ask_s": (seconds - counted.simulate_s) / max(1, counted.calls),
        })  # fmt: skip
    return found


def single(options: Options, rows: Rows) -> Cells:
    """One target at a time."""
    competitors = peers_of(options, peers.PEERS)
    for seed in sorted({s for p in competitors.values() for s in seeds_of(options, SEEDS, p)}):
        for task in chosen(options, "tasks", problems.NAMES):
            for name, peer in competitors.items():
                slow = peer is not None and peer.slow
                if seed not in seeds_of(options, SEEDS, peer):
                    continue
                if slow and task not in (options.tasks or SLOW_TASKS):
                    continue
                drawn = FEW.get(task, TARGETS)  # the same targets however many are asked for
                few = min(drawn, SLOW_TARGETS if slow else drawn, options.targets or drawn)
                for target in range(few):
                    key = ("single", task, name, seed, target)
                    if rows.has(*key):
                        continue
                    own = system(task, drawn, seed)
                    cap = options.cap or (CAPS.get(name, CAP) if peer is None else peer.cap)
                    some = own.targets[target : target + 1]
                    counted = Counted(own, some, cap, seed, target)
                    number = 1000 * seed + target
                    search = partial(loops.search, name) if peer is None else peer.search
                    seconds = loops.ended(partial(search, counted, number))
                    yield [line_of(key) | facts(counted, seconds)[0]]


def joint(options: Options, rows: Rows) -> Cells:
    """Many targets at once; a row counts for all of them."""
    for seed in options.seeds or SEEDS:
        for task in chosen(options, "tasks", problems.NAMES):
            for name in chosen(options, "competitors", loops.loop_names()):
                if rows.has("joint", task, name, seed, 0):
                    continue
                own = system(task, JOINT, seed)
                counted = Counted(own, own.targets, (options.cap or JOINT_CAP) * JOINT, seed)
                seconds = loops.ended(partial(loops.search, name, counted, seed))
                keys = [("joint", task, name, seed, target) for target in range(JOINT)]
                each = zip(keys, facts(counted, seconds), strict=True)
                yield [line_of(key) | found for key, found in each]


def known(options: Options, rows: Rows) -> Cells:
    """Many targets at once, where pairs are known that all of them share."""
    count = options.pairs or PAIRS
    for seed in options.seeds or SEEDS:
        for task in options.tasks or KNOWN_TASKS:
            for name in chosen(options, "competitors", loops.loop_names()):
                few = min(JOINT, options.targets or JOINT)
                label = f"{task}, {count} pairs, {few} targets"
                if rows.has("known", label, name, seed, 0):
                    continue
                own = system(task, JOINT, seed).first(few)  # the same however many there are
                pairs = loops.known_pairs(own, count, seed)
                counted = Counted(own, own.targets, (options.cap or JOINT_CAP) * few, seed)
                search = partial(loops.search, name, counted, seed, pairs)
                seconds = loops.ended(search)
                first = own.errors(pairs.y, own.targets).amin(dim=0).tolist()
                each = zip(first, facts(counted, seconds), strict=True)
                yield [
                    line_of(("known", label, name, seed, target)) | found | after(before, found)
                    for target, (before, found) in enumerate(each)
                ]


def after(before: float, found: Line) -> Line:
    """What is written of a target whose best known row has an error ``before`` any call."""
    best = [[0.0, before], *([call, error] for call, error in found["best"] if error < before)]
    levels = {f"{level:.0e}": calls_to(best, level) for level in LEVELS}
    return {"best": best, "levels": levels, "known": before}


def line_of(key: tuple[Any, ...]) -> Line:
    """The beginning of a line."""
    return dict(zip(("part", "task", "competitor", "seed", "target"), key, strict=True))


def with_limits(options: Options, rows: Rows) -> Cells:
    """Engineering tasks with an objective and limits."""
    competitors = peers_of(options, constrained.PEERS)
    for task in chosen(options, "tasks", constrained.PROBLEMS):
        for name, peer in competitors.items():
            if peer and peer.slow and task not in (options.tasks or SLOW_CONSTRAINED):
                continue
            for seed in seeds_of(options, MANY_SEEDS, peer):
                key = ("constrained", task, name, seed, 0)
                if rows.has(*key):
                    continue
                cap = min(options.cap or constrained.CALLS, peer.cap if peer else 10**9)
                wished = constrained.Wished(task, seed, cap)
                search = partial(loops.search, name) if peer is None else peer.search
                seconds = loops.ended(partial(search, wished, seed))
                yield [line_of(key) | {
                    "cap": cap, "best": falls(wished.values), "known": constrained.PROBLEMS[task],
                    "ask_s": (seconds - wished.simulate_s) / wished.calls,
                }]  # fmt: skip


def laboratory(options: Options, rows: Rows) -> Cells:
    """Campaigns on the table of crossed barrels."""
    if options.barrel is None:
        print("campaign: name its table by --barrel", file=sys.stderr)
        return
    own = [name for name in loops.loop_names() if name != "random-search"]  # as "random"
    strategies = campaign.STRATEGIES | {name: (campaign.loop_choice(name), "") for name in own}
    for name in chosen(options, "competitors", strategies):
        strategy, package = strategies[name]
        if not peers.is_installed(package):
            print(f"{name}: the package {package} is not installed", file=sys.stderr)
            continue
        for each in EACH:
            for seed in options.seeds or MANY_SEEDS:
                key = ("campaign", str(each), name, seed, 0)
                if not rows.has(*key):
                    found = campaign.campaign(strategy, options.barrel, each, seed)
                    yield [line_of(key) | found]


def asks(options: Options, rows: Rows) -> Cells:
    """How long loops think."""
    for task in chosen(options, "tasks", ASK_TASKS):
        for name in chosen(options, "competitors", loops.loop_names()):
            for count in (1, JOINT):
                for known in KNOWN_ROWS:
                    for seed in options.seeds or (0,):
                        key = ("ask", task, name, seed, f"{count} targets, {known} rows")
                        if not rows.has(*key):
                            own = system(task, JOINT, seed)
                            found = loops.thinking(name, own.first(count), known, ASKS, seed)
                            yield [line_of(key) | {"targets": count, "rows": known} | found]


PARTS = {
    "single": single, "joint": joint, "known": known, "constrained": with_limits,
    "campaign": laboratory, "ask": asks,
}  # fmt: skip


def main() -> None:
    """Measure what is missing, and print all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="Without names, none but tables.")
    parser.add_argument("--tasks", nargs="+")
    parser.add_argument("--competitors", nargs="+")
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--targets", type=int, help="The first ones alone, of single and known.")
    parser.add_argument("--cap", type=int, help="Calls of a target, in place of a part's own.")
    parser.add_argument("--pairs", type=int, help=f"Known ones, of known; {PAIRS}.")
    parser.add_argument("--rows", type=Path, default=Path("few_calls.jsonl"))
    parser.add_argument(
        "--beside", nargs="+", type=Path, default=[],
        help="Files that other processes write to, or packed ones (.gz).",
    )  # fmt: skip
    parser.add_argument("--barrel", type=Path, help="The table of the campaign.")
    parser.add_argument("--curves", type=Path, help="Draw the best error against calls.")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    torch.set_num_threads(1)
    rows = Rows(options.rows, options.beside)
    for part in options.parts:
        for lines in PARTS[part](options, rows):
            rows.append(lines)
            print(*key_of(lines[0]), file=sys.stderr)
    print("\n".join(tables.tables(rows.lines)))
    if options.curves:
        from equal_calls import curves

        curves.draw(rows.lines, options.curves)


if __name__ == "__main__":
    main()
