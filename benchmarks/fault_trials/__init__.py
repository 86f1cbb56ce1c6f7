"""Trials of faults.py: processes that are killed or fail, and files that are damaged."""
