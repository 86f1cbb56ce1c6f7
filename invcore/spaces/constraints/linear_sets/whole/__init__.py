"""Whole numbers that rows tie to one another."""
