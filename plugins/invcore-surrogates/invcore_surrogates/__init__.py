"""Surrogates for invcore: a network, and a Gaussian process."""
