"""Readers of what comes from outside, and inputs that were made to break them."""
