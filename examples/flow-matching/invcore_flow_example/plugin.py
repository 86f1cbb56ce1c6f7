"""What this plugin adds; imports no torch."""

from invcore import Component, hookimpl

API_VERSION = 1


@hookimpl
def invcore_methods():
    """Return the method."""
    summary = "A flow from noise to designs, learnt by matching velocities; it has a density."
    return [Component("flow-example", summary, "invcore_flow_example.method:FlowMatching")]
