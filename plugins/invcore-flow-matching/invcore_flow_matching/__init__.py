"""Conditional flow matching for invcore."""
