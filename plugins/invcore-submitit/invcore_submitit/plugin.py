"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_executors() -> list[Component]:
    """The executor."""
    return [
        Component(
            "submitit",
            "Jobs as arrays of SLURM, or as processes of this machine, by submitit.",
            "invcore_submitit.submitit_executor:Submitit",
            tags=("parallel", "cluster"),
        ),
    ]
