"""Surrogates for invcore: Gaussian processes, trees, linear models, networks, any regressor."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invcore_surrogates.regressor import RegressorSurrogate

__all__ = ["RegressorSurrogate"]


def __getattr__(name: str) -> Any:
    """What is imported once it is asked for: listings import no torch."""
    if name in __all__:
        from invcore_surrogates.regressor import RegressorSurrogate

        return RegressorSurrogate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
