"""What this plugin adds; imports no torch."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_surrogates() -> list[Component]:
    """Return the surrogates."""
    return [
        Component(
            "gaussian-process",
            "A Gaussian process for each response, exact, with lengths for each variable.",
            "invcore_surrogates.process:ProcessSurrogate",
            references=("Rasmussen, Williams, Gaussian processes for machine learning, 2006",),
            tags=("few rows", "noise", "uncertainty"),
        ),
        Component(
            "network",
            "A network, and the spread of its errors at rows that were held out.",
            "invcore_surrogates.network:NetworkSurrogate",
            tags=("many rows", "images", "context"),
        ),
    ]
