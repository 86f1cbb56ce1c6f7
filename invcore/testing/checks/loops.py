"""Checks of loops: what is asked for, what is told, and going on from a stored state."""

from typing import Any

import torch
from safetensors.torch import load, save

from invcore.base.errors import DataError
from invcore.contracts.environment import FitEnvironment
from invcore.contracts.loop import Loop, Results
from invcore.contracts.problem import Targets
from invcore.data.pairs import Pairs
from invcore.scoring.errors import squared_error
from invcore.search.loop_method import method_of
from invcore.testing.cases.comparison import same, unchanged, untouched_generators
from invcore.testing.cases.component_under_test import MethodSubject, Subject
from invcore.testing.cases.loops_at_work import MOST, begin, same_requests
from invcore.testing.check import CheckFailed, only_if, require

_CASES = ("bowl", "twist", "mixed")


def check_requests(subject: Subject) -> None:
    """Rows asked for are allowed designs with ids of their own, each for a target or for all."""
    for name in _CASES:
        work = begin(subject, name)
        seen: set[int] = set()
        for requests in work.rounds(6):
            allowed = work.case.task.designs.contains(requests.designs)
            require(allowed.all(), f"{name}: {int((~allowed).sum())} rows are no allowed designs")
            ids = requests.id.tolist()
            fresh = len(set(ids)) == len(ids) and not seen & set(ids) and min(ids) >= 0
            require(fresh, f"{name}: an id is given twice, or is negative")
            seen |= set(ids)
            target = requests.target
            inside = target is None or bool(((target >= 0) & (target < 3)).all())
            require(inside, f"{name}: a row is for a target that there is not")
        require(bool(seen), f"{name}: it asks for nothing")


def check_count(subject: Subject) -> None:
    """No more rows are asked for than are wanted, and one at a time goes on too."""
    work = begin(subject, "twist")
    for most in (1, 5, 2):
        for requests in work.rounds(4, most):
            require(len(requests) <= most, f"{len(requests)} rows, {most} were wanted")
    require(work.asked > 0, "it asks for nothing when few rows are wanted")


def check_pending(subject: Subject) -> None:
    """What was asked for and not told is pending, until it is told, in any order."""
    work = begin(subject, "bowl")
    requests = work.ask(5)
    only_if(len(requests) > 2, "it asks for fewer than three rows at once")
    pending = work.started.pending()
    require(same_requests(pending, requests), "pending are other rows than were asked for")
    order = torch.arange(len(requests)).flip(0)
    work.tell(requests[order[: len(requests) - 2]])
    left = work.started.pending().id.tolist()
    fault = f"{left} are pending, expected {requests.id[:2].tolist()}"
    require(left == requests.id[:2].tolist(), fault)
    work.tell(work.started.pending())
    require(len(work.started.pending()) == 0, "told rows are still pending")


def check_unknown_rows(subject: Subject) -> None:
    """A row that is not pending is a DataError: one that was never asked for, or told already."""
    work = begin(subject, "bowl")
    requests = work.ask(4)
    work.tell(requests[:2])
    x, y = requests.designs[:1], work.responses(requests[:1])
    for what, number in (("was told already", int(requests.id[0])), ("was not asked for", 10**9)):
        try:
            work.started.tell(Results(torch.tensor([number]), x, y))
        except DataError:
            continue
        raise CheckFailed(f"a row that {what} is accepted: raise DataError")
    require(len(work.started.pending()) == len(requests) - 2, "a refused row changes the loop")


def check_made_otherwise(subject: Subject) -> None:
    """A row made a little differently counts as it was made, and the loop goes on."""
    work = begin(subject, "bowl", 1, 1)
    made = []
    for _ in range(3):
        requests = work.ask(4)
        if not len(requests):
            break
        x = requests.designs.clone()
        x[:, 0] = (x[:, 0] + 0.05).clamp(max=2.0)
        y = work.responses(requests, x)
        work.started.tell(Results(requests.id, x, y))
        made.append(Pairs(x, y))
    best = work.started.best(1).x[0]
    told = torch.cat([part.x for part in made])
    exact = (told == best).all(dim=1).any()
    require(exact, "the best design is none of those that were made")


def check_failed_rows(subject: Subject) -> None:
    """Rows that failed are never the best, and the loop goes on without them."""
    work = begin(subject, "bowl")
    lost = []
    for number, requests in enumerate(work.rounds(4, 6)):
        if number == 0:
            y = torch.full_like(work.responses(requests), torch.nan)
            failed = torch.ones(len(requests), dtype=torch.bool)
            lost.append(requests.designs)
            work.started.tell(Results(requests.id, requests.designs, y, failed))
            break
    more = work.ask(6)
    require(len(more) > 0, "it asks for nothing more once rows have failed")
    work.tell(more)
    x = work.started.best(1).x
    among = (x[:, :, None] == torch.cat(lost)).all(dim=3)
    require(not among.any(), "a row that failed is among the best")
    require(work.started.best(1).x.isfinite().any(), "nothing is best, though rows were told")


def check_best(subject: Subject) -> None:
    """The best designs are those with the smallest errors that were told, in that order."""
    for name in _CASES:
        work = begin(subject, name)
        lowest = torch.full((3,), torch.inf, dtype=torch.float64)
        for requests in work.rounds(5):
            y = work.responses(requests)
            whose = torch.zeros(len(y)).long() if requests.target is None else requests.target
            lowest = lowest.scatter_reduce(0, whose, work.error(y, whose), "amin")
        best = work.started.best(2)
        require(tuple(best.x.shape[:2]) == (3, 2), f"best(2) has shape {tuple(best.x.shape)}")
        if best.predicted is None:
            raise CheckFailed("best gives no responses: put them into predicted")
        error = squared_error(best.predicted, work.targets.y)
        worse = error[:, 0] > lowest + 1e-12 * lowest.abs()
        require(not worse.any(), f"{name}: a row that was told is better than the best")
        sorted_ = (error[:, 1] >= error[:, 0]) | error[:, 1].isnan()
        require(sorted_.all(), f"{name}: the second best comes first")
        true = work.case.task.simulate(best.x[:, 0])
        require(same(true, best.predicted[:, 0]), f"{name}: predicted are no told responses")


def check_state(subject: Subject) -> None:
    """A loop that is stored and restored after every tell asks for the same rows, bit for bit."""
    for name in _CASES:
        work = begin(subject, name)
        for round_ in range(8):
            requests = work.ask(5 if round_ % 2 else None)
            if not len(requests):
                break
            # Some rows stay pending, and come in another order
            part = requests[torch.arange(len(requests)).flip(0)[: max(1, len(requests) - 1)]]
            work.tell(part)
            state = {k: v.detach().cpu().contiguous() for k, v in work.started.state().items()}
            again = work.loop.restore(work.case.problem, load(save(state)), FitEnvironment(1))
            left = (again.pending(), work.started.pending())
            require(same_requests(*left), f"{name}: the restored loop has other rows pending")
            pair = (again.ask(2), work.started.ask(2))
            require(same_requests(*pair), f"{name}: the restored loop asks for other rows")
            left = (again.pending(), work.started.pending())
            work.tell(left[1])
            again.tell(Results(left[0].id, left[0].designs, work.responses(left[0])))
            pair = (again.ask(7), work.started.ask(7))
            require(same_requests(*pair), f"{name}: the restored loop asks for other rows")
            best = (again.best(2).x, work.started.best(2).x)
            require(same(*best), f"{name}: the restored loop knows other best designs")
            work.tell(pair[1])


def check_repeats(subject: Subject) -> None:
    """Started twice, it asks for the same rows; global generators are left alone."""
    with untouched_generators("a loop"):
        pair = [begin(subject, "twist", env=FitEnvironment(seed)) for seed in (0, 5)]
        for _ in range(3):
            first, second = (work.ask() for work in pair)
            require(same_requests(first, second), "started twice, it asks for different rows")
            for work, requests in zip(pair, (first, second), strict=True):
                work.tell(requests)


def check_points_matter(subject: Subject) -> None:
    """Other points lead to other rows."""
    loop = subject.build()
    only_if(loop.point_dim(begin(subject, "bowl").case.problem) > 0, "it takes no points")
    rows = [begin(subject, "bowl", seed=seed).ask() for seed in (0, 1)]
    require(not same_requests(*rows), "other points lead to the same rows")


def check_arguments_unchanged(subject: Subject) -> None:
    """Targets, known pairs and what is told are as before; later changes of them do nothing."""
    pairs = begin(subject, "twist").case.train[:20]
    kept = Pairs(pairs.x.clone(), pairs.y.clone())
    with unchanged("start", x=pairs.x, y=pairs.y):
        work, other = begin(subject, "twist", pairs=pairs), begin(subject, "twist", pairs=kept)
    pairs.x.zero_(), pairs.y.zero_()
    for _ in range(2):
        requests, others = work.ask(), other.ask()
        require(same_requests(requests, others), "pairs changed after start change the rows")
        y = work.responses(requests)
        with unchanged("tell", designs=requests.designs, responses=y):
            work.started.tell(Results(requests.id, requests.designs, y))
        other.tell(others)
        y.zero_()


def check_known_pairs(subject: Subject) -> None:
    """Known pairs, and rows that nobody asked for, are among the best where they are."""
    work = begin(subject, "bowl")
    x = work.case.test.x[:3]
    warm = begin(subject, "bowl", pairs=Pairs(x, work.case.test.y[:3]))
    for what, started in (("known pairs", warm.started), ("rows not asked for", work.started)):
        if what != "known pairs":
            started.tell(Results(None, x, work.case.test.y[:3]))
        best = started.best(1).x[:, 0]
        require(same(best, x), f"{what} that answer a target exactly are not its best")


def check_other_targets(subject: Subject) -> None:
    """For other targets it goes on with what it knows."""
    work = begin(subject, "bowl")
    told = []
    for requests in work.rounds(4):
        told.append(work.responses(requests))
    wanted = work.case.test.y[5:8]
    work.started.retarget(Targets(wanted.clone()))
    best = work.started.best(1)
    if best.predicted is None:
        raise CheckFailed("best gives no responses: put them into predicted")
    error = squared_error(best.predicted, wanted)[:, 0]
    known = (torch.cat(told)[:, None] - wanted).square().mean(dim=2).amin(dim=0)
    require((error <= known + 1e-12).all(), "rows that were told are forgotten for other targets")
    require(len(work.ask()) > 0, "it asks for nothing for other targets")


def check_end(subject: Subject) -> None:
    """When it asks for no more, and nothing is pending, all targets are finished."""
    work = begin(subject, "bowl", 2, 1)
    ended = False
    while not ended and work.asked < MOST:
        requests = work.ask()
        ended = not len(requests)
        if not ended:
            work.tell(requests)
    only_if(ended, f"it still asks after {MOST} rows")
    finished = work.started.finished()
    require(finished.shape == (2,) and finished.dtype == torch.bool, "finished is not (B,), bool")
    require(finished.all(), "it asks for no more, and some targets are not finished")


def check_as_method(subject: Subject) -> None:
    """As a method, it answers better than random designs do."""
    loop: type[Loop[Any]] = subject.component  # type: ignore[assignment]
    method = MethodSubject("method", subject.name, method_of(loop), settings=subject.settings)
    question = method.ask("bowl", 12, 3)
    error = squared_error(question.responses(question.designs()), question.targets.y)
    blind = (question.case.train.y[:36].view(12, 3, 1) - question.targets.y[:, None]).square()
    ours, theirs = float(error.amin(dim=1).mean()), float(blind.mean(dim=2).amin(dim=1).mean())
    require(ours < theirs, f"its error is {ours:.3g}, that of random designs {theirs:.3g}")
