"""Configs as frozen data: what a run is, and how files and settings say it."""
