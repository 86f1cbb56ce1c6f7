"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_executors() -> list[Component]:
    """The executor."""
    return [
        Component(
            "dask",
            "Jobs on the workers of a dask cluster: a local one, a scheduler's, SLURM's or PBS's.",
            "invcore_dask.dask_executor:Dask",
            tags=("parallel", "cluster"),
        ),
    ]
