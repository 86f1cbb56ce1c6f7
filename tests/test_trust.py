import torch

from invcore import Pairs, Trust, generator


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
    again = Trust.restore(trust.state())
    asked = torch.rand(50, 1, generator=generator(1))
    assert torch.equal(trust(asked), again(asked))
    torch.testing.assert_close(trust(asked), asked[:, 0].square(), atol=2e-3, rtol=0.0)
