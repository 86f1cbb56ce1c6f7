"""Proxy simulators for invcore: an ensemble of networks that stands in for a simulator or a table."""
