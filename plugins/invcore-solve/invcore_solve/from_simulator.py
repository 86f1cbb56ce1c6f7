"""From a simulator of one's own to designs for wanted responses."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from invcore.pipeline import Request, build
from invcore.plugin import (
    Config,
    ConfigError,
    Executor,
    Needs,
    Plugins,
    Progress,
    Space,
    Targets,
    installed,
    resolve_device,
)
from invcore.results import Store
from invcore_solve.answers.asked import Ask, Specifications
from invcore_solve.default_method import chosen, is_loop
from invcore_solve.loop_search import rows_at_once
from invcore_solve.measured.warm_start import WarmStart
from invcore_solve.robustness.simulated_copies import YieldRequest
from invcore_solve.simulator_work import SimulatorWork
from invcore_solve.simulators.file import read_simulator
from invcore_solve.simulators.program import Program
from invcore_solve.simulators.task import Designs, SimulatorTask
from invcore_solve.solution import Solution
from invcore_solve.tables.sources import Source, as_table

_PAIRS, _FEW, _CANDIDATES = 1000, 50, 100

Simulate = Callable[[Any], Any] | str | os.PathLike[str] | Program | SimulatorTask


def solve_with(
    simulate: Simulate,
    designs: Designs | None = None,
    *,
    targets: Source | None = None,
    want: Sequence[str] = (),
    want_file: str | os.PathLike[str] | None = None,
    specification: Specifications | None = None,
    derived: Sequence[str] = (),
    responses: Space | Sequence[str] | None = None,
    whole: Sequence[str] = (),
    constraints: Sequence[str] = (),
    method: str | None = None,
    settings: Mapping[str, Any] | Callable[[type[Config]], Mapping[str, Any]] | None = None,
    preset: str = "default",
    pairs: int | None = None,
    candidates: int | None = None,
    budget: int | None = None,
    check: bool = True,
    known: Any = None,
    workers: int = 1,
    executor: Executor[Any] | None = None,
    refine: int = 0,
    tolerances: Sequence[str] = (),
    yield_calls: int | None = None,
    sampler: str = "maximin-lhs",
    seed: int = 0,
    device: str = "auto",
    store: Store | None = None,
    progress: Progress | None = None,
    plugins: Plugins | None = None,
) -> Solution:
    """Find designs for wanted responses with a simulator of one's own.

    A method that learns from pairs is given ``pairs`` of them, simulated at designs that fill the
    space. A method that searches is given the simulator itself, and a few pairs. What either
    proposes is then simulated, and ranked by its true error. A loop that is given a budget uses all
    of it for its search, and its answer are the best rows that were simulated; started again after
    it was stopped, it goes on where it was.

    Args:
        simulate: a function of designs (N, Dx) that gives responses (N, Dy), of tensors or arrays;
            its name, ``"package.module:function"``; a `Program`; a simulator's ``.toml`` file; or
            a `SimulatorTask`.
        designs: by name (low, high), or a space; left out for a file or a `SimulatorTask`.
        targets: (B, Dy), or a file of them; what wishes such as ``gap=±5%`` are relative to.
        want: wishes, all of which make one specification: ``["gap=0.5:0.7", "mass=min"]``.
        want_file: a file of specifications, each of which is a target more.
        specification: one or several, instead.
        derived: further responses that follow from designs and responses, each as
            ``"cost = 2*mass + 1"``; wishes may name them.
        responses: names, or a space; needed for a `Program`.
        whole: designs that take whole numbers only.
        constraints: what designs have to satisfy, as text: ``["a + b <= 1"]``.
        method: an inverse method; None: by the budget, see ``default_method``.
        settings: of the method; plain data, or what makes them for the class of its config.
        preset: ``quick``, ``default`` or ``paper``.
        pairs: how many to learn from, known ones among them; 1000. For a method that searches, how
            many show it the responses' scale; 50. A loop with a budget takes none.
        candidates: proposals per target, before copies are dropped; 100. Where it is said, the loop
            ``closed-loop`` goes on until so many different designs meet a specification.
        budget: the most simulator calls in all; None for no limit. If it does not suffice to check
            all proposals, those that look best are checked; if a search wants more, the best of
            what was simulated are the answer.
        check: simulate what is proposed; off: the judge's opinion, as from a table.
        known: rows that are known, at no call: a file or a data frame, the folder of a campaign,
            or the id of a run in ``store``. A loop begins with them, those that failed or are known
            in part among them, and one of them may be its answer; of other methods they are pairs,
            beside which others are simulated.
        workers: rows that a loop with a budget has simulated at the same time. A function has to be
            given by its name then.
        executor: who simulates, on this machine or others; None: this process, or its workers. A
            loop keeps as many rows at work as the executor has workers, unless ``workers`` says
            how many. A function has to be given by its name then.
        refine: simulator calls for each target, within the budget, that go on steps from its best
            designs once these have been checked; see ``invcore.search.refine``.
        tolerances: how far made designs are off, as ``["width=±0.01"]``: designs are ranked by the
            share of what is made that meets the target.
        yield_calls: simulator calls for made copies, of all targets together, within the budget;
            None: what was learnt from the pairs answers for them.
        sampler: of the pairs' designs, and of the method's randomness.
        seed: root of all randomness.
        device: ``auto``, ``cpu``, ``cuda``, … of the method; the simulator is called on the CPU.
        store: where the work is recorded, the model kept, and finished batches kept and found
            again; None keeps nothing.
        progress: shows what goes on.
        plugins: where names are looked up; those installed.

    Raises:
        SimulatorError: the simulator raised, hung, or gave something else than responses.
        UnfitError: a method that needs gradients where there are none.
        ConfigError: a wrong setting.
        DataError: targets of another width than the responses.

    Example:
        >>> import invcore_solve
        >>> solution = invcore_solve.solve_with(
        ...     lambda x: x[:, :1] + x[:, 1:], {"a": (0, 1), "b": (0, 1)}, targets=[[0.7]],
        ...     pairs=200, candidates=5, preset="quick")
        >>> best = solution.ranked.top(1)
        >>> bool((best.designs.sum(1) - 0.7).abs() < 0.05), bool(best.error < 0.01)
        (True, True)
    """
    plugins, wished = plugins or installed(), candidates or 1
    candidates = _CANDIDATES if candidates is None else candidates
    task = as_simulator(simulate, designs, responses, whole).deriving(derived)
    task = task.constrained_by(constraints)
    sampler_part = build(plugins, "sampler", sampler)
    ask = Ask(targets, want, want_file, specification)
    count, asked = _asked(ask, task)
    learns = pairs is not None or not check
    choice = chosen(plugins, method, budget, count, task.designs.dim, learns)
    given = (
        settings(plugins.registry.load("method", choice.method).Config)
        if callable(settings)
        else dict(settings or {})
    )
    method_part = build(plugins, "method", choice.method, given, preset=preset)
    loops = budget is not None and is_loop(plugins, choice.method)
    if loops and pairs is not None:
        raise ConfigError(f"method {choice.method!r} takes no pairs: its budget is for its search")
    if pairs is None:
        pairs = 0 if loops else _PAIRS if Needs.PAIRS in method_part.component.needs else _FEW
    if executor is not None and workers == 1:
        workers = rows_at_once(executor, None) if loops else 1
    if workers < 1:
        raise ConfigError(f"workers: expected at least 1, got {workers}")
    if workers > 1 and not loops:
        raise ConfigError(
            f"workers are for a loop with a budget; method {choice.method!r} gives all its rows at "
            "once, and a program's file says how many run at the same time (jobs)"
        )
    warm = WarmStart.of(known, store, plugins)
    config = {
        "config": method_part.config, "preset": preset, "simulator": task.document(),
        "pairs": pairs, "budget": budget, "check": check,
        **({"refine": refine} if refine else {}),
        **({"known": warm.document()} if warm is not None else {}),
        **({} if ask.exact else asked),
        **({"workers": workers} if loops else {}),
        **({"method_choice": choice.why} if choice.why else {}),
        **({"tolerances": [*tolerances], "yield_calls": yield_calls} if tolerances else {}),
    }  # fmt: skip
    request = Request(
        kind="solve",
        task=task.name,
        method=method_part,
        sampler=sampler_part,
        candidates=candidates,
        targets=count,
        seed=seed,
        device=resolve_device(device),
        config=config,
        document={
            "kind": "solve-with", **config, **asked,
            "method": method_part.name, "sampler": sampler_part.name, "candidates": candidates,
            "seed": seed,
        },
    )  # fmt: skip
    work = SimulatorWork(
        request, task, pairs=pairs, budget=budget, check=check, settings=dict(given),
        preset=preset, store=store, plugins=plugins, progress=progress,
        yields=YieldRequest(tuple(tolerances), yield_calls), workers=workers, choice=choice,
        refine=refine, warm=warm, wished=wished,
    )  # fmt: skip
    with task.done_by(executor):
        return work.go(ask)


def _asked(ask: Ask, task: SimulatorTask) -> tuple[int, dict[str, Any]]:
    """How many targets there are, and what is wanted as plain data."""
    if ask.exact:
        if ask.targets is None:
            raise ConfigError(
                "say what is wanted", remedy="targets, want=['gap>=1.2'] or want_file do"
            )
        values = as_table(ask.targets, "y").values
        return len(values), {"targets": values.tolist()}
    wanted = ask.of(task.responses)  # a function is tried for their names
    parts = {name: getattr(wanted.targets, name).tolist() for name in Targets.parts}
    several = [[_plain(v) for row in part for v in row] for part in parts.values()]
    return len(wanted.targets), {
        "wanted": list(wanted.texts), "wanted_parts": dict(zip(parts, several, strict=True)),
        "relative_to": None if ask.targets is None else as_table(ask.targets, "y").values.tolist(),
    }  # fmt: skip


def _plain(value: float) -> float | str:
    """A number as JSON has it; what is not finite as text."""
    return value if math.isfinite(value) else str(value)


def says_its_designs(simulate: Simulate) -> bool:
    """Whether a simulator comes with its spaces: a file, or a `SimulatorTask`."""
    file = isinstance(simulate, os.PathLike) or str(simulate).endswith((".toml", ".yaml", ".yml"))
    return isinstance(simulate, SimulatorTask) or (file and not callable(simulate))


def as_simulator(
    simulate: Simulate,
    designs: Designs | None = None,
    responses: Space | Sequence[str] | None = None,
    whole: Sequence[str] = (),
) -> SimulatorTask:
    """The simulator of what people give for one.

    Raises:
        ConfigError: no designs are given and none are known, or the other way round.
    """
    if says_its_designs(simulate):
        task = simulate if isinstance(simulate, SimulatorTask) else read_simulator(str(simulate))
        if designs is not None or responses is not None or whole:
            which = "this simulator" if simulate is task else str(simulate)
            raise ConfigError(
                f"{which} says itself what its designs and responses are: leave out the bounds"
            )
        return task
    if designs is None:
        raise ConfigError(
            "a simulator needs its designs with their bounds",
            remedy="bounds=NAME=LOW:HIGH gives those of one",
        )
    return SimulatorTask(simulate, designs, responses, whole=whole)  # type: ignore[arg-type]
