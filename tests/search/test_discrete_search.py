"""Local search among neighbours: against all designs, within constraints, once localised."""

import itertools

import pytest
import torch

from invcore import Categorical, Integers, Space, Uniform, Variable
from invcore.plugin import Among, Fixed, Levels, LinearEquality, Pairs, generator
from invcore.search import SearchLimits, Visited, discrete_search
from invcore.search.neighbours import Neighbours

METAL = Variable(name="metal", prior=Categorical(categories=("gold", "iron", "air", "glass")))
LAYERS = Variable(name="layers", prior=Integers(low=0, high=6))
WIDTH = Variable(name="width", prior=Uniform(low=0.0, high=9.0))
MANY = Variable(name="many", prior=Integers(low=0, high=100))
WIDTHS = Levels(variable="width", values=(1.0, 2.0, 5.0, 7.0))
MIXED = Space.of(METAL, LAYERS, WIDTH, constraints=[WIDTHS])


def every(space):
    """All designs of MIXED (N, 3)."""
    values = [range(4), range(7), (1.0, 2.0, 5.0, 7.0)]
    x = torch.tensor(list(itertools.product(*values)), dtype=torch.float64)
    return x[space.contains(x)]


def random_score(seed):
    """A table of random numbers for the designs of MIXED."""
    table = torch.rand(4, 7, 10, generator=generator(seed), dtype=torch.float64)
    return lambda x, rows: table[tuple(x.long().T)]


@pytest.mark.parametrize("seed", range(5))
def test_where_it_ends_no_change_and_no_pair_of_changes_is_better(seed):
    score = random_score(seed)
    start = MIXED.sample(20, generator(seed))
    best, value = discrete_search(MIXED, start, score)
    assert bool((value <= score(start, None)).all())
    torch.testing.assert_close(value, score(best, None))
    x = every(MIXED)
    differ = (x != best[:, None]).sum(dim=2)  # (20, 112)
    others = torch.where(differ <= 2, score(x, None), torch.inf)
    assert bool((others.amin(dim=1) >= value).all())


def test_single_changes_alone_end_where_none_is_better():
    score = random_score(7)
    best, value = discrete_search(
        MIXED, MIXED.sample(20, generator(7)), score, SearchLimits(pairs=0)
    )
    x = every(MIXED)
    single = (x != best[:, None]).sum(dim=2) <= 1
    others = torch.where(single, score(x, None), torch.inf)
    assert bool((others.amin(dim=1) >= value).all())


def test_the_best_that_were_visited_are_different_designs_in_order():
    score, visited = random_score(3), Visited(10)
    discrete_search(MIXED, MIXED.sample(10, generator(3)), score, visited=visited)
    x = every(MIXED)
    assert len(visited.x.unique(dim=0)) == 10
    torch.testing.assert_close(visited.score, score(x, None).sort().values[:10])


def test_a_number_of_many_values_goes_by_growing_steps():
    space = Space.of(MANY)
    changes = Neighbours.of(space).changes(torch.tensor([[50.0]], dtype=torch.float64))[0, :, 0]
    assert sorted(set(changes.tolist())) == sorted(
        {max(0, min(100, 50 + sign * 2**k)) for sign in (1, -1) for k in range(7)}
    )
    best, _ = discrete_search(
        space, torch.zeros(1, 1).double(), lambda x, rows: (x[:, 0] - 77).abs(),
        SearchLimits(rounds=7),
    )  # fmt: skip
    assert best.tolist() == [[77.0]]


CONSTRAINED = {
    "levels": (METAL, LAYERS, WIDTH, [WIDTHS]),
    "fixed": (METAL, LAYERS, [Fixed(variable="metal", value=2.0)]),
    "sum": (LAYERS, MANY, [LinearEquality(coefficients={"layers": 1.0, "many": 1.0}, value=20.0)]),
    "list": (
        METAL, LAYERS, MANY,
        [Among(variables=("metal", "layers"), designs=((0.0, 1.0), (1.0, 6.0), (3.0, 2.0)))],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONSTRAINED)
def test_all_that_is_scored_is_allowed(name):
    *variables, constraints = CONSTRAINED[name]
    space = Space.of(*variables, constraints=constraints)
    weights = torch.rand(space.dim, generator=generator(1), dtype=torch.float64) - 0.5
    seen = []

    def score(x, rows):
        seen.append(x)
        return x @ weights

    start = space.sample(8, generator(2))
    best, value = discrete_search(space, start, score)
    assert bool(space.contains(torch.cat(seen)).all())
    if name != "sum":  # whose changes are repaired as the projection does
        reference = space.sample(2000, generator(3)) @ weights
        torch.testing.assert_close(value, reference.amin().expand(8))
    assert bool((value < (start @ weights) + 1e-12).all()) and len(best) == 8


def test_continuous_variables_are_moved_for_promising_neighbours():
    space = Space.of(METAL, WIDTH)
    place = torch.tensor([1.0, 3.0, 8.0, 6.0], dtype=torch.float64)
    depth = torch.tensor([3.0, 2.0, 0.0, 1.0], dtype=torch.float64)

    def score(x, rows):
        kind = x[:, 0].long()
        return depth[kind] + 10 * (x[:, 1] - place[kind]).abs()

    def polish(x, rows):
        moved = x.clone()
        moved[:, 1] = place[x[:, 0].long()]
        return moved, score(moved, rows)

    start = torch.tensor([[0.0, 1.0]], dtype=torch.float64)
    assert discrete_search(space, start, score)[0].tolist() == start.tolist()
    best, value = discrete_search(space, start, score, polish=polish)
    assert best.tolist() == [[2.0, 8.0]] and value.tolist() == [0.0]


def test_without_steps_nothing_changes():
    start = torch.tensor([[4.0]], dtype=torch.float64)
    best, value = discrete_search(Space.of(WIDTH), start, lambda x, rows: x[:, 0])
    assert best.tolist() == [[4.0]] and value.tolist() == [4.0]


def test_without_steps_there_are_no_single_changes():
    space = Space.of(Variable(name="a", prior=Uniform(low=0.0, high=1.0)))
    assert Neighbours.of(space).changes(torch.rand(3, 1).double()).shape == (3, 0, 1)


def test_nan_scores_are_never_chosen():
    best, value = discrete_search(
        MIXED, torch.tensor([[0.0, 3.0, 5.0]], dtype=torch.float64),
        lambda x, rows: torch.where(x[:, 0] == 1, torch.nan, -x[:, 0] - x[:, 1]),
    )  # fmt: skip
    assert best[0, :2].tolist() == [3.0, 6.0] and value.tolist() == [-9.0]


class TestLocalisedCandidates:
    """Starts of localised candidates change their categories where that helps."""

    SPACE = Space.of(METAL, LAYERS, Variable(name="x", prior=Uniform(low=0.0, high=1.0)))

    def found(self, space, target, **settings):
        from invcore.data.scaling import Scaling
        from invcore.search import LocalisationConfig, Trust, localised_candidates

        x = space.sample(300, generator(0))
        y = (x[:, :1] + 1) * 10 + x[:, 1:2] + x[:, -1:]
        scaling = Scaling.fit(space, Pairs(x, y))

        def forward(inputs):
            values = scaling.decode(inputs.double(), inside=False)
            part = scaling.designs.encode(values)
            soft = scaling.x.inverse(inputs.double())
            category = (part[:, :4] * torch.arange(4)).sum(1, keepdim=True)
            own = (category + 1) * 10 + soft[:, 4:5] + soft[:, -1:]
            return scaling.y(own).float()

        config = LocalisationConfig(trust=False, **settings)
        nothing = torch.zeros(1, scaling.designs.features)
        trust = Trust(nothing, torch.zeros(1, 1), torch.zeros(1, 1))
        starts = scaling.encode(space.sample(6, generator(4)))[None]
        goal = scaling.y(torch.tensor([[target]], dtype=torch.float64)).float()
        return localised_candidates(forward, starts, goal, scaling, config, trust)

    def test_the_best_candidate_is_of_the_right_category(self):
        frozen = self.found(self.SPACE, 43.5, neighbours=0)
        assert float((frozen.predicted[0, :, 0] - 43.5).abs().amax()) > 1
        searched = self.found(self.SPACE, 43.5)
        away = (searched.predicted[0, :, 0] - 43.5).abs()
        assert float(away[0]) < 1e-3 and float(searched.x[0, 0, 0]) == 3.0
        assert bool(self.SPACE.contains(searched.x).all())
        torch.testing.assert_close(
            (searched.x[0, :, :1] + 1) * 10 + searched.x[0, :, 1:2] + searched.x[0, :, 2:],
            searched.predicted[0], atol=1e-3, rtol=0,
        )  # fmt: skip

    def test_candidates_stay_different(self):
        found = self.found(self.SPACE, 43.5)
        assert len(found.x[0].unique(dim=0)) >= len(
            self.found(self.SPACE, 43.5, neighbours=0).x[0].unique(dim=0)
        )
