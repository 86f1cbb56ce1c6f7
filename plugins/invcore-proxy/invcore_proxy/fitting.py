"""Fitting a proxy: splits that leak nothing, networks trained at once, errors on held-out rows."""

import torch
from torch import Tensor

from invcore.learning import LossBatch, Normaliser, train
from invcore.plugin import Config, DataError, FitEnvironment, Pairs, Space, Splits, isolated
from invcore_proxy.config import ProxyConfig
from invcore_proxy.ensemble import Proxy, weights_of
from invcore_proxy.heads import Head, check_range
from invcore_proxy.networks import Member
from invcore_proxy.reliability import ProxyErrors, evaluate_proxy
from invcore_proxy.symmetry import enlarged, group, representatives

_PARITY = 500  # numbers in a picture of parity


class ProxyReport(Config):
    """How a fit went, and how far the proxy is off.

    Args:
        train_rows: pairs that the networks learnt from, before symmetries enlarge them.
        val_rows: pairs that chose the checkpoints, likewise.
        symmetries: elements of the group of symmetries; 1 without any.
        parameters: weights of all members.
        val_losses: of each member's checkpoint.
        held_out: errors on pairs that were not used.
        tests: errors on further sets of pairs, by name.
    """

    train_rows: int
    val_rows: int
    symmetries: int
    parameters: int
    val_losses: tuple[float, ...]
    held_out: ProxyErrors
    tests: dict[str, ProxyErrors] = {}


def fit_proxy(
    pairs: Pairs, designs: Space, responses: Space, config: ProxyConfig, env: FitEnvironment
) -> tuple[Proxy, ProxyReport]:
    """Train an ensemble on pairs, to stand in for the simulator that they came from.

    80% of the rows train, 10% choose the checkpoints, 10% are held out to measure errors on. Rows
    whose designs are equal, or equivalent by the symmetries, stay in one part. The networks differ
    by their first weights, by their order of the pairs, and by size if the config says so.

    References:
        Ren, Padilla, Malof, NeurIPS 2020, https://arxiv.org/abs/2009.12919, the meta-material;
        Lakshminarayanan, Pritzel, Blundell, NeurIPS 2017, https://arxiv.org/abs/1612.01474.

    Args:
        pairs: designs (N, Dx) and responses (N, Dy) in their own units.
        designs: space of the designs.
        responses: space of the responses.
        config: networks, outputs, symmetries, training.
        env: device, seeds, progress.

    Returns:
        The proxy, and how far it is off.

    Raises:
        DataError: too few rows, numbers that are not finite, or out of the output's range.
        ConfigError: symmetries that the designs' space does not allow.
        DivergedError: the training diverged.

    Example:
        >>> from invcore.learning import TrainingConfig
        >>> from invcore.plugin import Uniform, Variable
        >>> designs = Space.of(Variable(name="x", prior=Uniform(low=-1.0, high=1.0)))
        >>> x = torch.linspace(-1, 1, 400, dtype=torch.float64)[:, None]
        >>> quick = ProxyConfig.resolve({"members": 2}, preset="quick")
        >>> space = Space.of(Variable(name="y"))
        >>> proxy, report = fit_proxy(Pairs(x, x**2), designs, space, quick, FitEnvironment())
        >>> report.held_out.ensemble.mae < 0.02
        True
    """
    designs.check(pairs.x, "designs")
    responses.check(pairs.y, "responses")
    for what, values in (("designs", pairs.x), ("responses", pairs.y)):
        if not bool(values.isfinite().all()):
            row = int((~values.isfinite()).any(dim=1).nonzero()[0])
            raise DataError(f"{what}: row {row + 1} is not finite; leave such rows out")
    check_range(config, pairs.y, responses)
    elements = group(config.symmetries, designs)
    parts = split(pairs, elements, env.generator("proxy", "split"))
    train_pairs, val = (enlarged(part, elements) for part in (parts.train, parts.val))
    encoded = designs.encode(train_pairs.x.double())
    x, head = Normaliser.standard(encoded), Head.fit(config, train_pairs.y.double())

    def scale(part: Pairs) -> Pairs:
        return Pairs(x(designs.encode(part.x.double())).float(), head.part(part))

    members, losses = _trained(
        config, designs.features, responses.dim, head, scale(train_pairs), scale(val), env
    )
    proxy = Proxy(config, designs, x, head, weights_of(members))
    if config.half:
        proxy = proxy.rounded()
    # in float64, which not every device knows
    judge = env.device if env.device.type == "cuda" else torch.device("cpu")
    report = ProxyReport(
        train_rows=len(parts.train),
        val_rows=len(parts.val),
        symmetries=len(elements),
        parameters=proxy.parameters,
        val_losses=losses,
        held_out=evaluate_proxy(proxy, parts.test.to(judge), parity=_PARITY),
    )
    return proxy, report


def split(pairs: Pairs, elements: Tensor, generator: torch.Generator) -> Splits:
    """80% to train, 10% to choose checkpoints, 10% held out; equivalent designs stay together.

    Args:
        pairs: (N, Dx) and (N, Dy).
        elements: of the group of symmetries (G, Dx).
        generator: decides who goes where.
    """
    rows = torch.arange(len(pairs), dtype=torch.float64)[:, None]
    keyed = Pairs(representatives(pairs.x, elements), rows)
    parts = keyed.split(0.8, 0.1, generator=generator)
    return Splits(*(pairs[part.y[:, 0].long()] for part in parts))


def _trained(
    config: ProxyConfig,
    features: int,
    responses: int,
    head: Head,
    pairs: Pairs,
    val: Pairs,
    env: FitEnvironment,
) -> tuple[list[Member], tuple[float, ...]]:
    """The trained members, and the validation loss of each."""
    members = []
    for m, shape in enumerate(config.member_shapes):
        with isolated(env.derive("proxy", "weights", m)):
            members.append(Member(config, shape, features, responses).to(env.device))
    losses, there = [0.0] * config.members, head.to(env.device)
    for number, together in enumerate(config.groups, start=1):
        first, *others = (members[m] for m in together)

        def loss(batch: LossBatch | Pairs, network: Member = first) -> Tensor:
            return there.loss(network(batch.x), batch.y)

        report = train(
            first,
            loss,
            loss,
            pairs,
            val,
            config.training,
            env,
            label="proxy" if len(config.groups) == 1 else f"proxy {number}",
            siblings=others,
        )
        for m, value in zip(together, report.restarts, strict=True):
            losses[m] = value
    return members, tuple(losses)
