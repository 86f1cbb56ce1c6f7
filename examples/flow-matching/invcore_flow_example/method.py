"""The method ``flow-example``.

References:
    Lipman, Chen, Ben-Hamu, Nickel, Le, Flow matching for generative modeling, ICLR 2023,
    https://arxiv.org/abs/2210.02747.
"""

import torch

from invcore.learning import MLP, GenerativeConfig, GenerativeMethod, TrainingConfig
from invcore.plugin import Field


class FlowConfig(GenerativeConfig):
    """Settings of the method ``flow-example``."""

    presets = {"quick": {"training": {"epochs": 150}}}
    steps: int = Field(16, ge=1, description="Steps of the integration from noise to a design.")
    width: int = Field(128, ge=1, description="Units in each hidden layer.")
    training: TrainingConfig = TrainingConfig(epochs=400, average=0.99)


class FlowMatching(GenerativeMethod):
    """Straight ways from noise to designs have velocities, which a network learns to tell."""

    Config = FlowConfig

    def build(self, scaling):
        """The velocity at a point, a time and conditions."""
        features = scaling.designs.features
        return MLP(features + 1 + scaling.conditions, features, width=self.config.width, depth=4)

    def loss(self, network, x, y, generator):
        """How far velocities are from those of straight ways."""
        noise = torch.randn(x.shape, generator=generator).to(x)
        time = torch.rand(len(x), 1, generator=generator).to(x)
        velocity = network(torch.cat([noise + time * (x - noise), time, y], dim=1))
        return (velocity - (x - noise)).square()

    def decode(self, network, z, y):
        """Follow the velocities from noise to a design."""
        return self.follow(z, lambda x, time: velocity(network, x, time, y), 0.0, 1.0)

    def log_likelihood(self, network, x, y):
        """Follow them back, and count how volumes change."""

        def change(state, time):
            with torch.enable_grad():
                leaf = state[:, :-1].detach().requires_grad_(True)
                speed = velocity(network, leaf, time, y)
                slopes = [
                    torch.autograd.grad(speed[:, i].sum(), leaf, retain_graph=True)[0][:, i]
                    for i in range(leaf.shape[1])
                ]
            return torch.cat([speed.detach(), sum(slopes)[:, None]], dim=1)

        state = self.follow(torch.cat([x, torch.zeros_like(x[:, :1])], dim=1), change, 1.0, 0.0)
        z, grown = state[:, :-1], state[:, -1]
        return torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(dim=1) + grown

    def follow(self, state, change, start, end):
        """Integrate by the classical rule of Runge and Kutta."""
        step = (end - start) / self.config.steps
        for number in range(self.config.steps):
            time = start + number * step
            a = change(state, time)
            b = change(state + 0.5 * step * a, time + 0.5 * step)
            c = change(state + 0.5 * step * b, time + 0.5 * step)
            d = change(state + step * c, time + step)
            state = state + step / 6 * (a + 2 * b + 2 * c + d)
        return state


def velocity(network, x, time, y):
    """The network's velocity at points (N, F), a time and conditions."""
    return network(torch.cat([x, torch.full_like(x[:, :1], time), y], dim=1))
