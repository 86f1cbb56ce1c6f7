"""Metrics for invcore."""
