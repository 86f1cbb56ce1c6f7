"""Uniform points of a polytope."""
