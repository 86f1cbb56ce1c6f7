"""Which activation, features and size a surrogate gets: those that validation prefers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invcore.base.errors import DivergedError
from invcore.configs.config import merge
from invcore.contracts.environment import FitEnvironment
from invcore.data.scaling import Scaling
from invcore.learning.surrogate.config import SurrogateConfig

SHARE = 0.2
"""Of the training, spent on choosing."""


def short_list(config: SurrogateConfig, scaling: Scaling) -> dict[str, SurrogateConfig]:
    """What is tried, by names for people.

    Args:
        config: as set; it is tried too.
        scaling: of the designs, which may be layers of a pile.
    """
    piles = any(variable.layer_of for variable in scaling.designs.variables)
    depths, beside = ({"sums": True}, ", depths") if piles else ({}, "")
    wide = {"width": max(256, config.width), "depth": max(3, config.depth)}
    deep = {"width": max(512, config.width), "depth": max(5, config.depth), "residual": True}
    changes: dict[str, dict[str, Any]] = {
        "as set": {},
        f"sine, gain 2{beside}": _sine(2.0) | depths,
        f"sine, gain 4{beside}": _sine(4.0) | depths,
        "waves": {"waves": 3},
        f"sine, gain 2, wide{beside}": _sine(2.0) | depths | wide,
        f"sine, gain 4, deep, residual{beside}": _sine(4.0) | depths | deep,
    }
    plain = config.model_dump(mode="json") | {"choice": "as-set", "minutes": None}
    return {name: SurrogateConfig.parse(merge(plain, change)) for name, change in changes.items()}


def _sine(gain: float) -> dict[str, Any]:
    return {"activation": "sine", "gain": gain, "batch_norm": False}


def chosen_config(
    config: SurrogateConfig, scaling: Scaling, losses: Callable[[SurrogateConfig, str], float],
    env: FitEnvironment, label: str,
) -> SurrogateConfig:  # fmt: skip
    """The settings that do best on validation pairs after short trainings of equal cost.

    The cost is time where minutes are set. Else it is multiplications, so that the choice does not
    depend on the machine: a larger network has fewer epochs.

    Args:
        config: as set, with ``choice`` or ``minutes``.
        scaling: of the designs.
        losses: trains by settings, under a label, and gives the loss on validation pairs.
        env: is told what was chosen.
        label: of the training.

    Raises:
        DivergedError: all of them diverged.
    """
    tried = short_list(config, scaling)
    share, found = SHARE / len(tried), dict[str, float]()
    for name, settings in tried.items():
        training = settings.training
        if config.minutes is not None:
            brief = {"minutes": share * config.minutes}
        else:
            rows = _size(config, scaling) / _size(settings, scaling)
            brief = {"epochs": max(1, round(share * training.epochs * rows))}
        short = training.model_copy(update={**brief, "restarts": 1, "average": 0.0})
        try:
            trial = settings.model_copy(update={"training": short, "finish": 0})
            found[name] = losses(trial, f"{label}: trying {name}")
        except DivergedError as error:
            env.log({"stage": label, "tried": name, "diverged": str(error)})
            continue
        env.log({"stage": label, "tried": name, "val_loss": found[name]})
    if not found:
        raise DivergedError(f"{label}: none of {', '.join(tried)} could be trained: lower lr")
    best = min(found, key=lambda name: found[name])
    others = ", ".join(f"{value:.2g} ({name})" for name, value in found.items() if name != best)
    env.note(
        f"{label}: chosen by validation: {best}. Its error there was {found[best]:.2g} of the "
        f"variance after a short training, that of the others {others}."
    )
    result = tried[best]
    if config.minutes is None:
        return result
    rest = {"minutes": (1 - SHARE) * config.minutes}
    return result.model_copy(update={"training": result.training.model_copy(update=rest)})


def _size(config: SurrogateConfig, scaling: Scaling) -> int:
    """Multiplications of a row, about."""
    ends = scaling.inputs + (config.components or len(scaling.y.centre))
    return config.width * (ends + max(0, config.depth - 1) * config.width)
