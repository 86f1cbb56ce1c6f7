"""Joint parameterised optimisation for invcore."""
