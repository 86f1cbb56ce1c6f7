"""Runs on many machines by dask.distributed, for invcore."""
