"""The tasks: stochastic simulators, one a module."""
