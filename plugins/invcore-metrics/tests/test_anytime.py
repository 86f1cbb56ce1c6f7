"""What a costlier simulator does to methods that ask it while they search."""

from dataclasses import replace

import pytest
import torch
from invcore_metrics.anytime import Anytime, AnytimeConfig

from invcore import Space, Uniform, Variable
from invcore.testing import evaluation

DESIGNS = Space.of(Variable(name="a", prior=Uniform(low=0.0, high=1.0)))


def searched(calls):
    """Two targets, two ranked candidates each, found with so many calls; 0.1 s a call."""
    wanted, got = torch.zeros(2, 1), torch.tensor([[[2.0], [1.0]], [[2.0], [1.0]]])
    seen = evaluation(wanted, got, torch.full((2, 2, 1), 0.5), designs=DESIGNS, ranked=True, seed=0)
    timings = {"propose_s": 0.1 * (calls - 4), "simulate_s": 0.4}
    return replace(seen, timings=timings, simulator_calls=calls, search_calls=calls - 4)


@pytest.mark.parametrize(
    ("call_s", "seconds", "reached"),
    [
        (0.0, 1.15, 4.0),  # measured: ten calls to propose, 1 s a target; 1.1 s with the first
        (0.0, 1.2, 1.0),
        (1.0, 10.5, None),  # ten calls of 1 s, and one for the first candidate
        (1.0, 11.5, 4.0),
        (1.0, 12.0, 1.0),
    ],
)
def test_a_search_pays_for_the_calls_it_makes(call_s, seconds, reached):
    metric = Anytime(AnytimeConfig(seconds=(seconds,), calls=(1,), call_s=call_s))
    found = {e.name: e.value for e in metric.measure(searched(24))}
    assert found.get(f"best-within-{seconds:g}s") == reached
