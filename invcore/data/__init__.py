"""Pairs of designs and responses, their scaling, and users' tables."""
