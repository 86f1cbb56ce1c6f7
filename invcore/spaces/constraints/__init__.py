"""Constraints between design variables, as data; which designs satisfy them; the nearest ones."""
