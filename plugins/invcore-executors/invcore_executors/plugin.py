"""What this package adds to invcore."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_executors() -> list[Component]:
    """The executors."""
    return [
        Component(
            "serial",
            "One run after another, in this process.",
            "invcore_executors.serial:Serial",
        ),
        Component(
            "processes",
            "Several runs at once, in worker processes; one that dies costs its run alone.",
            "invcore_executors.processes:Processes",
            tags=("parallel",),
        ),
    ]
