"""Surrogates of the loop: fitted to all rows that are known, between every two asks."""
