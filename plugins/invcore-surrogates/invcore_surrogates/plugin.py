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
            "extra-trees",
            "Extremely randomised trees on rows drawn anew for each; constant in pieces.",
            "invcore_surrogates.trees:TreesSurrogate",
            references=("Geurts, Ernst, Wehenkel, Extremely randomized trees, 2006",),
            tags=("tables", "jumps", "many columns"),
        ),
        Component(
            "boosted-trees",
            "Gradient boosting: each tree learns what those before it left; constant in pieces.",
            "invcore_surrogates.boosted:BoostedSurrogate",
            references=("Friedman, Stochastic gradient boosting, 2002",),
            tags=("tables", "jumps", "many rows"),
        ),
        Component(
            "linear",
            "Ridge regression on features, their squares and products.",
            "invcore_surrogates.linear:LinearSurrogate",
            references=("Hoerl, Kennard, Ridge regression, 1970",),
            tags=("few rows", "fast"),
        ),
        Component(
            "pls",
            "Partial least squares: a linear model by few components of many columns.",
            "invcore_surrogates.pls:PlsSurrogate",
            references=("Wold, Sjöström, Eriksson, PLS-regression, 2001",),
            tags=("spectra", "many columns"),
        ),
        Component(
            "network",
            "A network, and the spread of its errors at rows that were held out.",
            "invcore_surrogates.network:NetworkSurrogate",
            tags=("many rows", "images", "context"),
        ),
    ]
