"""Journals of loops: what is asked, told, pending, changed, and found again."""

from __future__ import annotations

import pytest
import torch

from invcore.base.errors import ConfigError, DataError, ShapeError, StoreError, UnknownNameError
from invcore.contracts.loop import no_pairs
from invcore.plugin import FitEnvironment, LinearInequality, Pairs, Problem, Results, Space, Targets
from invcore.search.loop_journal import fixed_space
from tests.search.journals_at_work import (
    DESIGNS,
    POINTS,
    PROBLEM,
    RESPONSES,
    TARGETS,
    again,
    begin,
    build,
    results,
    same,
    same_rows,
    simulate,
    work,
)

NAN = torch.nan
LOOPS = ["cma-es", "random-search"]


def one(number, x, *y):
    ids = None if number is None else torch.tensor([number])
    x, y = (torch.as_tensor(v, dtype=torch.float64)[None] for v in (x, y))
    return Results(ids, x, y)


@pytest.mark.parametrize("name", LOOPS)
def test_it_asks_for_what_the_loop_asks_for(name, tmp_path):
    journal = begin(tmp_path, name)
    loop = build(name, journal.loop.config)
    started = loop.start(PROBLEM, TARGETS, no_pairs(PROBLEM), POINTS, FitEnvironment())
    first = 0
    for count in (3, 5, None, 4, None, 1):
        ours, theirs = journal.ask(count), started.ask(count)
        assert torch.equal(ours.designs, theirs.designs)
        assert torch.equal(ours.target, theirs.target)
        assert ours.id.tolist() == list(range(first, first + len(ours)))
        first += len(ours)
        part = slice(0, max(1, len(ours) - 1))
        journal.tell(results(ours[part]))
        started.tell(results(theirs[part]))
        assert torch.equal(journal.finished(), started.finished())
    rows = journal.rows  # whoever asked for one, each counts for every target
    rows = rows[rows.told]
    error = (rows.responses[None] - TARGETS.y[:, None]).square().mean(dim=2)
    assert torch.equal(journal.best(3).x, rows.made[error.argsort(dim=1, stable=True)[:, :3]])


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("kept", [True, False])
def test_opened_again_after_each_step_it_asks_for_the_same(name, kept, tmp_path):
    whole = begin(tmp_path / "whole", name)
    begin(tmp_path / "parts", name)
    work(whole, 12)
    for _ in range(12):
        parts = again(tmp_path / "parts")
        work(parts, 1)
        if not kept:
            (tmp_path / "parts" / "state.safetensors").unlink()
    assert same_rows(whole.rows, again(tmp_path / "parts").rows)
    assert torch.equal(whole.finished(), again(tmp_path / "parts").finished())
    assert not whole.restarts


def test_rows_that_were_asked_for_are_pending_when_it_is_opened_again(tmp_path):
    requests = begin(tmp_path, pairs=Pairs(torch.ones(1, 2), torch.ones(1, 2)),
                     facts={"unit": "mm"}).ask(3)  # fmt: skip
    journal = again(tmp_path)
    left = journal.pending()
    assert torch.equal(left.id, requests.id) and torch.equal(left.designs, requests.designs)
    assert torch.equal(left.target, requests.target)
    assert (journal.facts, journal.loop.name, len(journal.pairs)) == ({"unit": "mm"}, "cma-es", 1)
    assert journal.problem == PROBLEM and torch.equal(journal.targets.y, TARGETS.y)
    journal.tell(results(left[1:2]))
    assert again(tmp_path).pending().id.tolist() == [0, 2]


@pytest.mark.parametrize("name", LOOPS)
def test_several_processes_ask_for_no_more_rows_than_may_be_asked_for_in_all(name, tmp_path):
    first = begin(tmp_path, name)
    second = again(tmp_path)
    assert len(first.ask(3, most=5)) == 3
    assert second.ask(3, most=5).id.tolist() == [3, 4]
    for journal in (first, second):
        none = journal.ask(3, most=5)
        assert none.designs.shape == (0, DESIGNS.dim) and len(none.id) == 0
        assert journal.events == 3  # an ask for nothing is none
    assert len(first.ask(2, fixed={DESIGNS.names[0]: 0.5}, most=6)) == 1
    assert len(first.ask(None, most=8)) <= 2


def test_the_same_result_again_says_nothing_new(tmp_path):
    journal = begin(tmp_path)
    requests = journal.ask(3)
    assert journal.tell(results(requests)).new == 3
    events = journal.events
    told = again(tmp_path).tell(results(requests))
    assert (told.repeated, told.counting, journal.events) == (3, 0, events)
    assert journal.tell(results(requests, torch.full((3, 2), NAN))).repeated == 3  # or less


def test_another_result_of_a_row_is_a_further_measurement(tmp_path):
    journal = begin(tmp_path)
    x = journal.ask(1).designs[0]
    journal.tell(one(0, x, 1.0, 2.0))
    assert journal.tell(one(0, x, 1.0, 2.5)).replicated == 1
    assert journal.tell(one(0, x, 1.0, 2.5)).repeated == 1
    assert journal.tell(one(0, x + 0.1, 1.0, 2.0)).replicated == 1
    rows = again(tmp_path).rows
    assert rows.id.tolist() == [0, -1, -1] and rows.repeats.tolist() == [-1, 0, 0]
    assert rows.responses[:, 1].tolist() == [2.0, 2.5, 2.0]
    assert journal.ask(1).id.tolist() == [1]


def test_a_partial_result_is_completed(tmp_path):
    journal = begin(tmp_path)
    x = journal.ask(2).designs[0]
    told = journal.tell(one(0, x, 0.5, NAN))
    assert (told.new, told.partial) == (1, 1)
    assert journal.best().x[0].isnan().all()  # its error is not known
    told = again(tmp_path).tell(one(0, x, NAN, 1.0))
    assert (told.completed, told.partial) == (1, 0)
    rows = journal.rows[:1]
    assert rows.responses.tolist() == [[0.5, 1.0]] and not bool(rows.failed)
    assert torch.equal(journal.best().x[0, 0], x)
    # The loop itself knows the whole row: another that has the same rows asks for the same
    assert len(journal.ask(3)) == 3


def test_numbers_that_are_not_finite_count_as_unknown_and_a_failed_row_may_succeed_later(tmp_path):
    journal = begin(tmp_path)
    x = journal.ask(2).designs
    told = journal.tell(one(0, x[0], torch.inf, -torch.inf))
    assert (told.failed, told.partial) == (1, 0) and bool(journal.rows.failed[0])
    failed = Results(torch.tensor([1]), x[1:], torch.ones(1, 2), torch.tensor([True]))
    assert journal.tell(failed).failed == 1
    assert journal.rows.responses.isnan().all()
    assert journal.tell(one(1, x[1], 1.0, 1.0)).completed == 1
    assert again(tmp_path).rows.failed.tolist() == [True, False]


def test_rows_that_nobody_asked_for_count_once(tmp_path):
    journal = begin(tmp_path)
    x = torch.tensor([[1.0, 1.0], [1.0, 1.0], [0.5, 1.5]]).double()
    y = torch.tensor([[0.5, 1.0], [0.5, 1.0], [1.0, NAN]]).double()
    assert journal.tell(Results(None, x, y)).unasked == 3  # two equal rows of one table are two
    assert again(tmp_path).tell(Results(None, x, y)).repeated == 3
    assert journal.tell(one(None, x[2], NAN, 4.0)).completed == 1
    assert journal.rows.id.tolist() == [-1, -1, -1] and journal.rows.responses[2, 1] == 4.0
    best = journal.best(2)
    assert torch.equal(best.x[0], x[:2])  # exactly what is wanted


def test_made_otherwise_counts_as_made(tmp_path):
    journal = begin(tmp_path)
    requests = journal.ask(2)
    made = (requests.designs + 0.01).clamp(max=2)
    journal.tell(Results(requests.id, made, simulate(made)))
    rows = again(tmp_path).rows
    assert torch.equal(rows.made, made) and torch.equal(rows.asked, requests.designs)


def test_what_cannot_be_told_is_refused_and_changes_nothing(tmp_path):
    journal = begin(tmp_path)
    x = journal.ask(2).designs
    y = simulate(x)
    for kind, wrong, words in (
        (DataError, Results(torch.tensor([0, 9]), x, y), "row 9 was never asked for"),
        (DataError, Results(torch.tensor([0, 1]), x * NAN, y), "expected finite numbers"),
        (ShapeError, Results(torch.tensor([0, 1]), x[:, :1], y), "expected 2 columns"),
        (ShapeError, Results(torch.tensor([0, 1]), x, y[:, :1]), "expected 2 columns"),
    ):
        with pytest.raises(kind, match=words):
            journal.tell(wrong)
    with pytest.raises(ConfigError, match="at least 1"):
        journal.ask(0)
    assert (journal.events, journal.pending().id.tolist()) == (2, [0, 1])


@pytest.mark.parametrize("name", LOOPS)
def test_fixed_choices_hold_in_their_batch_and_leave_the_loop_alone(name, tmp_path):
    journal, other = begin(tmp_path / "a", name), begin(tmp_path / "b", name)
    assert torch.equal(journal.ask(3).designs, other.ask(3).designs)
    fixed = journal.ask(2, fixed={"oven": 1.25})
    assert fixed.designs[:, 1].tolist() == [1.25, 1.25] and fixed.id.tolist() == [3, 4]
    assert len({*fixed.designs[:, 0].tolist()}) == 2
    assert torch.equal(journal.ask(3).designs, other.ask(3).designs)
    journal.tell(results(fixed))
    other.tell(Results(None, fixed.designs, simulate(fixed.designs)))  # as the loop sees them
    assert torch.equal(journal.ask(3).designs, other.ask(3).designs)
    rows = again(tmp_path / "a").rows
    assert rows.by_loop.tolist() == [True] * 3 + [False] * 2 + [True] * 6
    with pytest.raises(UnknownNameError, match="Did you mean 'oven'"):
        journal.ask(2, fixed={"ofen": 1.0})
    with pytest.raises(ConfigError):
        journal.ask(2, fixed={"oven": 7.0})


def test_fixed_choices_go_with_the_constraints():
    space = fixed_space(
        Space.of(*DESIGNS.variables, constraints=["width + oven <= 2.5"]), {"oven": 2.0}
    )
    assert bool((space.sample(50, torch.Generator().manual_seed(0))[:, 0] <= 0.5).all())


def test_other_constraints_halfway(tmp_path):
    journal = begin(tmp_path)
    work(journal, 6)
    journal.tell(Results(None, torch.tensor([[0.2, 1.6]]).double(), TARGETS.y[:1]))
    assert same(journal.best().predicted[0], TARGETS.y[:1])
    left = journal.pending()
    most = LinearInequality(coefficients={"width": 1.0, "oven": 1.0}, high=1.0)
    space = Space.of(*DESIGNS.variables, constraints=[most])
    journal.change(problem=Problem("bowl", space, RESPONSES), facts={"why": "the press"})
    journal.tell(results(left))  # what was pending may still be told
    journal = again(tmp_path)
    requests = journal.ask(8)
    assert bool(space.contains(requests.designs).all())
    assert journal.facts == {"why": "the press"} and len(journal.pending()) == len(requests)
    journal.tell(results(requests))
    assert bool(space.contains(journal.best(2).x).all())  # the row of before is no design any more
    with pytest.raises(ConfigError, match="keeps its columns"):
        journal.change(problem=Problem("bowl", RESPONSES, RESPONSES))


def test_another_specification_halfway(tmp_path):
    journal = begin(tmp_path)
    work(journal, 4)
    left, known = journal.pending(), journal.rows
    wanted = Targets(known.responses[known.whole][:3].clone())
    journal.change(targets=wanted)
    assert same(journal.best().predicted[:, 0], wanted.y)
    journal.tell(results(left))
    requests = journal.ask(4)
    replayed = tmp_path / "state.safetensors"
    replayed.unlink()
    assert torch.equal(again(tmp_path).pending().designs, requests.designs)
    journal.tell(results(requests))
    assert torch.equal(again(tmp_path).ask(4).designs, journal.pending().designs)
    journal.change(targets=wanted[:1])  # fewer than before
    assert journal.ask(6).target.unique().tolist() == [0]
    assert journal.finished().shape == (1,) and again(tmp_path).finished().shape == (1,)


def test_a_change_that_the_loop_refuses_is_none(tmp_path):
    journal = begin(tmp_path)
    with pytest.raises(ShapeError):
        journal.change(targets=Targets(torch.ones(3, 5)))
    assert journal.events == 1 and len(journal.ask(2)) == 2


def test_contexts_are_kept(tmp_path):
    targets = Targets(TARGETS.y, {"load": torch.tensor([1.0, 2.0, 3.0]).double()})
    journal = begin(tmp_path, "random-search", targets=targets)
    requests = journal.ask(6)
    journal.tell(results(requests[:4]))
    journal.tell(one(0, requests.designs[0], 7.0, 7.0))  # a replicate, whose problem is known
    journal = again(tmp_path)
    assert torch.equal(journal.targets.context["load"], targets.context["load"])
    assert len(journal.ask(3)) == 3
    own = journal.rows[(journal.rows.target == 2) & journal.rows.told]
    best = journal.best(5)
    assert int(best.x[2].isfinite().all(dim=1).sum()) == len(own)
    with pytest.raises(DataError, match="whose context they have is not known"):
        journal.tell(one(None, requests.designs[0], 1.0, 1.0))


def test_a_folder_has_one_journal(tmp_path):
    begin(tmp_path)
    with pytest.raises(StoreError, match="there is a journal already"):
        begin(tmp_path)
    with pytest.raises(StoreError, match="there is no journal"):
        again(tmp_path / "elsewhere")


def test_the_end(tmp_path):
    journal = begin(tmp_path, "random-search")
    while len(requests := journal.ask(500)):
        journal.tell(results(requests))
    events = journal.events
    assert len(journal.rows) == 1200 and bool(journal.finished().all())
    assert len(journal.ask()) == 0 and journal.events == events


@pytest.mark.parametrize("name", LOOPS)
def test_rows_of_ones_own_choice_have_ids_and_the_loop_goes_on(name, tmp_path):
    journal, other = begin(tmp_path / "a", name), begin(tmp_path / "b", name)
    for each in (journal, other):
        each.tell(results(each.ask(3)))
    chosen = journal.choose(journal.rows.made[:2])
    assert chosen.id.tolist() == [3, 4] and torch.equal(chosen.designs, journal.rows.made[:2])
    assert not bool(journal.rows.by_loop[3:].any())
    journal.tell(results(chosen))  # the same numbers are other measurements
    assert journal.rows.told.tolist() == [True] * 5
    with pytest.raises(DataError, match="finite"):
        journal.choose(torch.full((1, 2), NAN).double())
    with pytest.raises(ShapeError):
        journal.choose(torch.zeros(1, 5).double())
    requests = journal.ask(2)
    assert requests.id.tolist() == [5, 6]
    assert same_rows(again(tmp_path / "a").rows, journal.rows)


def test_other_settings_hold_from_then_on_and_are_found_again(tmp_path):
    journal = begin(tmp_path, "random-search")
    journal.tell(results(journal.ask(3)))
    config = journal.loop.config
    with pytest.raises(ConfigError):
        journal.change(config=config | {"tries": "many"})
    assert journal.loop.config == config
    journal.change(config=config | {"tries": 1})
    assert journal.loop.config["tries"] == 1
    first = journal.ask(50)
    assert len(first) == len(TARGETS.y) * POINTS.shape[1]  # one try of each search
    found = again(tmp_path)
    assert found.loop.config["tries"] == 1 and same_rows(found.rows, journal.rows)
    found.tell(results(first))
    assert len(found.ask(50)) == 0 and bool(found.finished().all())
    found.change(config=config)
    assert len(again(tmp_path).ask(50)) == 50
