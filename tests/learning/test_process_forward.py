"""A Gaussian process as a forward model of designs."""

import torch

from invcore.data.pairs import Pairs
from invcore.learning import ProcessForward
from invcore.spaces.priors import Categorical, LogUniform, Uniform
from invcore.spaces.space import Space, Variable


def test_gradients_are_the_slopes_of_the_predictions_and_none_of_categories() -> None:
    designs = Space.of(
        Variable(name="kind", prior=Categorical(categories=("p", "q"))),
        Variable(name="rate", prior=LogUniform(low=0.1, high=10.0)),
        Variable(name="size", prior=Uniform(low=0.0, high=5.0)),
    )
    random = torch.Generator().manual_seed(0)
    x = designs.sample(120, random)
    context = {"load": torch.rand(120, 1, generator=random).double()}

    def responses(x: torch.Tensor, load: torch.Tensor) -> torch.Tensor:
        kind, rate, size = x.unbind(dim=1)
        return torch.stack([rate.log() + size * load[:, 0], (size / 2).sin() + kind], dim=1)

    pairs = Pairs(x, responses(x, context["load"]), context)
    forward = ProcessForward.fit(designs, pairs, torch.Generator().manual_seed(1))
    some, known = x[:20], {"load": context["load"][:20]}
    gradient = forward.gradient(some, known)
    assert gradient.shape == (20, 2, 3)
    assert not gradient[:, :, 0].any()
    torch.testing.assert_close(gradient[:, 0, 1], 1 / some[:, 1], rtol=0.05, atol=0.02)
    for column in (1, 2):
        step = torch.zeros(3).double()
        step[column] = 1e-3
        slope = (forward.predict(some + step, known) - forward.predict(some - step, known)) / 2e-3
        torch.testing.assert_close(gradient[:, :, column], slope, rtol=1e-3, atol=1e-3)
