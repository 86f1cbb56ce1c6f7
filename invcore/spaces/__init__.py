"""Spaces of designs and responses, and the priors of their variables."""
