"""Whether the tests notice mistakes: planted by hand, and drawn at random by a mutation tool.

    python benchmarks/mutants.py [--count 64] [--seed 0] [--jobs 2] [--only judge] [--json]

`mutants.toml` has the modules with their tests, the mistakes that are planted by hand, and the
drawn ones that are known to change nothing. Each mistake is planted in a temporary copy of the
checkout, never in the checkout itself, and meets the tests of its module; one that fails a test, or
hangs, is caught. Rows go to a file of JSON lines as they are found, and those that are there are
not done again while the module and its tests are what they were.

The drawn ones are as many in each module, at places drawn evenly, by the operators of cosmic-ray
that swap arithmetic, comparisons, numbers, truth values and loops. What only changes annotations,
docstrings, messages or the kinds of parameters is not drawn.
"""

from __future__ import annotations

import argparse
import ast
import concurrent.futures
import contextlib
import hashlib
import json
import os
import queue
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import OPERATOR_PROVIDERS

ROOT = Path(__file__).resolve().parent.parent
OPERATORS = OPERATOR_PROVIDERS["core"]
BITS = ("Shift", "BitOr", "BitAnd", "BitXor")  # of numbers with a point they are errors at once
KINDS = (  # operators whose names begin so are drawn from
    *("ReplaceBinary", "ReplaceUnary", "ReplaceComparison", "ReplaceTrue", "ReplaceFalse"),
    *("ReplaceAnd", "ReplaceOr", "ReplaceBreak", "ReplaceContinue"),
    *("AddNot", "NumberReplacer", "ZeroIteration"),
)


@dataclass(frozen=True)
class Module:
    """Files, and the tests that speak of them."""

    name: str
    files: tuple[str, ...]
    tests: tuple[str, ...]
    drawn: bool = False

    def digest(self) -> str:
        """Of the files and all that lies beside the tests."""
        found = hashlib.sha256()
        for name in (*self.files, *self.tests):
            path = ROOT / name
            inside = sorted(path.rglob("*.py")) if path.is_dir() else [path]
            for file in (*inside, path.parent / "conftest.py"):
                if file.exists():
                    found.update(file.read_bytes())
        return found.hexdigest()


@dataclass(frozen=True)
class Mutant:
    """A mistake: what a file then says, the first lines that differ, and a key of all it meets."""

    module: Module
    file: str
    source: str = field(repr=False)
    name: str
    line: int
    before: str
    after: str
    key: str
    seed: int | None = None


def behaviour(source: str) -> str | None:
    """What a module does, as a text to compare; None where it is no module.

    That is its tree without annotations, decorators, messages and kinds of parameters.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            node.decorator_list = []
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arguments):
            node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
            node.defaults += [one for one in node.kw_defaults if one is not None]
            node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
        elif isinstance(node, ast.JoinedStr):
            node.values = []
        elif isinstance(node, ast.Call):  # zip's check of lengths is a message too
            node.keywords = [one for one in node.keywords if one.arg != "strict"]
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            node.exc.args, node.exc.keywords = [], []
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            node.value = ast.Constant(None)
    return ast.dump(tree)


def mutations(source: str) -> dict[tuple[int, int], list[tuple[str, int]]]:
    """By line and column, what can be changed there: an operator, and which of its places."""
    found: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for name in sorted(OPERATORS):
        if name.startswith(KINDS) and not any(bits in name for bits in BITS):
            operator = OPERATORS[name]()
            nodes = ast_nodes(get_ast(source))
            places = (start for node in nodes for start, _ in operator.mutation_positions(node))
            for number, place in enumerate(places):
                found.setdefault(place, []).append((name, number))
    return found


def drawn(module: Module, seed: int, count: int) -> Iterator[Mutant]:
    """So many mistakes in a module, at places drawn evenly, none twice."""
    draw = random.Random(f"{seed}/{module.name}")
    sources = {name: (ROOT / name).read_text() for name in module.files}
    places = [
        (name, place, choices)
        for name, source in sources.items()
        for place, choices in sorted(mutations(source).items())
    ]
    draw.shuffle(places)
    while count and places:
        name, _, choices = places.pop()
        operator, number = draw.choice(choices)
        source = sources[name]
        changed = mutate_code(source, OPERATORS[operator](), number)
        if changed is None or behaviour(changed) in (None, behaviour(source)):
            continue
        count -= 1
        yield mutant(module, name, source, changed, operator, seed)


def mutant(
    module: Module, file: str, source: str, changed: str, name: str, seed: int | None = None
) -> Mutant:
    """A mistake, with the first lines that differ."""
    old, new = source.splitlines(), changed.splitlines()
    at = next(i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b)
    text = f"{file}\n{changed}\n{module.digest()}"
    key = hashlib.sha256(text.encode()).hexdigest()[:20]
    return Mutant(module, file, changed, name, at + 1, old[at].strip(), new[at].strip(), key, seed)


def planted(modules: dict[str, Module], entries: list[dict[str, str]]) -> Iterator[Mutant]:
    """The mistakes planted by hand."""
    for entry in entries:
        source = (ROOT / entry["file"]).read_text()
        if source.count(entry["original"]) != 1:
            sys.exit(f"{entry['file']} must have once: {entry['original']}")
        changed = source.replace(entry["original"], entry["replacement"])
        yield mutant(modules[entry["module"]], entry["file"], source, changed, entry["name"])


def copy_checkout(place: Path) -> None:
    """Copy what the checkout has under version control, and new files, to a folder."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, place / name)


class Workplace:
    """A copy of the checkout in a folder, in which one mistake at a time meets the tests."""

    def __init__(self, place: Path) -> None:
        copy_checkout(place)
        folders = [place, *sorted((place / "plugins").iterdir())]
        self.place = place
        self.environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, folders)),
            "PYTHONDONTWRITEBYTECODE": "1",  # that of a file changed within a second would be used
            "OMP_NUM_THREADS": "1",
        }
        code = "import invcore, invcore_solve; print(invcore.__file__, invcore_solve.__file__)"
        done = self._run([sys.executable, "-c", code], 300.0)
        if any(not name.startswith(str(place)) for name in done[1].split()):
            sys.exit(f"the copy's packages are not those that are imported: {done[1]}")

    def tests(self, module: Module, limit: float) -> tuple[bool | None, str]:
        """Whether the tests of a module pass, None where they do not end; and the first failure."""
        options = "-m pytest -x -p no:cacheprovider --tb=no -rfE".split()
        code, said = self._run([sys.executable, *options, *module.tests], limit)
        failures = [x for x in said.splitlines() if x.startswith(("FAILED", "ERROR"))]
        if code not in (None, 0, 1, 2):
            failures.append(f"pytest ended with {code}")
        return code if code is None else code == 0, (failures or [""])[0].split(" - ")[0]

    def meet(self, mistake: Mutant, limit: float) -> dict[str, Any]:
        """Plant a mistake, run the tests of its module, and take it out again."""
        file, start = self.place / mistake.file, time.monotonic()
        source = file.read_text()
        file.write_text(mistake.source)
        try:
            passed, by = self.tests(mistake.module, limit)
        finally:
            file.write_text(source)
        row = asdict(mistake) | {"module": mistake.module.name}
        del row["source"]
        outcome = {True: "survived", False: "caught", None: "hung"}[passed]
        return row | {"outcome": outcome, "by": by, "seconds": round(time.monotonic() - start, 1)}

    def _run(self, command: list[str], limit: float) -> tuple[int | None, str]:
        """The exit code, None past the limit, and what was printed; all that it started ends."""
        with tempfile.TemporaryFile("w+") as said, subprocess.Popen(
            command, cwd=self.place, env=self.environment, start_new_session=True, text=True,
            stdout=said, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            try:
                code: int | None = process.wait(limit)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            said.seek(0)
            return code, said.read()


def measure(mistakes: list[Mutant], out: Path, jobs: int) -> list[dict[str, Any]]:
    """The rows of mistakes, those that the file lacks being found and appended."""
    known = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    rows = {row["key"]: row for row in known}
    todo = [one for one in mistakes if one.key not in rows]
    out.parent.mkdir(parents=True, exist_ok=True)
    lock, limits = threading.Lock(), dict[str, float]()
    free: queue.SimpleQueue[Workplace] = queue.SimpleQueue()

    @contextlib.contextmanager
    def workplace() -> Iterator[Workplace]:
        place = free.get()
        try:
            yield place
        finally:
            free.put(place)

    def untouched(module: Module) -> None:
        start = time.monotonic()
        with workplace() as place:
            passed, by = place.tests(module, 1800.0)
        if not passed:
            raise RuntimeError(f"the tests of {module.name} fail without a mistake: {by}")
        limits[module.name] = 60.0 + 5.0 * (time.monotonic() - start)

    def work(mistake: Mutant) -> None:
        with workplace() as place:
            row = place.meet(mistake, limits[mistake.module.name])
        with lock, out.open("a") as file:
            rows[row["key"]] = row
            file.write(json.dumps(row) + "\n")
            said = f"{row['outcome']:9} {row['file']}:{row['line']} {row['after']}"
            print(said, file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        for number in range(jobs if todo else 0):
            (Path(folder) / str(number)).mkdir()
            free.put(Workplace(Path(folder).resolve() / str(number)))
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            modules = {one.module.name: one.module for one in todo}
            list(pool.map(untouched, modules.values()))
            list(pool.map(work, todo))
    return [rows[one.key] | {"seed": one.seed} for one in mistakes]


def with_reasons(rows: list[dict[str, Any]], entries: list[dict[str, str]]) -> None:
    """Mark survivors that are known to change nothing."""
    reasons = {(e["file"], e["before"], e["after"]): e["reason"] for e in entries}
    for row in rows:
        reason = reasons.get((row["file"], row["before"], row["after"]))
        if reason and row["outcome"] == "survived":
            row |= {"outcome": "equivalent", "reason": reason}


def print_table(rows: list[dict[str, Any]]) -> None:
    """Counts for each module, then what survives."""
    print(f"{'':22}  {'planted':>7}  {'caught':>6}  {'equivalent':>10}  {'survive':>7}")
    groups: dict[str, list[str]] = {}
    for row in rows:
        groups.setdefault("by hand" if row["seed"] is None else row["module"], []).append(
            row["outcome"]
        )
    groups["all drawn"] = [row["outcome"] for row in rows if row["seed"] is not None]
    for name, outcomes in groups.items():
        same, left = outcomes.count("equivalent"), outcomes.count("survived")
        caught = len(outcomes) - same - left
        print(f"{name:22}  {len(outcomes):>7}  {caught:>6}  {same:>10}  {left:>7}")
    for row in rows:
        if row["outcome"] in ("survived", "equivalent"):
            print(f"\n{row['outcome']}: {row['file']}:{row['line']} ({row['name']})")
            print(f"  - {row['before']}\n  + {row['after']}")


def main() -> None:
    """Plant, run, print, and fail where a mistake survives that was planted by hand."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=64, help="drawn mistakes in all modules")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="copies that are worked in at once")
    parser.add_argument("--only", metavar="MODULE", action="append", help="may be given again")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "mutants.jsonl")
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    plan = tomllib.loads(Path(__file__).with_suffix(".toml").read_text())
    modules = {entry["name"]: Module(**entry) for entry in plan["module"]}
    chosen = wanted.only or list(modules)
    for name in set(chosen) - set(modules):
        parser.error(f"--only: no module {name!r}; there are {', '.join(modules)}")
    mistakes = [one for one in planted(modules, plan["planted"]) if one.module.name in chosen]
    hosts = [one for one in modules.values() if one.drawn]
    for number, host in enumerate(hosts):  # the first ones have what does not divide
        mine = wanted.count // len(hosts) + (number < wanted.count % len(hosts))
        mistakes += drawn(host, wanted.seed, mine) if host.name in chosen else ()
    rows = measure(mistakes, wanted.out, wanted.jobs)
    with_reasons(rows, plan.get("equivalent", []))
    if wanted.json:
        print(json.dumps(rows, indent=2))
    else:
        print_table(rows)
    sys.exit(any(row["seed"] is None and row["outcome"] == "survived" for row in rows))


if __name__ == "__main__":
    main()
