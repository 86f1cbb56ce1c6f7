import pytest
import torch

from invcore.plugin import Pairs, generator
from invcore.search import Trust


def test_the_mean_residual_of_the_ten_nearest():
    draw = generator(0, "trust")
    known = Pairs(torch.randn(300, 3, generator=draw), torch.randn(300, 2, generator=draw))
    asked = torch.randn(40, 3, generator=draw)
    trust = Trust.fit(lambda x: x[:, :2], known, generator(0, "rows"))
    off = (known.x[:, :2] - known.y).square().mean(1)
    expected = [off[(known.x - one).square().sum(1).argsort()[:10]].mean().item() for one in asked]
    torch.testing.assert_close(trust(asked), torch.tensor(expected))


def test_fewer_pairs_than_neighbours():
    trust = Trust.fit(
        lambda x: torch.zeros(len(x), 1), Pairs(torch.zeros(3, 1), torch.ones(3, 1)), generator(0)
    )
    assert trust(torch.zeros(2, 1)).tolist() == [1.0, 1.0]


def test_many_pairs_are_thinned_and_state_brings_it_back():
    x = torch.linspace(0, 1, 9000)[:, None]
    trust = Trust.fit(lambda x: torch.zeros(len(x), 1), Pairs(x, x), generator(0))
    assert len(trust.features) == 4096
    assert torch.equal(trust.y[:64], x[:64]) and torch.equal(trust.y[-64:], x[-64:]), "the ends"
    again = Trust.restore(trust.state())
    asked = torch.rand(50, 1, generator=generator(1))
    assert torch.equal(trust(asked), again(asked))
    torch.testing.assert_close(trust(asked), asked[:, 0].square(), atol=2e-3, rtol=0.0)


def test_anchors_are_the_known_designs_nearest_in_response():
    draw = generator(0, "trust")
    known = Pairs(torch.randn(200, 3, generator=draw), torch.randn(200, 2, generator=draw))
    trust = Trust.fit(lambda x: x[:, :2], known, generator(0, "rows"))
    wanted = torch.randn(5, 2, generator=draw)
    points = ((torch.arange(20) + 0.5) / 20).double()[None, :, None].repeat(5, 1, 1)
    found = trust.anchors(wanted, points, 0.1)
    for b in range(5):
        apart = (known.y - wanted[b]).square().sum(1)
        near = apart.argsort()[:20]
        torch.testing.assert_close(found.features[b], known.x[near])
        torch.testing.assert_close(found.lacking[b], known.y[near] - known.x[near, :2])
        assert torch.equal(trust.features[found.rows[b]], found.features[b])
        # where the model is as far off as responses are apart, it may be so all along the way
        share = (known.y - known.x[:, :2]).square().mean()
        torch.testing.assert_close(found.doubt[b], share * apart[near] / 2)
    assert trust.anchors(wanted, points, 1e-9).features.unique(dim=1).shape[1] == 1


@pytest.mark.parametrize("columns", [1, 3, 30])
def test_the_nearest_pairs_are_found_around_groups(columns):
    """As by comparing all with all, whether designs are among the pairs or far from them."""
    random = torch.Generator().manual_seed(5)
    known = torch.randn(1500, columns, generator=random).double()
    designs = torch.cat([
        known[:700] + 0.1 * torch.randn(700, columns, generator=random).double(),
        9 * torch.randn(300, columns, generator=random).double(),
    ])  # fmt: skip
    trust = Trust(known, known[:, :1], known[:, :1])
    apart = (designs[:, None] - known).norm(dim=2)
    expected = apart.sort(dim=1).indices[:, :10].sort(dim=1).values
    assert torch.equal(trust._near(designs).sort(dim=1).values, expected)
    assert trust._near(designs[:0]).shape == (0, 10)
    lost = torch.full((200, columns), torch.nan, dtype=torch.float64)
    assert trust._near(lost).shape == (200, 10)
