"""Robust designs: yields by a judge and by a simulator, ranking, the command."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import invcore_solve
import numpy as np
import pandas as pd
import pytest
import torch
from invcore_solve.answers.asked import Wanted
from invcore_solve.answers.proposal import Proposal
from invcore_solve.derived.follow import Followers
from invcore_solve.derived.judge import DerivedJudge
from invcore_solve.page.page import rendered
from invcore_solve.proposals.mixes import stepped_freely
from invcore_solve.robustness.judged_copies import JudgedCopies
from invcore_solve.robustness.movers import ERROR, NOISE, movers_of
from invcore_solve.robustness.robust_designs import robust_proposal
from invcore_solve.robustness.simulated_copies import YieldRequest
from invcore_solve.schema.choices import Choices

from invcore import Requirement, Space, Specification, Uniform, Variable
from invcore.base.errors import ConfigError, UnknownNameError
from invcore.plugin import FittedJudge, MadeDesigns, Targets, Tolerances, Verdict

DESIGNS = Space.of(*(Variable(name=n, prior=Uniform(low=0.0, high=1.0)) for n in "ab"))
RESPONSES = Space.of(Variable(name="y"))
ONE = torch.zeros(1, dtype=torch.long)
LINEAR = {"members": ["linear"]}


class Line(FittedJudge):
    """Expects 2 a - b, and knows it but for a normal error."""

    def __init__(self, std: float) -> None:
        self.std = std

    def predict(self, x, level=0.9):
        y = 2 * x[:, :1] - x[:, 1:]
        std = torch.full_like(y, self.std)
        return Verdict(y, 2 * std, std)

    def probability(self, x, targets):
        raise NotImplementedError

    def state(self):
        return {}


def made(*texts: str, copies: int = 2048, responses: Space = RESPONSES) -> MadeDesigns:
    return MadeDesigns.draw(
        Tolerances.of_texts(texts, DESIGNS, responses), DESIGNS, responses, copies, seed=0
    )


def within(half: float, **more: Requirement) -> Targets:
    """Within this of 1."""
    own = {"y": Requirement(low=1 - half, high=1 + half), **more}
    responses = Space.of(*(Variable(name=name) for name in own))
    return Targets.of([Specification.of(own)], responses)


def inside(std: float, half: float, shift: float = 0.0) -> float:
    """The probability of a normal to be within."""
    ends = ((half - shift) / std / math.sqrt(2), (half + shift) / std / math.sqrt(2))
    return 0.5 * (math.erf(ends[0]) + math.erf(ends[1]))


MIDDLE = torch.tensor([[0.75, 0.5]], dtype=torch.float64)  # expected to give 1
BOTH = ("a=~0.03", "b=~0.08")  # a standard deviation of 0.1 of the response


def test_a_judge_that_is_sure_gives_the_yield_in_closed_form() -> None:
    copies = JudgedCopies(Line(0.0), made(*BOTH))
    found = copies.robustness(MIDDLE, within(0.1), ONE)
    assert float(found.share) == pytest.approx(inside(0.1, 0.1), abs=0.003)
    assert float(found.low) < float(found.share) < float(found.high)
    assert float(found.high - found.low) == pytest.approx(0.04, abs=0.005)  # of the copies alone
    assert float(found.nominal) == pytest.approx(0.0, abs=1e-20)


def test_the_copies_of_a_design_share_the_judges_error() -> None:
    """Each draw shifts all copies: at the ends there is no shift, and a large one."""
    copies = JudgedCopies(Line(0.05), made(*BOTH), draws=400)
    found = copies.robustness(MIDDLE, within(0.1), ONE)
    assert float(found.share) == pytest.approx(inside(math.hypot(0.1, 0.05), 0.1), abs=0.01)
    least = inside(0.1, 0.1, shift=0.05 * 2.24)  # of the largest 2.5% of sizes
    assert float(found.low) == pytest.approx(least - 0.02, abs=0.03)
    assert float(found.high) == pytest.approx(inside(0.1, 0.1) + 0.02, abs=0.01)
    sure = JudgedCopies(Line(0.05), made(*BOTH), exactly=True).robustness(MIDDLE, within(0.1), ONE)
    assert float(sure.share) == pytest.approx(inside(0.1, 0.1), abs=0.003)


def test_what_is_known_of_a_design_is_taken_for_its_copies() -> None:
    """The judge is off by 0.05 here, and nothing is known of the second design."""
    copies = JudgedCopies(Line(0.0), made(*BOTH))
    x, truth = MIDDLE.expand(2, 2), torch.tensor([[1.05], [torch.nan]], dtype=torch.float64)
    found = copies.robustness(x, within(0.1), torch.zeros(2, dtype=torch.long), truth)
    expected = [inside(0.1, 0.1, shift=0.05), inside(0.1, 0.1)]
    assert found.share.tolist() == pytest.approx(expected, abs=0.005)
    unsure = JudgedCopies(Line(0.1), made(*BOTH), draws=400)
    found = unsure.robustness(MIDDLE, within(0.1), ONE, torch.ones(1, 1).double())
    assert float(found.share) == pytest.approx(inside(math.hypot(0.1, 0.05), 0.1), abs=0.01)


def test_designs_beside_others_reach_the_edges_of_what_is_allowed() -> None:
    space = Space.of(*DESIGNS.variables, constraints=["a + b <= 1"])
    rng = np.random.default_rng(0)
    base = np.tile([[0.45, 0.5]], (400, 1))
    pair = (np.tile([[0.5, 0.1]], (400, 1)), np.tile([[0.4, 0.1]], (400, 1)))
    x, origin = stepped_freely(space, base, pair, 0.02, rng)
    assert len(x) == 400 and bool(space.contains(torch.from_numpy(x)).all())
    assert origin.tolist() == list(range(400))
    edge = np.abs(x.sum(axis=1) - 1) < 1e-9
    assert 0.1 < edge.mean() < 0.6 and np.ptp(x[edge, 0]) > 0.01
    assert np.abs(x - base[0]).max() < 0.12, "a step is small for tied variables too"


def test_a_search_without_rows_finds_what_is_made_best_at_the_edge_of_what_is_allowed() -> None:
    """Only a deviates, by a share of itself: b, which does not, should give all that it can."""
    x = torch.rand(80, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    x[:, 0] *= 1 - x[:, 1]
    choices = Choices(responses=("y",), constraints=("a + b <= 1",))
    frame = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": 2 * x[:, 0] + 0.2 * x[:, 1]})
    designer = replace(invcore_solve.fit(frame, choices=choices, judge_settings=LINEAR), near=False)
    want, texts = ["y=1.0:1.1"], ["a=~8%"]
    wanted = Wanted.of(designer.data.responses, designer.reach.scale, want=want)
    found = replace(designer, near=True).propose(want=want, candidates=8)
    best = [
        robust_proposal(designer, found, wanted, texts, count=8, seed=0, search=search)
        for search in (False, True)
    ]
    assert bool(designer.data.designs.contains(best[1].designs).all())
    first, second = (float(each.making.robustness.share[0]) for each in best)
    assert second > first
    a, b = best[1].designs[0].tolist()
    assert a + b == pytest.approx(1.0, abs=0.02), "2 a + 0.2 b with the least a: at the edge"


def test_each_design_is_asked_for_its_own_target() -> None:
    both = Targets.of_parts(*(
        torch.cat([getattr(within(half), name) for half in (0.1, 0.3)]) for name in Targets.parts
    ))  # fmt: skip
    x = MIDDLE.expand(2, 2)
    found = JudgedCopies(Line(0.0), made(*BOTH)).robustness(x, both, torch.tensor([1, 0]))
    expected = [inside(0.1, 0.3), inside(0.1, 0.1)]
    assert found.share.tolist() == pytest.approx(expected, abs=0.003)


def test_correlated_deviations_cancel() -> None:
    texts = ("a=~0.03", "b=~0.06", "correlation a,b=1")
    found = JudgedCopies(Line(0.0), made(*texts)).robustness(MIDDLE, within(0.001), ONE)
    assert float(found.share) == 1.0


def test_derived_responses_follow_from_what_is_made() -> None:
    followers = Followers.of(["cost = a + 0*y"], DESIGNS, ["y"], {})
    judge = DerivedJudge(Line(0.0), followers)
    wide = Space.of(*RESPONSES.variables, Variable(name="cost"))
    copies = JudgedCopies(judge, made("a=~0.03", responses=wide))
    cheap = within(10.0, cost=Requirement(high=0.75 + 0.03))
    found = copies.robustness(MIDDLE, cheap, ONE)
    assert float(found.share) == pytest.approx(0.5 * (1 + math.erf(1 / math.sqrt(2))), abs=0.003)


def test_what_moves_a_yield() -> None:
    deviations = made(*BOTH, "response y=~0.05")
    movers = movers_of(Line(0.02), deviations, DESIGNS.names, MIDDLE[0], within(0.1))
    assert movers.names == ("a", "b", NOISE, ERROR)
    sizes = np.array([0.06, 0.08, 0.05, 0.02])
    without = [inside(math.sqrt(np.square(np.delete(sizes, i)).sum()), 0.1) for i in range(4)]
    assert movers.without == pytest.approx(without, abs=0.01)
    assert movers.share == pytest.approx(inside(math.sqrt(np.square(sizes).sum()), 0.1), abs=0.01)
    assert movers.gains[1] == max(movers.gains)
    assert set(movers.document()["without"]) == set(movers.names)


def ranked() -> Proposal:
    """Two designs of one target; the second is as good, and varies less as it is made."""
    x = torch.tensor([[0.75, 0.5], [0.5, 0.0]], dtype=torch.float64)
    target = torch.ones(2, 1, dtype=torch.float64)
    return Proposal(
        target, torch.tensor([1, 2]), x, (("a", "b"), ("y",)), responses=target.clone(),
        error=torch.zeros(2, dtype=torch.float64),
    )  # fmt: skip


def answered(request: YieldRequest, judge: FittedJudge | None = None) -> tuple[Proposal, int]:
    calls = []

    def simulate(x: torch.Tensor) -> torch.Tensor:
        calls.append(len(x))
        return 2 * x[:, :1] - x[:, 1:]

    found = request.answered(
        ranked(), torch.ones(1).double() * 10, (DESIGNS, RESPONSES), 0, simulate=simulate,
        judge=judge,
    )  # fmt: skip
    return found, sum(calls)


def test_a_simulator_answers_for_what_is_made() -> None:
    found, calls = answered(YieldRequest(("b=~8%", "a=~0.025"), 4096))
    assert calls == 4096 and found.making is not None
    stds = [0.05, math.hypot(0.05, 0.04)]  # of the second, and of the first
    shares = [inside(std, 0.1) for std in stds]  # within 0.01 of a deviation of 10
    assert found.making.robustness.share.tolist() == pytest.approx(shares, abs=0.003)
    assert found.rank.tolist() == [1, 2] and found.designs[0].tolist() == [0.5, 0.0]
    assert found.columns()["yield"] == found.making.robustness.share.tolist()
    assert found.top(1).columns()["yield low"] == [float(found.making.robustness.low[0])]


def test_a_judge_answers_where_there_are_no_calls() -> None:
    found, calls = answered(YieldRequest(("b=~8%", "a=~0.025")), Line(0.0))
    assert calls == 0 and found.making is not None and found.making.by == "judge"
    assert found.designs[0].tolist() == [0.5, 0.0]


def test_few_calls_are_for_the_first_designs_alone() -> None:
    found, calls = answered(YieldRequest(("b=~8%",), 100))
    assert calls == 100 and found.making is not None
    assert found.making.robustness.share.isnan().tolist() == [False, True]


@pytest.mark.parametrize(
    ("request_", "judged", "message"),
    [
        (YieldRequest(("a=±1",), 31), True, "too few for 2 targets"),
        (YieldRequest(("a=±1",)), False, "searches"),
        (YieldRequest((), 100), True, "no tolerances"),
    ],
)
def test_what_cannot_be_done_is_told_before(request_, judged, message) -> None:
    with pytest.raises(ConfigError, match=message):
        request_.check(2, judged)


@pytest.fixture(scope="module")
def designer():
    """A table of 2 a - b, where b hardly deviates at one end."""
    x = torch.rand(80, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return invcore_solve.fit(x, 2 * x[:, :1] - x[:, 1:], judge_settings=LINEAR)


WANT = ["y1=0.9:1.1"]
MADE = ["x1=~0.01", "x2=~40%"]


@pytest.fixture(scope="module")
def proposal(designer):
    return designer.propose(want=WANT, tolerances=MADE, candidates=12)


def test_designs_are_ranked_by_their_yield(designer, proposal) -> None:
    making = proposal.making
    assert making is not None and len(proposal) == 12 and making.by == "judge"
    share = making.robustness.share
    assert bool((share.diff() <= 1e-3).all())
    std = (0.02**2 + (0.4 * proposal.designs[:, 1]) ** 2).sqrt()
    away = 2 * proposal.designs[:, 0] - proposal.designs[:, 1] - 1
    expected = [inside(float(s), 0.1, float(a)) for s, a in zip(std, away, strict=True)]
    assert share.tolist() == pytest.approx(expected, abs=0.03)
    low, high = making.robustness.low, making.robustness.high
    assert bool((low <= share).all()) and bool((share <= high).all())
    plain = designer.propose(want=WANT, candidates=12).designs[:, 1]
    assert float(proposal.designs[0, 1]) <= float(plain.median())


def test_the_best_of_each_target_is_explained(proposal) -> None:
    (movers,) = proposal.making.movers
    assert movers.names == ("x1", "x2", ERROR)
    assert movers.share == pytest.approx(float(proposal.making.robustness.share[0]))
    assert json.loads(json.dumps(proposal.making.document()))["tolerances"] == MADE


def test_the_page_shows_what_moves_the_yield(designer) -> None:
    found = designer.propose([[1.0], [0.5]], tolerances=["x1=±0.01"], candidates=3)
    page = rendered(designer, found)
    assert "What moves the yield" in page and page.count("yield without it") == 2
    assert "What moves the yield" not in rendered(designer, designer.propose([[1.0]], candidates=3))


def test_the_same_seed_gives_the_same_designs(designer, proposal) -> None:
    again = designer.propose(want=WANT, tolerances=MADE, candidates=12)
    assert torch.equal(again.designs, proposal.designs)
    assert again.columns()["yield"] == proposal.columns()["yield"]


def test_wrong_tolerances_are_refused(designer) -> None:
    with pytest.raises(UnknownNameError, match="no variable 'width'"):
        designer.propose(want=WANT, tolerances=["width=±1"])


def test_a_simulators_calls_for_yields_are_in_the_budget() -> None:
    from invcore_solve.from_simulator import solve_with

    solution = solve_with(
        lambda x: 2 * x[:, :1] - x[:, 1:], {"a": (0, 1), "b": (0, 1)}, targets=[[1.0]],
        method="cma-es", candidates=5, budget=600, tolerances=["*=~0.001"],
        yield_calls=256,
    )  # fmt: skip
    assert solution.ranked.making is not None and solution.ranked.making.by == "simulator"
    assert solution.record.simulator_calls <= 600
    with pytest.raises(ConfigError, match="and 256 calls for yields take at least 257"):
        solve_with(
            lambda x: x[:, :1], {"a": (0, 1), "b": (0, 1)}, targets=[[1.0]], method="cma-es",
            candidates=5, budget=200, tolerances=["*=~0.001"], yield_calls=256,
        )  # fmt: skip


def test_the_command(tmp_path, monkeypatch, call) -> None:
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).random((60, 2))
    rows = np.c_[x, 2 * x[:, 0] - x[:, 1]].tolist()
    text = "width,height,gap\n" + "".join(",".join(map(repr, row)) + "\n" for row in rows)
    Path("all.csv").write_text(text)
    Path("c.csv").write_text("width,height\n1,0.5\n0.5,1\n")
    words = [
        "solve", "--table", "all.csv", "--response-columns", "gap", "--target", "1",
        "--surrogate", "linear", "--candidates", "4",
    ]  # fmt: skip
    more = ["--tolerance", "*=±0.002", "--tolerance", "@c.csv", "--json"]
    document = call(*words, *more).json
    assert document["making"]["tolerances"][-1] == "correlation width,height=0.5"
    assert 0 <= document["designs"][0]["yield low"] <= document["designs"][0]["yield"] <= 1
    shown = call(*words, "--tolerance", "width=±0.002").out
    assert "yield: share of made designs that meet what is wanted, by the judge" in shown
